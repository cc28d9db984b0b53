//! Secrets: sealing, erasing, passphrase and PIN.

use std::fs;
use std::path::Path;

use quorate_store::{Error, SecretName, Store, Write, open_with_pin, seal_with_pin};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::common::{PASSPHRASE, VAULT, fresh, holds, place, rng, setting};

const CANARY: &[u8] = b"a share of a key that never exists";

fn secret(name: &str, epoch: u64, plain: &[u8]) -> Write {
    Write::Secret {
        vault: VAULT,
        name: name.into(),
        epoch,
        plain: Zeroizing::new(plain.to_vec()),
    }
}

fn read(store: &Store, name: &str, epoch: u64) -> Option<Vec<u8>> {
    store
        .secret(&VAULT, name, epoch)
        .unwrap()
        .map(|plain| plain.to_vec())
}

/// Threat: a stolen disk. Neither secret nor passphrase is in any file, nor in anything printed.
#[test]
fn secrets_are_sealed_and_read_back() {
    let (_parent, dir, mut store) = fresh();
    let writes = || {
        vec![
            secret("share", 0, CANARY),
            secret("share", 1, b"next"),
            secret("device", 0, b""),
        ]
    };
    let shown = format!("{:?}", writes());
    assert!(
        !shown.contains("never exists") && shown.contains("redacted"),
        "{shown}"
    );
    store.commit(writes(), &mut rng(2)).unwrap();
    assert!(!holds(&dir, CANARY) && !holds(&dir, PASSPHRASE));
    drop(store);
    assert!(!holds(&dir, CANARY) && !holds(&dir, PASSPHRASE));
    let store = Store::open(&dir, PASSPHRASE).unwrap();
    assert_eq!(read(&store, "share", 0).unwrap(), CANARY);
    assert_eq!(read(&store, "share", 1).unwrap(), b"next");
    assert_eq!(read(&store, "device", 0).unwrap(), b"");
    assert_eq!(read(&store, "share", 2), None);
    let name = |name: &str, epoch| SecretName {
        name: name.into(),
        epoch,
    };
    assert_eq!(
        store.secret_names(&VAULT).unwrap(),
        [name("device", 0), name("share", 0), name("share", 1)]
    );
    assert_eq!(store.vaults().unwrap(), [VAULT]);
}

/// Erasing an epoch takes its wrapping key out of every file, and leaves other epochs alone.
#[test]
fn an_erased_epoch_is_gone_from_every_file() {
    let (_parent, dir, mut store) = fresh();
    let many = (0..50).map(|n| secret(&format!("share {n}"), 4, CANARY));
    store
        .commit(
            many.chain([secret("share", 5, b"kept")]).collect(),
            &mut rng(2),
        )
        .unwrap();
    store
        .commit(vec![setting("between", b"1")], &mut rng(3))
        .unwrap();
    let wrapped = wrapped_key_of(&dir, 4);
    assert!(holds(&dir, &wrapped));
    store
        .commit(
            vec![Write::EraseEpoch {
                vault: VAULT,
                epoch: 4,
            }],
            &mut rng(2),
        )
        .unwrap();
    assert!(!holds(&dir, &wrapped), "at once, not at the next start");
    assert_eq!(read(&store, "share 7", 4), None);
    assert_eq!(read(&store, "share", 5).unwrap(), b"kept");
    store
        .commit(
            vec![Write::EraseEpoch {
                vault: VAULT,
                epoch: 4,
            }],
            &mut rng(2),
        )
        .unwrap();
    // The same number again is another key.
    store
        .commit(vec![secret("share", 4, b"new")], &mut rng(7))
        .unwrap();
    assert_ne!(wrapped_key_of(&dir, 4), wrapped);
    assert!(!holds(&dir, &wrapped));
}

/// The sealed wrapping key of an epoch, read from a copy of the files.
fn wrapped_key_of(dir: &Path, epoch: i64) -> Vec<u8> {
    copied(dir)
        .1
        .query_row("SELECT value FROM epoch WHERE epoch = ?1", [epoch], |row| {
            row.get(0)
        })
        .unwrap()
}

/// A copy of the files, opened without the store.
fn copied(dir: &Path) -> (TempDir, rusqlite::Connection) {
    let (parent, copy) = place();
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let connection = rusqlite::Connection::open(copy.join("store.db")).unwrap();
    (parent, connection)
}

/// Threat: the old PIN opens an old copy of the device key, left behind in the write-ahead log.
#[test]
fn a_replaced_or_removed_secret_is_gone_from_every_file() {
    let (_parent, dir, mut store) = fresh();
    store
        .commit(
            vec![secret("a", 0, b"1"), secret("b", 0, b"2")],
            &mut rng(2),
        )
        .unwrap();
    let old = ["a", "b"].map(|name| sealed_secret(&dir, name));
    assert!(old.iter().all(|sealed| holds(&dir, sealed)));
    store
        .commit(vec![secret("a", 0, b"3")], &mut rng(3))
        .unwrap();
    let delete = Write::DeleteSecret {
        vault: VAULT,
        name: "b".into(),
        epoch: 0,
    };
    store.commit(vec![delete], &mut rng(3)).unwrap();
    assert!(!old.iter().any(|sealed| holds(&dir, sealed)));
    assert_eq!(
        (read(&store, "a", 0).unwrap(), read(&store, "b", 0)),
        (b"3".to_vec(), None)
    );
}

