//! Passphrases and PINs: by prompt, file or file descriptor; never by argument or environment.

use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use quorate_api::{ErrorCode, MIN_PASSPHRASE_CHARS, MIN_PIN_CHARS};
use zeroize::Zeroizing;

use crate::Failure;
use crate::console::Console;
use crate::failure::Outcome;

/// Longest secret, in bytes.
const MAX_SECRET_BYTES: usize = 1024;

/// Where a secret comes from when it is not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretSource {
    /// A file that only its owner can read.
    File(PathBuf),
    /// An open file descriptor.
    Descriptor(u32),
}

/// Which secret, and how it is called on the screen and in flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecretKind {
    /// `passphrase`, `PIN`, `new PIN`.
    pub(crate) label: &'static str,
    /// The flag that names a file instead.
    pub(crate) flag: &'static str,
    /// Fewest characters of one that is chosen now.
    pub(crate) min_chars: usize,
}

impl SecretKind {
    pub(crate) const PASSPHRASE: Self = Self {
        label: "passphrase",
        flag: "--passphrase-file",
        min_chars: MIN_PASSPHRASE_CHARS,
    };
    pub(crate) const NEW_PASSPHRASE: Self = Self {
        label: "new passphrase",
        flag: "--new-passphrase-file",
        min_chars: MIN_PASSPHRASE_CHARS,
    };
    pub(crate) const PIN: Self = Self {
        label: "PIN",
        flag: "--pin-file",
        min_chars: MIN_PIN_CHARS,
    };
    pub(crate) const NEW_PIN: Self = Self {
        label: "new PIN",
        flag: "--new-pin-file",
        min_chars: MIN_PIN_CHARS,
    };
}

impl SecretSource {
    /// Reads `fd:N` or a path.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some(number) = text.strip_prefix("fd:") else {
            return Ok(Self::File(PathBuf::from(text)));
        };
        let descriptor = number
            .parse()
            .map_err(|_| "write fd:N with a number".to_owned())?;
        Ok(Self::Descriptor(descriptor))
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Descriptor(number) => PathBuf::from(format!("/dev/fd/{number}")),
        }
    }
}

/// A secret that exists already: from its source, or asked for once.
pub(crate) fn existing(
    console: &mut Console,
    kind: SecretKind,
    source: Option<&SecretSource>,
) -> Outcome<Zeroizing<String>> {
    match source {
        Some(source) => read(source, kind),
        None => ask(console, kind, &format!("{}: ", capitalised(kind.label))),
    }
}

/// A secret that is chosen now: from its source, or asked for twice; not too short.
pub(crate) fn chosen(
    console: &mut Console,
    kind: SecretKind,
    source: Option<&SecretSource>,
) -> Outcome<Zeroizing<String>> {
    let secret = match source {
        Some(source) => read(source, kind)?,
        None => {
            let prompt = format!(
                "Choose a {} (at least {} characters): ",
                kind.label, kind.min_chars
            );
            let first = ask(console, kind, &prompt)?;
            refuse_short(&first, kind)?;
            let again = ask(console, kind, &format!("The same {} again: ", kind.label))?;
            if *first != *again {
                return Err(Failure::usage(
                    format!("the two {}s differ", kind.label),
                    "try again; nothing was changed",
                ));
            }
            first
        }
    };
    refuse_short(&secret, kind)?;
    Ok(secret)
}

fn refuse_short(secret: &str, kind: SecretKind) -> Outcome {
    if secret.chars().count() >= kind.min_chars {
        return Ok(());
    }
    Err(Failure::usage(
        format!("the {} is too short", kind.label),
        format!("choose at least {} characters", kind.min_chars),
    ))
}

fn ask(console: &Console, kind: SecretKind, prompt: &str) -> Outcome<Zeroizing<String>> {
    if !console.interactive() {
        return Err(Failure::new(
            ErrorCode::NeedsTerminal,
            format!(
                "the {} is asked for on a terminal, and there is none",
                kind.label
            ),
            format!("name a file that only you can read with {}", kind.flag),
        ));
    }
    let secret = rpassword::prompt_password(prompt).map(Zeroizing::new);
    let secret = secret.map_err(|error| {
        Failure::new(
            ErrorCode::NeedsTerminal,
            format!("cannot ask for the {}: {error}", kind.label),
            format!("name a file that only you can read with {}", kind.flag),
        )
    })?;
    checked(secret, kind)
}

fn read(source: &SecretSource, kind: SecretKind) -> Outcome<Zeroizing<String>> {
    let path = source.path();
    if let SecretSource::File(path) = source {
        refuse_loose(path, kind)?;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES + 2));
    let limit = u64::try_from(MAX_SECRET_BYTES + 2).unwrap_or(u64::MAX);
    let read = File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|error| Failure::file(&path, &error))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Failure::usage(
            format!("{} is not text", path.display()),
            format!("write the {} into it as UTF-8", kind.label),
        )
    })?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    checked(Zeroizing::new(line.to_owned()), kind)
}

