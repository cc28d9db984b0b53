//! Golden encodings: what earlier builds left on disks. A change here needs a new format version.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use quorate_store::{Store, Write, open_with_pin, seal_with_pin};
use zeroize::Zeroizing;

use crate::common::{PASSPHRASE, VAULT, entry, place, rng, setting};

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/format-1");

fn writes() -> Vec<Write> {
    vec![
        entry(0, b"entry"),
        Write::Checkpoint {
            vault: VAULT,
            author: [2; 32],
            incarnation: 0,
            note: b"note".to_vec(),
        },
        setting("peer/ben", b"card"),
        Write::Secret {
            vault: VAULT,
            name: "share".into(),
            epoch: 3,
            plain: Zeroizing::new(b"secret".to_vec()),
        },
    ]
}

fn check(store: &Store) {
    assert_eq!(store.logs(&VAULT).unwrap()[0].entry, b"entry");
    assert_eq!(store.checkpoints(&VAULT).unwrap()[0].note, b"note");
    assert_eq!(store.setting("peer/ben").unwrap().unwrap(), b"card");
    assert_eq!(
        store
            .secret(&VAULT, "share", 3)
            .unwrap()
            .unwrap()
            .as_slice(),
        b"secret"
    );
}

/// A store that was made by the build that fixed format 1 opens and reads.
#[test]
fn a_store_of_format_1_opens() {
    let (_parent, dir) = place();
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, Permissions::from_mode(0o700)).unwrap();
    for name in ["store.db", "store.mark"] {
        fs::copy(Path::new(DIR).join(name), dir.join(name)).unwrap();
        fs::set_permissions(dir.join(name), Permissions::from_mode(0o600)).unwrap();
    }
    check(&Store::open(&dir, PASSPHRASE).unwrap());
}

/// The same randomness makes the same rows, so nothing is encoded otherwise than it was.
#[test]
fn the_same_store_is_still_made() {
    let (_parent, dir) = place();
    let mut store = Store::init(&dir, PASSPHRASE, &mut rng(1)).unwrap();
    store.commit(writes(), &mut rng(2)).unwrap();
    check(&store);
    store.close().unwrap();
    assert_eq!(
        fs::read(dir.join("store.mark")).unwrap(),
        fs::read(Path::new(DIR).join("store.mark")).unwrap()
    );
    assert_eq!(rows(&dir), rows(Path::new(DIR)));
}

/// Every row of every table, as text.
fn rows(dir: &Path) -> Vec<String> {
    let (_parent, copy) = place();
    fs::copy(dir.join("store.db"), &copy).unwrap();
    let connection = rusqlite::Connection::open(&copy).unwrap();
    let mut all = Vec::new();
    for table in [
        "meta",
        "head",
        "log",
        "checkpoint",
        "setting",
        "epoch",
        "secret",
    ] {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let width = statement.column_count();
        let mut found = statement.query(()).unwrap();
        while let Some(row) = found.next().unwrap() {
            let columns: Vec<rusqlite::types::Value> =
                (0..width).map(|at| row.get(at).unwrap()).collect();
            all.push(format!("{table} {columns:?}"));
        }
    }
    all
}

#[test]
fn pin_seal() {
    let sealed = seal_with_pin(b"4821", b"device key", b"aad", &mut rng(1)).unwrap();
    let golden = include_str!("../golden/pin-seal.hex").trim_end();
    assert_eq!(
        sealed
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
        golden
    );
    assert_eq!(
        open_with_pin(b"4821", &sealed, b"aad").unwrap().as_slice(),
        b"device key"
    );
}
