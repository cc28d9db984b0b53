//! Damage of every kind, and a full disk. These open stores by their data key, because Argon2id would
//! make a thousand openings take minutes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    reason = "a test that fails may panic"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rusqlite::Connection;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::digest::Key;
use crate::phrase::open_under_phrase;
use crate::rows::Table;
use crate::{Error, Store, Write};

const PASSPHRASE: &[u8] = b"correct horse";

/// A directory with a filled store, closed or as a crash would leave it, and the key to it.
struct Sample {
    dir: TempDir,
    data: [u8; 32],
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn private_dir() -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    dir
}

impl Sample {
    /// A few rows of every kind, some larger than a page.
    fn new() -> (Self, Store) {
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

    fn open(&self, dir: &Path) -> Result<Store, Error> {
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
fn dump(store: &Store) -> Result<Vec<String>, Error> {
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
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
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
fn directory(files: &BTreeMap<String, Vec<u8>>) -> TempDir {
    let dir = private_dir();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    dir
}

/// Opens a damaged copy: either an error, with every file as it was, or the values are all as they were.
/// Returns whether the damage was noticed.
fn is_noticed(
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

/// Threat: a flipped bit in any stored value: the table is named.
#[test]
fn a_flipped_bit_in_any_column_of_any_table_is_named() {
    let (sample, store) = Sample::new();
    store.close().unwrap();
    let whole = files(sample.dir.path());
    let mut tried = 0;
    for table in Table::ALL.map(Table::name).into_iter().chain(["head"]) {
        let dir = directory(&whole);
        let columns: Vec<String> = {
            let connection = Connection::open(dir.path().join("store.db")).unwrap();
            let statement = connection
                .prepare(&format!("SELECT * FROM {table}"))
                .unwrap();
            statement
                .column_names()
                .iter()
                .map(|name| (*name).to_owned())
                .collect()
        };
        for column in columns {
            let dir = directory(&whole);
            flip_in_column(dir.path(), table, &column);
            let error = sample.open(dir.path()).map(drop).unwrap_err();
            match error {
                // Its one row has to have the number 1, which SQLite's own check finds first.
                Error::Corrupt {
                    table: "database", ..
                } if column == "id" => {}
                Error::Corrupt { table: named, .. } => assert_eq!(named, table, "{column}"),
                other => panic!("{table} {column}: {other}"),
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 3 + 6 + 5 + 3 + 4 + 5 + 4);
}

/// Changes one bit of one column in one row, through SQL.
fn flip_in_column(dir: &Path, table: &str, column: &str) {
    let connection = Connection::open(dir.join("store.db")).unwrap();
    connection
        .pragma_update(None, "ignore_check_constraints", true)
        .unwrap();
    connection
        .pragma_update(None, "foreign_keys", false)
        .unwrap();
    let value: rusqlite::types::Value = connection
        .query_row(
            &format!("SELECT {column} FROM {table} LIMIT 1"),
            (),
            |row| row.get(0),
        )
        .unwrap();
    let flipped = match &value {
        rusqlite::types::Value::Integer(number) => rusqlite::types::Value::Integer(number ^ 0x4000),
        rusqlite::types::Value::Blob(bytes) => {
            let mut bytes = bytes.clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            rusqlite::types::Value::Blob(bytes)
        }
        rusqlite::types::Value::Text(text) => {
            let mut bytes = text.clone().into_bytes();
            bytes[0] ^= 1;
            rusqlite::types::Value::Text(String::from_utf8(bytes).unwrap())
        }
        other => panic!("{other:?}"),
    };
    // Every row whose column has this value: in a key that is enough, and needs no other key column.
    let sql = format!("UPDATE OR REPLACE {table} SET {column} = ?1 WHERE {column} = ?2");
    assert!(connection.execute(&sql, (flipped, value)).unwrap() > 0);
}

/// Threat: a row is taken out, or put back from an earlier time, with a MAC that is right.
#[test]
fn a_missing_or_stale_row_is_noticed() {
    let (sample, mut store) = Sample::new();
    let stale: (Vec<u8>, Vec<u8>) = store
        .connection
        .query_row(
            "SELECT value, mac FROM setting WHERE name = 'peer/1'",
            (),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let newer = Write::Setting {
        key: "peer/1".into(),
        value: vec![9; 9],
    };
    store.commit(vec![newer], &mut rng(1)).unwrap();
    store.close().unwrap();
    let whole = files(sample.dir.path());
    for sql in [
        "DELETE FROM log WHERE position = 5 AND incarnation = 3",
        "DELETE FROM setting",
        "DELETE FROM secret WHERE epoch = 2",
        "DELETE FROM head",
    ] {
        let dir = directory(&whole);
        Connection::open(dir.path().join("store.db"))
            .unwrap()
            .execute(sql, ())
            .unwrap();
        assert!(
            matches!(sample.open(dir.path()), Err(Error::Corrupt { .. })),
            "{sql}"
        );
    }
    let dir = directory(&whole);
    Connection::open(dir.path().join("store.db"))
        .unwrap()
        .execute(
            "UPDATE setting SET value = ?1, mac = ?2 WHERE name = 'peer/1'",
            stale,
        )
        .unwrap();
    assert!(matches!(
        sample.open(dir.path()),
        Err(Error::Corrupt { .. })
    ));
}

/// Threat: a flipped bit anywhere in any file of a store that was closed.
#[test]
fn a_flipped_bit_anywhere_in_the_files_is_noticed_or_changes_nothing() {
    let (sample, store) = Sample::new();
    let expected = dump(&store).unwrap();
    store.close().unwrap();
    let whole = files(sample.dir.path());
    assert!(!is_noticed(&sample, &whole, &expected, "undamaged"));
    let mut random = rng(2);
    let length = whole["store.db"].len();
    let header = (0..100).map(|offset| ("store.db", offset));
    let anywhere = (0..300).map(|_| ("store.db", random.next_u64() as usize % length));
    let mark = (0..40).step_by(5).map(|offset| ("store.mark", offset));
    let spots: Vec<(&str, usize)> = header.chain(anywhere).chain(mark).collect();
    let mut noticed = 0;
    for (file, offset) in &spots {
        let mut damaged = whole.clone();
        damaged.get_mut(*file).unwrap()[*offset] ^= 1 << (offset % 8);
        noticed += usize::from(is_noticed(
            &sample,
            &damaged,
            &expected,
            &format!("{file} at {offset}"),
        ));
    }
    assert!(noticed > spots.len() / 3, "{noticed} of {}", spots.len());
}

/// Threat: a flipped bit in the write-ahead log, or a cut one. SQLite takes both for a crash and drops
/// commits silently.
#[test]
fn a_damaged_write_ahead_log_is_noticed_or_changes_nothing() {
    let (sample, store) = Sample::new();
    let expected = dump(&store).unwrap();
    let crashed = files(sample.dir.path());
    let log = crashed["store.db-wal"].len();
    assert!(log > 40_000);
    assert!(!is_noticed(&sample, &crashed, &expected, "a crash alone"));
    let mut random = rng(3);
    for offset in (0..32).chain((0..120).map(|_| random.next_u64() as usize % log)) {
        let mut damaged = crashed.clone();
        damaged.get_mut("store.db-wal").unwrap()[offset] ^= 1 << (offset % 8);
        is_noticed(&sample, &damaged, &expected, &format!("log at {offset}"));
    }
    for length in [0, 1, 31, 32, 33, 5000, log / 2, log - 1] {
        let mut damaged = crashed.clone();
        damaged.get_mut("store.db-wal").unwrap().truncate(length);
        assert!(is_noticed(
            &sample,
            &damaged,
            &expected,
            &format!("log cut at {length}")
        ));
    }
    let mut damaged = crashed.clone();
    damaged.remove("store.db-wal");
    assert!(is_noticed(&sample, &damaged, &expected, "log removed"));
    drop(store);
}

/// What a power cut can leave: the newest mark was not written yet, the commits were.
#[test]
fn an_older_mark_is_no_damage() {
    let (sample, mut store) = Sample::new();
    let older = files(sample.dir.path())["store.mark"].clone();
    let newest = Write::Setting {
        key: "newest".into(),
        value: vec![1],
    };
    store.commit(vec![newest], &mut rng(1)).unwrap();
    let expected = dump(&store).unwrap();
    let mut crashed = files(sample.dir.path());
    crashed.insert("store.mark".into(), older);
    assert!(!is_noticed(&sample, &crashed, &expected, "older mark"));
    crashed.remove("store.mark");
    assert!(is_noticed(&sample, &crashed, &expected, "no mark"));
}

#[test]
fn a_cut_database_is_noticed() {
    let (sample, store) = Sample::new();
    let expected = dump(&store).unwrap();
    store.close().unwrap();
    let whole = files(sample.dir.path());
    let length = whole["store.db"].len();
    for kept in [
        0,
        1,
        50,
        99,
        100,
        4095,
        4096,
        8192,
        length / 2,
        length - 4096,
    ] {
        let mut damaged = whole.clone();
        damaged.get_mut("store.db").unwrap().truncate(kept);
        let what = format!("cut at {kept}");
        assert!(is_noticed(&sample, &damaged, &expected, &what), "{what}");
    }
    // A page that ends in unused zeros loses nothing with its last byte.
    let mut damaged = whole.clone();
    damaged.get_mut("store.db").unwrap().pop();
    is_noticed(&sample, &damaged, &expected, "last byte");
}

/// A full disk: the commit is refused as a whole, earlier data is intact, and later there is room again.
#[test]
fn a_full_disk_loses_nothing() {
    let (sample, mut store) = Sample::new();
    let expected = dump(&store).unwrap();
    let pages: i64 = store
        .connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let limit = |store: &Store, pages: i64| {
        store
            .connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .unwrap();
    };
    limit(&store, pages + 2);
    let large = || {
        vec![
            Write::Setting {
                key: "small".into(),
                value: vec![1; 10],
            },
            Write::Setting {
                key: "large".into(),
                value: vec![1; 100_000],
            },
        ]
    };
    assert!(matches!(
        store.commit(large(), &mut rng(1)),
        Err(Error::DiskFull)
    ));
    assert_eq!(dump(&store).unwrap(), expected);
    limit(&store, pages + 1000);
    store.commit(large(), &mut rng(1)).unwrap();
    let after = dump(&store).unwrap();
    drop(store);
    assert_eq!(
        dump(&sample.open(sample.dir.path()).unwrap()).unwrap(),
        after
    );
}

/// After an error whose outcome is unknown, nothing more is written.
#[test]
fn after_an_unknown_outcome_the_store_refuses_to_go_on() {
    let (_sample, mut store) = Sample::new();
    store
        .connection
        .execute(
            "UPDATE setting SET mac = zeroblob(32) WHERE name = 'peer/0'",
            (),
        )
        .unwrap();
    let write = || {
        vec![Write::Setting {
            key: "peer/0".into(),
            value: vec![],
        }]
    };
    assert!(matches!(
        store.commit(write(), &mut rng(1)),
        Err(Error::Corrupt {
            table: "setting",
            ..
        })
    ));
    assert!(matches!(
        store.commit(write(), &mut rng(1)),
        Err(Error::Broken)
    ));
    assert!(matches!(
        store.setting("peer/0"),
        Err(Error::Corrupt { .. })
    ));
}

/// Threat: the database is another program's; SQLite itself would recover into it.
#[test]
fn a_foreign_database_is_named_and_not_touched() {
    let (sample, store) = Sample::new();
    store.close().unwrap();
    let ours = files(sample.dir.path());
    let other = {
        let dir = private_dir();
        let connection = Connection::open(dir.path().join("store.db")).unwrap();
        connection.execute("CREATE TABLE log (a)", ()).unwrap();
        drop(connection);
        files(dir.path())["store.db"].clone()
    };
    let mut marked = other.clone();
    marked[60..64].copy_from_slice(&1u32.to_be_bytes());
    marked[68..72].copy_from_slice(&crate::schema::APPLICATION_ID.to_be_bytes());
    let mut newer = ours["store.db"].clone();
    newer[60..64].copy_from_slice(&9u32.to_be_bytes());
    for (database, expected) in [
        (b"".to_vec(), "too short"),
        (b"my diary".repeat(100), "not a SQLite database"),
        (other, "application id"),
        (marked, "damaged at database"),
        (newer, "format 9"),
    ] {
        let dir = directory(&BTreeMap::from([("store.db".to_owned(), database.clone())]));
        let error = sample.open(dir.path()).map(drop).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read(dir.path().join("store.db")).unwrap(), database);
    }
    let mut with_journal = ours.clone();
    with_journal.insert("store.db-journal".into(), vec![0xd9; 600]);
    let dir = directory(&with_journal);
    assert!(matches!(
        sample.open(dir.path()),
        Err(Error::ForeignDatabase { .. })
    ));
    assert_eq!(files(dir.path()), with_journal);
}

/// A process killed while it made the store: what it left is no store, and does not hinder the next try.
#[test]
fn an_interrupted_init_can_be_repeated() {
    let parent = private_dir();
    let dir = parent.path().join("node");
    fs::DirBuilder::new().mode(0o700).create(&dir).unwrap();
    for name in [
        "store.lock",
        "store.mark",
        "store.db.new",
        "store.db.new-wal",
        "store.db.new-journal",
    ] {
        fs::write(dir.join(name), b"half").unwrap();
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert!(matches!(
        Store::open(&dir, PASSPHRASE),
        Err(Error::NotInitialised { .. })
    ));
    let store = Store::init(&dir, PASSPHRASE, &mut rng(1)).unwrap();
    assert_eq!(files(&dir)["store.mark"].len(), 40);
    drop(store);
    let names: Vec<String> = files(&dir).into_keys().collect();
    assert!(!names.iter().any(|name| name.contains("new")), "{names:?}");
}
