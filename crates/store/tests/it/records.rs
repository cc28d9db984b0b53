//! Records: order, atomicity, limits.

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use quorate_store::{
    CheckpointRecord, Error, LogRecord, MAX_NAME_BYTES, MAX_RECORD_BYTES, MAX_SECRET_BYTES,
    MAX_WRITES, Store, Write,
};
use zeroize::Zeroizing;

use crate::common::{PASSPHRASE, VAULT, entry, fresh, rng, setting};

#[test]
fn everything_reads_back_in_order_also_after_reopening() {
    let (_parent, dir, mut store) = fresh();
    let log = |author: u8, incarnation, position: u64| Write::Log {
        vault: VAULT,
        author: [author; 32],
        incarnation,
        position,
        entry: vec![author, position as u8],
    };
    let order = [
        (2, 0, 1),
        (2, 0, 0),
        (9, 1, 0),
        (2, 1, 0),
        (2, 0, 300),
        (2, 0, 2),
        (9, 0, 0),
    ];
    let mut writes: Vec<Write> = order
        .iter()
        .map(|(author, inc, position)| log(*author, *inc, *position))
        .collect();
    writes.push(Write::Log {
        vault: [7; 32],
        author: [2; 32],
        incarnation: 0,
        position: 0,
        entry: vec![],
    });
    writes.push(Write::Checkpoint {
        vault: VAULT,
        author: [9; 32],
        incarnation: 0,
        note: b"old".to_vec(),
    });
    writes.push(Write::Checkpoint {
        vault: VAULT,
        author: [2; 32],
        incarnation: 1,
        note: b"b".to_vec(),
    });
    writes.push(Write::Checkpoint {
        vault: VAULT,
        author: [9; 32],
        incarnation: 0,
        note: b"new".to_vec(),
    });
    writes.extend(["peer/b", "chain/1", "peer/a", "peers"].map(|key| setting(key, key.as_bytes())));
    store.commit(writes, &mut rng(2)).unwrap();
    check(&store);
    drop(store);
    check(&Store::open(&dir, PASSPHRASE).unwrap());
}

fn check(store: &Store) {
    let found: Vec<(u8, u64, u64)> = store
        .logs(&VAULT)
        .unwrap()
        .iter()
        .map(|log| (log.author[0], log.incarnation, log.position))
        .collect();
    assert_eq!(
        found,
        [
            (2, 0, 0),
            (2, 0, 1),
            (2, 0, 2),
            (2, 0, 300),
            (2, 1, 0),
            (9, 0, 0),
            (9, 1, 0)
        ]
    );
    assert_eq!(
        store.logs(&VAULT).unwrap()[1],
        LogRecord {
            author: [2; 32],
            incarnation: 0,
            position: 1,
            entry: vec![2, 1]
        }
    );
    let checkpoint = |author, incarnation, note: &[u8]| CheckpointRecord {
        author: [author; 32],
        incarnation,
        note: note.to_vec(),
    };
    assert_eq!(
        store.checkpoints(&VAULT).unwrap(),
        [checkpoint(2, 1, b"b"), checkpoint(9, 0, b"new")]
    );
    assert_eq!(store.vaults().unwrap(), [VAULT, [7; 32]]);
    let names: Vec<String> = store
        .settings("peer/")
        .unwrap()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["peer/a", "peer/b"]);
    assert_eq!(store.settings("").unwrap().len(), 4);
    assert_eq!(store.setting("chain/1").unwrap().unwrap(), b"chain/1");
    assert_eq!(store.setting("chain/2").unwrap(), None);
    assert!(store.logs(&[8; 32]).unwrap().is_empty());
}

/// Threat: a log rewritten by a bug or a restored member.
#[test]
fn a_log_position_is_written_once() {
    let (_parent, _dir, mut store) = fresh();
    store.commit(vec![entry(0, b"first")], &mut rng(2)).unwrap();
    store
        .commit(vec![entry(0, b"first"), entry(1, b"second")], &mut rng(2))
        .unwrap();
    let conflict = store
        .commit(vec![entry(2, b"third"), entry(1, b"other")], &mut rng(2))
        .unwrap_err();
    assert!(matches!(
        conflict,
        Error::LogConflict {
            vault: VAULT,
            incarnation: 0,
            position: 1,
            ..
        }
    ));
    let found: Vec<Vec<u8>> = store
        .logs(&VAULT)
        .unwrap()
        .into_iter()
        .map(|log| log.entry)
        .collect();
    assert_eq!(
        found,
        [b"first".to_vec(), b"second".to_vec()],
        "the third went with its commit"
    );
    store.commit(vec![entry(2, b"third")], &mut rng(2)).unwrap();
}

