//! A store to test with.

use std::fs;
use std::path::{Path, PathBuf};

use quorate_store::{Store, Write};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use tempfile::TempDir;

pub(crate) const PASSPHRASE: &[u8] = b"correct horse";
pub(crate) const VAULT: [u8; 32] = [1; 32];

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A directory that goes away with it, and in it a path where no store is yet.
pub(crate) fn place() -> (TempDir, PathBuf) {
    let parent = TempDir::new().unwrap();
    let dir = parent.path().join("node");
    (parent, dir)
}

pub(crate) fn fresh() -> (TempDir, PathBuf, Store) {
    let (parent, dir) = place();
    let store = Store::init(&dir, PASSPHRASE, &mut rng(1)).unwrap();
    (parent, dir, store)
}

pub(crate) fn entry(position: u64, entry: &[u8]) -> Write {
    Write::Log {
        vault: VAULT,
        author: [2; 32],
        incarnation: 0,
        position,
        entry: entry.to_vec(),
    }
}

pub(crate) fn setting(key: &str, value: &[u8]) -> Write {
    Write::Setting {
        key: key.into(),
        value: value.to_vec(),
    }
}

/// Whether any file below `dir` holds these bytes.
pub(crate) fn holds(dir: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let content = fs::read(entry.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}
