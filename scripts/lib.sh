# Shared by ./check, ./demo and scripts/story: finds the repository and installs what they need. Sourced, not run.
# Everything lands in .tools/ (ignored by git), one folder a version, so a second run installs nothing.
# shellcheck shell=bash
# shellcheck disable=SC2034 # each script that sources this uses a part of it

ANVIL_VERSION=1.7.1
TYPOS_VERSION=1.52.0
JUST_VERSION=1.59.0

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=$root/.tools

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Installs the Debian packages named, as root or through sudo.
apt_install() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    has sudo || die "missing: $*. Install these packages and run this again."
    as_root=(sudo)
  fi
  has apt-get || die "missing: $*. Install these packages and run this again."
  say "installing $* (apt)"
  "${as_root[@]}" apt-get update -qq >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# The compiler and linker that Rust, ring and the bundled SQLite call.
need_compiler() {
  has cargo || die "Rust is missing. See https://rustup.rs; this repository names the version it needs in Cargo.toml."
  has cc || apt_install build-essential
}

need_rust_component() {
  cargo "$1" --version >/dev/null 2>&1 && return
  has rustup || die "\`cargo $1\` is missing, and there is no rustup to install it with."
  rustup component add "$2" >&2
}

# Runs "$@ FOLDER" to fill a folder of .tools/, and puts the folder in place only when that has succeeded.
install_once() {
  local folder=$tools/$1 draft
  shift
  [ -d "$folder" ] && return
  mkdir -p "$tools"
  draft=$(mktemp -d "$tools/draft.XXXXXX")
  if ! "$@" "$draft" >&2; then
    rm -rf "$draft"
    die "could not install $(basename "$folder"); the lines above say why"
  fi
  # Somebody else may have been quicker; theirs is as good.
  mv -T "$draft" "$folder" 2>/dev/null || rm -rf "$draft"
}

npm_into() {
  say "installing $1 (npm)"
  npm install --silent --no-audit --no-fund --prefix "$2" "$1"
}

pip_into() {
  say "installing $1 (pip)"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$2" "$1"
}

# Puts `anvil`, a development Ethereum node, and `cast`, its client, first in PATH. These are the executables
# themselves and not npm's wrappers, so that stopping the process by its id stops the node.
need_foundry() {
  has npm || apt_install npm
  local name found
  for name in anvil cast; do
    install_once "$name-$ANVIL_VERSION" npm_into "@foundry-rs/$name@$ANVIL_VERSION"
    found=$(compgen -G "$tools/$name-$ANVIL_VERSION/node_modules/@foundry-rs/$name-*/bin/$name" | head -n 1) ||
      die "no $name for this machine in @foundry-rs/$name@$ANVIL_VERSION"
    PATH=$(dirname "$found"):$PATH
  done
  export PATH
}

# Puts one executable from PyPI first in PATH: need_from_pypi PACKAGE VERSION
need_from_pypi() {
  has python3 || apt_install python3 python3-pip
  python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip
  install_once "$1-$2" pip_into "$1==$2"
  export PATH=$tools/$1-$2/bin:$PATH
}

# Where cargo puts what it builds, whoever configured it.
target_dir() {
  cargo metadata --manifest-path "$root/Cargo.toml" --format-version 1 --no-deps |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}
