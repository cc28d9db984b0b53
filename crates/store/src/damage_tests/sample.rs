//! A store to damage.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::digest::Key;
use crate::phrase::open_under_phrase;
use crate::{Error, Store, Write};

pub(super) const PASSPHRASE: &[u8] = b"correct horse";

/// A directory with a filled store, closed or as a crash would leave it, and the key to it.
pub(super) struct Sample {
    pub(super) dir: TempDir,
    data: [u8; 32],
}

pub(super) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(super) fn private_dir() -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    dir
}

impl Sample {
    /// A few rows of every kind, some larger than a page.
    pub(super) fn new() -> (Self, Store) {
        let dir = private_dir();
        let mut store = Store::init(dir.path(), PASSPHRASE, &mut rng(1)).unwrap();
        let slot: Vec<u8> = store
            .connection
            .query_row("SELECT value FROM meta", (), |row| row.get(0))
            .unwrap();
        let data = open_under_phrase(PASSPHRASE, "quorate/store/slot/v1", &[], &slot).unwrap();
        let data = data.as_slice().try_into().unwrap();
        for batch in 0..4 {
            store.commit(writes(batch), &mut rng(batch)).unwrap();
        }
        (Self { dir, data }, store)
    }

    pub(super) fn open(&self, dir: &Path) -> Result<Store, Error> {
        Store::open_with(dir, |_| Ok(Key::new(Zeroizing::new(self.data))))
    }
}

fn writes(batch: u64) -> Vec<Write> {
    let vault = [1 + (batch % 2) as u8; 32];
    let mut writes = vec![
        Write::Checkpoint {
            vault,
            author: [4; 32],
            incarnation: 0,
            note: vec![batch as u8; 300],
        },
        Write::Setting {
            key: format!("peer/{batch}"),
            value: vec![5; 100],
        },
        Write::Secret {
            vault,
            name: "share".into(),
            epoch: batch,
            plain: Zeroizing::new(vec![6; 6000]),
        },
    ];
    writes.extend((0..6).map(|position| Write::Log {
        vault,
        author: [3; 32],
        incarnation: batch,
        position,
        entry: vec![position as u8; 200 + 1000 * usize::try_from(position).unwrap()],
    }));
    writes
}

/// Everything that can be read.
pub(super) fn dump(store: &Store) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    for vault in store.vaults()? {
        all.push(format!(
            "{:?} {:?}",
            store.logs(&vault)?,
            store.checkpoints(&vault)?
        ));
        for name in store.secret_names(&vault)? {
            all.push(format!(
                "{name:?} {:?}",
                store.secret(&vault, &name.name, name.epoch)?
            ));
        }
    }
    all.push(format!("{:?}", store.settings("")?));
    Ok(all)
}

/// Every file of a directory.
pub(super) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |entry: fs::DirEntry| {
        (
            entry.file_name().into_string().unwrap(),
            fs::read(entry.path()).unwrap(),
        )
    };
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| read(entry.unwrap()))
        .collect()
}

/// A directory with these files, private as a store's.
pub(super) fn directory(files: &BTreeMap<String, Vec<u8>>) -> TempDir {
    let dir = private_dir();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    dir
}

/// Opens a damaged copy: either an error, with every file as it was, or the values are all as they were.
/// Returns whether the damage was noticed.
pub(super) fn is_noticed(
    sample: &Sample,
    damaged: &BTreeMap<String, Vec<u8>>,
    expected: &[String],
    what: &str,
) -> bool {
    let dir = directory(damaged);
    let outcome = sample.open(dir.path()).and_then(|store| dump(&store));
    match outcome {
        Ok(found) => {
            assert_eq!(found, expected, "{what}: other values, unnoticed");
            false
        }
        Err(error) => {
            let mut after = files(dir.path());
            if !damaged.contains_key("store.lock") {
                after.remove("store.lock");
            }
            // SQLite makes an empty one where there was none.
            let new_and_empty = after.get("store.db-wal").is_some_and(Vec::is_empty);
            if new_and_empty && !damaged.contains_key("store.db-wal") {
                after.remove("store.db-wal");
            }
            assert!(
                &after == damaged,
                "{what}: something was written although {error}"
            );
            true
        }
    }
}
