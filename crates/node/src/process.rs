//! What this process is to the rest of the machine: it leaves no core dump, and two files that say where it listens.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use quorate_api::{ADDR_FILE, TOKEN_FILE};
use rand_core::{OsRng, RngCore};
use rustix::process::{Resource, Rlimit, setrlimit};
use zeroize::Zeroizing;

/// A core dump would hold every key that is open; so there is none. Other processes of the same user can no longer
/// attach and read this one's memory either.
///
/// # Errors
/// The system refuses.
pub(crate) fn forbid_core_dumps() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?)
}

/// Milliseconds since 1970 by this machine's clock; 0 before that.
pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Milliseconds since this was first asked; never runs backwards.
pub(crate) fn uptime_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// 32 fresh bytes of the operating system.
pub(crate) fn fresh_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

/// A fresh bearer token: 64 hexadecimal digits.
pub(crate) fn fresh_token() -> Zeroizing<String> {
    let bytes = Zeroizing::new(fresh_bytes());
    Zeroizing::new(hex::encode(bytes.as_slice()))
}

/// The files that tell a local program where the daemon listens; gone when this is dropped.
pub(crate) struct Beacon {
    paths: [PathBuf; 2],
}

impl Beacon {
    /// Writes both files, each whole or not at all, 0600.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn light(dir: &Path, addr: SocketAddr, token: &str) -> io::Result<Self> {
        let beacon = Self {
            paths: [dir.join(TOKEN_FILE), dir.join(ADDR_FILE)],
        };
        let [token_file, addr_file] = &beacon.paths;
        // The token first: whoever sees the new address finds the token that belongs to it.
        write_private(token_file, token.as_bytes())?;
        write_private(addr_file, addr.to_string().as_bytes())?;
        Ok(beacon)
    }
}

impl Drop for Beacon {
    fn drop(&mut self) {
        for path in &self.paths {
            // A file that is gone already is as good; one that stays names a port on which nobody proves the token.
            drop(fs::remove_file(path));
        }
    }
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{Beacon, forbid_core_dumps, fresh_token};

    #[test]
    fn the_beacon_is_private_and_goes_out() {
        let dir = tempfile::tempdir().unwrap();
        let token = fresh_token();
        let beacon = Beacon::light(dir.path(), "127.0.0.1:4711".parse().unwrap(), &token).unwrap();
        let path = dir.path().join("api.token");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), *token);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            std::fs::read_to_string(dir.path().join("api.addr")).unwrap(),
            "127.0.0.1:4711"
        );
        drop(beacon);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn tokens_are_fresh_and_core_dumps_are_off() {
        assert_ne!(*fresh_token(), *fresh_token());
        assert_eq!(fresh_token().len(), 64);
        forbid_core_dumps().unwrap();
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    }
}
