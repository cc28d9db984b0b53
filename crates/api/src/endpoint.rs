//! Where a folder's daemon listens, and the token that opens it.

#![allow(
    clippy::disallowed_methods,
    reason = "the two endpoint files are the API's own"
)]

use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::ClientError;

/// File in the daemon's folder that holds `127.0.0.1:PORT`.
pub const ADDR_FILE: &str = "api.addr";

/// File in the daemon's folder that holds the bearer token; mode 0600.
pub const TOKEN_FILE: &str = "api.token";

/// File in the daemon's folder that is there from `node init` on.
pub const STORE_FILE: &str = "store.db";

/// Longest endpoint file, in bytes.
const MAX_FILE_BYTES: u64 = 512;

/// A daemon's address and token.
pub struct Endpoint {
    /// Loopback address.
    pub addr: SocketAddr,
    /// Bearer token.
    pub token: Zeroizing<String>,
}

impl Endpoint {
    /// Reads the endpoint of `dir`.
    ///
    /// # Errors
    /// [`ClientError::NotInitialised`], [`ClientError::DaemonNotRunning`], or
    /// [`ClientError::EndpointFile`] when a file is not as the daemon writes it: an address that is
    /// not loopback, a token that others can read.
    pub fn read(dir: &Path) -> Result<Self, ClientError> {
        if !dir.join(STORE_FILE).exists() {
            return Err(ClientError::NotInitialised { dir: dir.into() });
        }
        let addr = read_file(dir, ADDR_FILE)?;
        let token = read_file(dir, TOKEN_FILE)?;
        refuse_loose_mode(dir)?;
        let addr: SocketAddr = addr
            .parse()
            .map_err(|_| malformed(dir, ADDR_FILE, "is not an address"))?;
        if !addr.ip().is_loopback() {
            return Err(malformed(
                dir,
                ADDR_FILE,
                "names an address beyond this machine",
            ));
        }
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(malformed(dir, TOKEN_FILE, "is not a token"));
        }
        Ok(Self { addr, token })
    }
}

fn read_file(dir: &Path, name: &str) -> Result<Zeroizing<String>, ClientError> {
    let path = dir.join(name);
    let read = || -> io::Result<Zeroizing<String>> {
        if fs::metadata(&path)?.len() > MAX_FILE_BYTES {
            return Err(io::Error::new(ErrorKind::InvalidData, "is too long"));
        }
        let text = Zeroizing::new(fs::read_to_string(&path)?);
        Ok(Zeroizing::new(text.trim().to_owned()))
    };
    read().map_err(|error| match error.kind() {
        ErrorKind::NotFound => ClientError::DaemonNotRunning { dir: dir.into() },
        _ => ClientError::endpoint_file(path.clone(), &error),
    })
}

fn refuse_loose_mode(dir: &Path) -> Result<(), ClientError> {
    let path = dir.join(TOKEN_FILE);
    let mode = fs::metadata(&path)
        .map_err(|error| ClientError::endpoint_file(path, &error))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(malformed(dir, TOKEN_FILE, "can be read by other users"));
    }
    Ok(())
}

fn malformed(dir: &Path, name: &str, problem: &str) -> ClientError {
    ClientError::EndpointFile {
        path: dir.join(name),
        problem: problem.to_owned(),
    }
}
