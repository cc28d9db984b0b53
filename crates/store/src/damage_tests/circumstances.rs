//! A full disk, a foreign file, an interrupted start.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

use rusqlite::Connection;

use super::sample::{PASSPHRASE, Sample, directory, dump, files, private_dir, rng};
use crate::{Error, Store, Write};

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