/// A sealed secret, read from a copy of the files.
fn sealed_secret(dir: &Path, name: &str) -> Vec<u8> {
    copied(dir)
        .1
        .query_row("SELECT value FROM secret WHERE name = ?1", [name], |row| {
            row.get(0)
        })
        .unwrap()
}

/// Changing the passphrase wraps the data key anew; the old wrapping is gone from the files.
#[test]
fn a_changed_passphrase_replaces_the_old_one() {
    let (_parent, dir, mut store) = fresh();
    store
        .commit(vec![secret("share", 0, CANARY)], &mut rng(2))
        .unwrap();
    let refused = store
        .change_passphrase(b"wrong", b"new", &mut rng(3))
        .unwrap_err();
    assert!(matches!(refused, Error::WrongPassphrase));
    assert!(matches!(
        store.change_passphrase(PASSPHRASE, b"", &mut rng(3)),
        Err(Error::EmptyPassphrase)
    ));
    let slot: Vec<u8> = copied(&dir)
        .1
        .query_row("SELECT value FROM meta", (), |row| row.get(0))
        .unwrap();
    let salt_and_nonce = slot[13..57].to_vec();
    assert!(holds(&dir, &salt_and_nonce));
    store
        .change_passphrase(PASSPHRASE, b"new", &mut rng(3))
        .unwrap();
    assert!(!holds(&dir, &salt_and_nonce));
    assert!(store.check_passphrase(b"new").is_ok());
    assert!(matches!(
        store.check_passphrase(PASSPHRASE),
        Err(Error::WrongPassphrase)
    ));
    drop(store);
    assert!(matches!(
        Store::open(&dir, PASSPHRASE),
        Err(Error::WrongPassphrase)
    ));
    assert_eq!(
        read(&Store::open(&dir, b"new").unwrap(), "share", 0).unwrap(),
        CANARY
    );
}

#[test]
fn a_pin_opens_only_its_own_secret() {
    let sealed = seal_with_pin(b"4821", CANARY, b"device key of Ana", &mut rng(1)).unwrap();
    assert_eq!(
        open_with_pin(b"4821", &sealed, b"device key of Ana")
            .unwrap()
            .as_slice(),
        CANARY
    );
    for (pin, aad) in [
        (b"4822".as_slice(), b"device key of Ana".as_slice()),
        (b"4821", b"device key of Ben"),
        (b"", b""),
    ] {
        assert!(matches!(
            open_with_pin(pin, &sealed, aad),
            Err(Error::WrongPin)
        ));
    }
    assert!(matches!(
        seal_with_pin(b"", CANARY, b"", &mut rng(1)),
        Err(Error::EmptyPassphrase)
    ));
    assert!(!sealed.windows(8).any(|window| CANARY.starts_with(window)));
}

/// Threat: damage is not mistaken for a wrong PIN, so that nobody types it again and again.
#[test]
fn damage_is_told_from_a_wrong_pin() {
    let sealed = seal_with_pin(b"4821", CANARY, b"", &mut rng(1)).unwrap();
    for index in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[index] ^= 1 << (index % 8);
        assert!(
            matches!(
                open_with_pin(b"4821", &damaged, b""),
                Err(Error::Corrupt { .. })
            ),
            "byte {index}"
        );
    }
    for len in 0..sealed.len() {
        assert!(
            matches!(
                open_with_pin(b"4821", &sealed[..len], b""),
                Err(Error::Corrupt { .. })
            ),
            "cut at {len}"
        );
    }
}

/// Threat: weak or ruinous Argon2 parameters, with a checksum that fits.
#[test]
fn parameters_outside_the_accepted_range_are_refused() {
    use sha2::{Digest, Sha256};
    let sealed = seal_with_pin(b"4821", CANARY, b"", &mut rng(1)).unwrap();
    for (offset, value) in [
        (1, 64 * 1024 - 1),
        (1, u32::MAX),
        (5, 2),
        (5, 1000),
        (9, 0),
        (9, 5),
    ] {
        let mut weak = sealed[..sealed.len() - 32].to_vec();
        weak[offset..offset + 4].copy_from_slice(&u32::to_be_bytes(value));
        let checksum = Sha256::digest(&weak);
        weak.extend_from_slice(&checksum);
        assert!(
            matches!(
                open_with_pin(b"4821", &weak, b""),
                Err(Error::Sealing { .. })
            ),
            "{offset} {value}"
        );
    }
}