#[test]
fn later_writes_of_a_commit_see_earlier_ones() {
    let (_parent, _dir, mut store) = fresh();
    let writes = vec![
        setting("a", b"1"),
        setting("a", b"2"),
        setting("b", b"1"),
        Write::DeleteSetting { key: "b".into() },
        Write::DeleteSetting {
            key: "never".into(),
        },
        Write::Checkpoint {
            vault: VAULT,
            author: [1; 32],
            incarnation: 0,
            note: vec![1],
        },
        Write::DeleteCheckpoint {
            vault: VAULT,
            author: [1; 32],
            incarnation: 0,
        },
    ];
    store.commit(writes, &mut rng(2)).unwrap();
    assert_eq!(
        store.settings("").unwrap(),
        [("a".to_owned(), b"2".to_vec())]
    );
    assert!(store.checkpoints(&VAULT).unwrap().is_empty());
    store.commit(vec![], &mut rng(2)).unwrap();
}

#[test]
fn limits_are_refused_before_anything_is_written() {
    let (_parent, _dir, mut store) = fresh();
    let secret = |name: String, epoch, len| Write::Secret {
        vault: VAULT,
        name,
        epoch,
        plain: Zeroizing::new(vec![0; len]),
    };
    for write in [
        entry(0, &vec![0; MAX_RECORD_BYTES + 1]),
        entry(u64::MAX, b""),
        setting(&"k".repeat(MAX_NAME_BYTES + 1), b""),
        setting("k", &vec![0; MAX_RECORD_BYTES + 1]),
        secret("s".into(), u64::MAX, 1),
        secret("s".repeat(MAX_NAME_BYTES + 1), 0, 1),
        secret("s".into(), 0, MAX_SECRET_BYTES + 1),
        Write::Checkpoint {
            vault: VAULT,
            author: [1; 32],
            incarnation: 1 << 63,
            note: vec![],
        },
    ] {
        let refused = store.commit(vec![setting("first", b"1"), write], &mut rng(2));
        assert!(
            matches!(refused, Err(Error::TooLarge { .. })),
            "{refused:?}"
        );
    }
    let many = (0..=MAX_WRITES).map(|_| setting("k", b"")).collect();
    assert!(matches!(
        store.commit(many, &mut rng(2)),
        Err(Error::TooLarge { .. })
    ));
    assert!(store.settings("").unwrap().is_empty());
    let largest = entry(i64::MAX as u64, &vec![7; MAX_RECORD_BYTES]);
    store.commit(vec![largest], &mut rng(2)).unwrap();
    assert_eq!(store.logs(&VAULT).unwrap()[0].entry.len(), MAX_RECORD_BYTES);
}

/// What is not a name in the shell or SQL is one here.
#[test]
fn names_are_bytes_of_text_and_nothing_more() {
    let (_parent, dir, mut store) = fresh();
    let names = ["", "'; DROP TABLE log; --", "ä/ß", "a\nb", "%", "_"];
    store
        .commit(
            names
                .iter()
                .map(|name| setting(name, name.as_bytes()))
                .collect(),
            &mut rng(2),
        )
        .unwrap();
    drop(store);
    let store = Store::open(&dir, PASSPHRASE).unwrap();
    for name in names {
        assert_eq!(store.setting(name).unwrap().unwrap(), name.as_bytes());
    }
    assert_eq!(store.settings("%").unwrap().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    /// The store against a map: any history of settings reads back, before and after reopening.
    #[test]
    fn settings_behave_as_a_map(
        history in proptest::collection::vec((0u8..6, proptest::option::of(any::<Vec<u8>>()), any::<bool>()), 1..40),
    ) {
        let (_parent, dir, mut store) = fresh();
        let mut model = std::collections::BTreeMap::new();
        let mut batch = Vec::new();
        for (key, value, commit) in history {
            let key = format!("k{key}");
            match value {
                Some(value) => {
                    model.insert(key.clone(), value.clone());
                    batch.push(Write::Setting { key, value });
                }
                None => {
                    model.remove(&key);
                    batch.push(Write::DeleteSetting { key });
                }
            }
            if commit {
                store.commit(std::mem::take(&mut batch), &mut rng(2)).unwrap();
            }
        }
        store.commit(batch, &mut rng(2)).unwrap();
        let expected: Vec<(String, Vec<u8>)> = model.into_iter().collect();
        prop_assert_eq!(store.settings("").unwrap(), expected.clone());
        drop(store);
        prop_assert_eq!(Store::open(&dir, PASSPHRASE).unwrap().settings("").unwrap(), expected);
    }
}
