# Short names for what ./check and the scripts do. `pip install rust-just` brings `just`.

set positional-arguments

[private]
default:
    @just --list

# everything that has to pass before a commit; `just check --full` for all of it
check *args:
    ./check "$@"

# the tests alone, or those whose names match
test *args:
    @if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --workspace --locked "$@"; else cargo test --workspace --locked "$@"; fi

# formatting, spelling and lints
lint:
    ./check --lint

# that many simulated clusters, from seed 0
sim seeds="1000":
    QUORATE_SIM_SEEDS="$1" cargo test --workspace --locked --test it -- --nocapture seeds_with_every_kind_of_fault

# what keygen and signing cost: the protocols alone as ratios, then whole daemons
bench *args:
    cargo bench --profile dev --locked -p quorate-threshold --bench ceremonies "$@"
    scripts/story bench

# one user story on real daemons and a real node; `just story --list` names them
story *args:
    scripts/story "$@"

# three daemons, one vault, one payment
demo:
    ./demo
