//! Flipped bits, missing rows, cut files.

use std::path::Path;

use rand_chacha::rand_core::RngCore;
use rusqlite::Connection;

use super::sample::{Sample, directory, dump, files, is_noticed, rng};
use crate::commit::sealing_aad;
use crate::digest::RowSum;
use crate::rows::{RowKey, Rows, Table};
use crate::sealing::open;
use crate::{Error, Write};

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

/// Threat: a sealed secret moved to another name, epoch or vault (the row's own MAC made to fit): what
/// is sealed says where it belongs.
#[test]
fn a_sealed_secret_opens_only_where_it_was_sealed() {
    let (_sample, mut store) = Sample::new();
    let secret = |name: &str| Write::Secret {
        vault: [1; 32],
        name: name.into(),
        epoch: 0,
        plain: zeroize::Zeroizing::new(name.as_bytes().to_vec()),
    };
    store
        .commit(vec![secret("mine"), secret("other")], &mut rng(5))
        .unwrap();
    let rows = Rows {
        connection: &store.connection,
        keys: &store.keys,
    };
    let key = RowKey::secret(&[1; 32], "mine", 0);
    let sealed = rows.find(Table::Secret, &key).unwrap().unwrap();
    rows.put(
        &mut { RowSum::EMPTY },
        Table::Secret,
        &RowKey::secret(&[1; 32], "other", 0),
        &sealed,
    )
    .unwrap();
    assert!(matches!(
        store.secret(&[1; 32], "other", 0),
        Err(Error::Corrupt {
            table: "secret",
            ..
        })
    ));

    let wrapping = rows.wrapping_key(&[1; 32], 0).unwrap().unwrap();
    assert!(open(&wrapping, &sealing_aad(Table::Secret, &key), &sealed).is_some());
    for elsewhere in [
        sealing_aad(Table::Epoch, &key),
        sealing_aad(Table::Secret, &RowKey::secret(&[1; 32], "mine", 1)),
        sealing_aad(Table::Secret, &RowKey::secret(&[2; 32], "mine", 0)),
    ] {
        assert!(open(&wrapping, &elsewhere, &sealed).is_none());
    }
    let other_epoch = rows.wrapping_key(&[1; 32], 2).unwrap().unwrap();
    assert!(open(&other_epoch, &sealing_aad(Table::Secret, &key), &sealed).is_none());
}
