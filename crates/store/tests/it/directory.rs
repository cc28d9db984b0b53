//! The directory: modes, lock, passphrase.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use quorate_store::{Error, Store};

use crate::common::{PASSPHRASE, fresh, place, rng, setting};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Threat: a permissive umask. Nothing is ever looser than 0700 and 0600.
#[test]
fn directory_and_files_are_private_whatever_the_umask() {
    rustix::process::umask(rustix::fs::Mode::empty());
    let (_parent, dir, mut store) = fresh();
    store.commit(vec![setting("a", b"b")], &mut rng(2)).unwrap();
    assert_eq!(mode(&dir), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.path());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(
        names,
        ["store.db", "store.db-wal", "store.lock", "store.mark"]
    );
}

#[test]
fn looser_modes_are_refused_by_name() {
    let (_parent, dir, store) = fresh();
    store.close().unwrap();
    for (path, loose, want) in [
        (dir.clone(), 0o750, 0o700),
        (dir.join("store.db"), 0o640, 0o600),
        (dir.join("store.db"), 0o700, 0o600),
        (dir.join("store.lock"), 0o604, 0o600),
        (dir.join("store.mark"), 0o660, 0o600),
        (dir.join("store.db-wal"), 0o666, 0o600),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(loose)).unwrap();
        match Store::open(&dir, PASSPHRASE).unwrap_err() {
            Error::LoosePermissions {
                path: named,
                mode,
                want: wanted,
            } => {
                assert_eq!((named, mode, wanted), (path.clone(), loose, want));
            }
            other => panic!("{other}"),
        }
        fs::set_permissions(&path, Permissions::from_mode(want)).unwrap();
    }
    Store::open(&dir, PASSPHRASE).unwrap();
}

#[test]
fn a_loose_directory_is_refused_before_anything_is_put_in_it() {
    let (_parent, dir) = place();
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(
        Store::init(&dir, PASSPHRASE, &mut rng(1)),
        Err(Error::LoosePermissions { .. })
    ));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
}

/// Threat: the database replaced by a link to somewhere else.
#[test]
fn a_link_is_no_store() {
    let (_parent, dir, store) = fresh();
    store.close().unwrap();
    let elsewhere = dir.with_extension("moved");
    fs::rename(dir.join("store.db"), &elsewhere).unwrap();
    symlink(&elsewhere, dir.join("store.db")).unwrap();
    assert!(matches!(
        Store::open(&dir, PASSPHRASE),
        Err(Error::ForeignDatabase { .. })
    ));
}

#[test]
fn only_one_process_has_it() {
    let (_parent, dir, store) = fresh();
    assert!(matches!(
        Store::open(&dir, PASSPHRASE),
        Err(Error::Locked { .. })
    ));
    assert!(matches!(
        Store::init(&dir, PASSPHRASE, &mut rng(1)),
        Err(Error::Locked { .. })
    ));
    drop(store);
    Store::open(&dir, PASSPHRASE).unwrap();
}

#[test]
fn what_is_there_or_not_is_named() {
    let (_parent, dir) = place();
    assert!(matches!(
        Store::open(&dir, PASSPHRASE),
        Err(Error::NotInitialised { .. })
    ));
    assert!(!dir.exists(), "looking makes nothing");
    assert!(matches!(
        Store::init(&dir, b"", &mut rng(1)),
        Err(Error::EmptyPassphrase)
    ));
    drop(Store::init(&dir, PASSPHRASE, &mut rng(1)).unwrap());
    let before = fs::read(dir.join("store.db")).unwrap();
    assert!(matches!(
        Store::init(&dir, b"other", &mut rng(2)),
        Err(Error::AlreadyInitialised { .. })
    ));
    assert_eq!(fs::read(dir.join("store.db")).unwrap(), before);
}

#[test]
fn a_wrong_passphrase_is_named_and_changes_nothing() {
    let (_parent, dir, mut store) = fresh();
    store.commit(vec![setting("a", b"b")], &mut rng(2)).unwrap();
    drop(store);
    let before = fs::read(dir.join("store.db")).unwrap();
    for wrong in [b"correct horsf".as_slice(), b"correct horse ", b""] {
        assert!(matches!(
            Store::open(&dir, wrong),
            Err(Error::WrongPassphrase)
        ));
    }
    assert_eq!(fs::read(dir.join("store.db")).unwrap(), before);
    assert_eq!(
        Store::open(&dir, PASSPHRASE)
            .unwrap()
            .setting("a")
            .unwrap()
            .unwrap(),
        b"b"
    );
}

#[test]
fn every_error_says_what_to_do() {
    let (_parent, dir) = place();
    let error = Store::open(&dir, PASSPHRASE).unwrap_err().to_string();
    assert!(error.contains("quorate node init"), "{error}");
    let loose = Error::LoosePermissions {
        path: "/x".into(),
        mode: 0o755,
        want: 0o700,
    }
    .to_string();
    assert_eq!(
        loose,
        "/x has mode 0755, others could read it. Run `chmod 700 /x`"
    );
}