fn checked(secret: Zeroizing<String>, kind: SecretKind) -> Outcome<Zeroizing<String>> {
    let problem = if secret.is_empty() {
        "is empty"
    } else if secret.len() > MAX_SECRET_BYTES {
        "is too long"
    } else if secret.contains('\n') {
        "has more than one line"
    } else {
        return Ok(secret);
    };
    Err(Failure::usage(
        format!("the {} {problem}", kind.label),
        format!("one line of at most {MAX_SECRET_BYTES} bytes is taken"),
    ))
}

/// Refuses a file that other users can read. What systemd hands over as a credential is guarded by
/// an access list, whose mask looks like a group's right; systemd answers for it.
fn refuse_loose(path: &Path, kind: SecretKind) -> Outcome {
    let mode = fs::metadata(path)
        .map_err(|error| Failure::file(path, &error))?
        .permissions()
        .mode();
    if mode & 0o077 == 0 || is_credential(path) {
        return Ok(());
    }
    Err(Failure::usage(
        format!(
            "{} holds a {} and can be read by other users",
            path.display(),
            kind.label
        ),
        format!("run: chmod 600 {}", path.display()),
    ))
}

fn is_credential(path: &Path) -> bool {
    env::var_os("CREDENTIALS_DIRECTORY")
        .filter(|dir| !dir.is_empty())
        .is_some_and(|dir| path.parent() == Some(Path::new(&dir)))
}

fn capitalised(label: &str) -> String {
    let mut chars = label.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use quorate_api::ErrorCode;

    use super::{SecretKind, SecretSource, chosen, existing};
    use crate::console::Console;

    fn nobody() -> Console {
        Console::captured(Box::new(io::sink()), Box::new(io::sink()))
    }

    fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, SecretSource) {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("secret");
        fs::write(&path, content).expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
        (dir, SecretSource::File(path))
    }

    #[test]
    fn a_private_file_is_read_without_its_line_end() {
        for content in [&b"open sesame"[..], b"open sesame\n", b"open sesame\r\n"] {
            let (_dir, source) = file(content, 0o600);
            let secret = existing(&mut nobody(), SecretKind::PASSPHRASE, Some(&source));
            assert_eq!(secret.expect("read").as_str(), "open sesame");
        }
    }

    /// Threat: another user of the machine reads the passphrase.
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        for mode in [0o640, 0o604, 0o660, 0o644] {
            let (_dir, source) = file(b"open sesame", mode);
            let failure = existing(&mut nobody(), SecretKind::PASSPHRASE, Some(&source))
                .expect_err("loose mode");
            assert_eq!(failure.code(), ErrorCode::Usage);
            assert!(failure.hint().starts_with("run: chmod 600"));
        }
    }

    #[test]
    fn empty_long_and_many_lines_are_refused() {
        for content in [
            b"".to_vec(),
            b"\n".to_vec(),
            vec![b'a'; 1025],
            b"a\nb".to_vec(),
        ] {
            let (_dir, source) = file(&content, 0o600);
            assert!(existing(&mut nobody(), SecretKind::PIN, Some(&source)).is_err());
        }
    }

    #[test]
    fn a_short_new_one_is_refused() {
        let (_dir, source) = file(b"123", 0o600);
        let failure = chosen(&mut nobody(), SecretKind::PIN, Some(&source)).expect_err("short");
        assert_eq!(failure.code(), ErrorCode::Usage);
        assert!(!failure.message().contains("123"));
    }

    #[test]
    fn a_descriptor_is_read_like_a_file() {
        let (_dir, SecretSource::File(path)) = file(b"open sesame\n", 0o600) else {
            panic!("a file");
        };
        let open = fs::File::open(path).expect("open");
        let number = u32::try_from(open.as_raw_fd()).expect("a descriptor");
        let source = SecretSource::Descriptor(number);
        let secret = existing(&mut nobody(), SecretKind::PASSPHRASE, Some(&source));
        assert_eq!(secret.expect("read").as_str(), "open sesame");
    }

    #[test]
    fn without_terminal_and_file_it_is_exit_12_and_names_the_flag() {
        let failure = existing(&mut nobody(), SecretKind::PIN, None).expect_err("no terminal");
        assert_eq!(failure.code().exit_code(), 12);
        assert!(failure.hint().contains("--pin-file"));
    }

    #[test]
    fn sources_are_paths_or_descriptors() {
        assert_eq!(SecretSource::parse("fd:3"), Ok(SecretSource::Descriptor(3)));
        assert!(SecretSource::parse("fd:x").is_err());
        let path = SecretSource::parse("a/b");
        assert_eq!(path, Ok(SecretSource::File(PathBuf::from("a/b"))));
    }
}
