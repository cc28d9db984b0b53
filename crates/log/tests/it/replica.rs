//! Appending, signing, replicating: what is new, what is refused, and that a refusal changes nothing.

use ed25519_dalek::SigningKey;
use quorate_log::{
    Batch, Error, Extended, Log, MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, MAX_ENTRY_BYTES, NoteError,
    Origin, Standing,
};

use crate::{empty, entries, follow, key, origin, replica_of, signed};

fn extend(log: &mut Log, batch: &Batch) -> Result<Extended, Error> {
    log.extend(batch.from, &batch.entries, &batch.checkpoint)
}

/// Extends and holds that a refusal leaves the log as it was.
fn refuse(log: &mut Log, batch: &Batch) -> Error {
    let before = (
        log.entries().to_vec(),
        log.tree().clone(),
        log.checkpoint().cloned(),
    );
    let error = extend(log, batch).unwrap_err();
    assert_eq!(
        before,
        (
            log.entries().to_vec(),
            log.tree().clone(),
            log.checkpoint().cloned()
        )
    );
    error
}

#[test]
fn a_replica_follows_its_author() {
    let mut author = signed(&["a", "b"]);
    let mut replica = empty();
    let batch = author.batch(0).unwrap();
    assert_eq!(
        extend(&mut replica, &batch).unwrap(),
        Extended { new: 2, size: 2 }
    );
    assert_eq!(
        extend(&mut replica, &batch).unwrap(),
        Extended { new: 0, size: 2 }
    );
    assert_eq!(author.append(b"c".to_vec()).unwrap(), 2);
    assert!(
        author.batch(2).is_none(),
        "an unsigned entry is not passed on"
    );
    author.sign_checkpoint(&key()).unwrap();
    // With an overlap, as after a lost answer.
    let overlapping = author.batch(1).unwrap();
    assert_eq!(
        extend(&mut replica, &overlapping).unwrap(),
        Extended { new: 1, size: 3 }
    );
    assert_eq!(replica.entries(), author.entries());
    assert_eq!(replica.tree().root(), author.tree().root());
    assert_eq!(replica.checkpoint(), author.checkpoint());
    assert_eq!(replica.entry(2), Some(b"c".as_slice()));
    assert_eq!(replica.entry(3), None);
    assert!(replica.batch(3).is_none());
    assert!(replica.batch(u64::MAX).is_none());
}

#[test]
fn an_old_batch_is_nothing_new() {
    let mut author = signed(&["a"]);
    let old = author.batch(0).unwrap();
    author.append(b"b".to_vec()).unwrap();
    author.sign_checkpoint(&key()).unwrap();
    let mut replica = replica_of(&author);
    assert_eq!(
        extend(&mut replica, &old).unwrap(),
        Extended { new: 0, size: 2 }
    );
    assert_eq!(replica.signed_size(), 2);
    assert_eq!(replica.compare(&old.checkpoint).unwrap(), Standing::Held);
}

/// Threat: a relay or member that alters, reorders, drops or adds entries on the way.
#[test]
fn tampered_entries_are_refused() {
    let author = signed(&["a", "b", "c"]);
    let batch = author.batch(0).unwrap();
    let tamper = |change: &dyn Fn(&mut Batch)| {
        let mut bad = batch.clone();
        change(&mut bad);
        refuse(&mut empty(), &bad)
    };
    assert!(matches!(tamper(&|b| b.entries[1][0] ^= 1), Error::Mismatch));
    assert!(matches!(tamper(&|b| b.entries.swap(0, 1)), Error::Mismatch));
    assert!(matches!(tamper(&|b| b.entries[0].push(0)), Error::Mismatch));
    assert!(matches!(
        tamper(&|b| _ = b.entries.pop()),
        Error::CheckpointSize {
            covered: 3,
            offered: 2
        }
    ));
    assert!(matches!(
        tamper(&|b| b.entries.push(vec![])),
        Error::CheckpointSize {
            covered: 3,
            offered: 4
        }
    ));
    assert!(matches!(
        tamper(&|b| b.from = 1),
        Error::Gap { from: 1, size: 0 }
    ));
    assert!(matches!(tamper(&|b| b.from = u64::MAX), Error::Gap { .. }));
}

/// Threat: a member without the author's key invents what contradicts the author; the author must not be blamed.
#[test]
fn a_lie_over_held_entries_is_the_senders_not_a_fork() {
    let mut author = signed(&["a", "b"]);
    let mut replica = replica_of(&author);
    author.append(b"c".to_vec()).unwrap();
    author.sign_checkpoint(&key()).unwrap();
    let mut batch = author.batch(0).unwrap();
    batch.entries[1] = b"x".to_vec();
    assert!(matches!(refuse(&mut replica, &batch), Error::Mismatch));
    follow(&mut replica, &author);
    assert_eq!(replica.size(), 3);
}

#[test]
fn checkpoints_of_others_are_refused() {
    let mut replica = empty();
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let mut forged = Log::new(origin(), stranger.verifying_key());
    forged.append(b"a".to_vec()).unwrap();
    forged.sign_checkpoint(&stranger).unwrap();
    let batch = forged.batch(0).unwrap();
    assert!(matches!(
        refuse(&mut replica, &batch),
        Error::Note(NoteError::Unsigned)
    ));
    for other in [
        Origin {
            incarnation: 1,
            ..origin()
        },
        Origin {
            vault: [0; 32],
            ..origin()
        },
        Origin {
            author: [0; 32],
            ..origin()
        },
    ] {
        let mut log = Log::new(other, key().verifying_key());
        log.append(b"a".to_vec()).unwrap();
        log.sign_checkpoint(&key()).unwrap();
        let batch = log.batch(0).unwrap();
        assert!(matches!(
            refuse(&mut replica, &batch),
            Error::WrongLog { .. }
        ));
    }
    assert!(matches!(
        replica.sign_checkpoint(&stranger),
        Err(Error::WrongKey)
    ));
}

#[test]
fn limits_hold_on_both_sides() {
    let mut log = empty();
    assert!(matches!(
        log.append(vec![0; MAX_ENTRY_BYTES + 1]),
        Err(Error::EntryTooLarge { bytes, limit: MAX_ENTRY_BYTES }) if bytes == MAX_ENTRY_BYTES + 1
    ));
    for _ in 0..MAX_BATCH_BYTES / MAX_ENTRY_BYTES {
        log.append(vec![0; MAX_ENTRY_BYTES]).unwrap();
    }
    assert!(matches!(
        log.append(vec![0]),
        Err(Error::BatchTooLarge { .. })
    ));
    log.sign_checkpoint(&key()).unwrap();
    log.append(vec![0]).unwrap();

    let mut batch = log.batch(0).unwrap();
    batch.entries.push(vec![0]);
    assert!(matches!(
        refuse(&mut empty(), &batch),
        Error::BatchTooLarge { .. }
    ));
    batch.entries = vec![vec![]; MAX_BATCH_ENTRIES + 1];
    assert!(matches!(
        refuse(&mut empty(), &batch),
        Error::BatchTooLarge { .. }
    ));
    batch.entries = vec![vec![0; MAX_ENTRY_BYTES + 1]];
    assert!(matches!(
        refuse(&mut empty(), &batch),
        Error::EntryTooLarge { .. }
    ));
}

/// A newcomer must be able to follow a log of any length, from the author or from any replica, in bounded pieces.
#[test]
fn a_long_log_is_passed_on_piece_by_piece() {
    let mut author = empty();
    for index in 0..5000_u32 {
        if index % 37 == 0 {
            author.sign_checkpoint(&key()).unwrap();
        }
        author.append(index.to_be_bytes().to_vec()).unwrap();
    }
    author.sign_checkpoint(&key()).unwrap();
    let replica = replica_of(&author);
    let second = replica_of(&replica);
    assert_eq!(second.tree(), author.tree());
    assert_eq!(second.checkpoint(), author.checkpoint());
    assert!(
        author.checkpoints().count() < 12,
        "checkpoints that no batch needs are dropped"
    );
    let restored = Log::restore(
        origin(),
        key().verifying_key(),
        second.entries().to_vec(),
        second.checkpoints().cloned().collect(),
    );
    assert_eq!(replica_of(&restored.unwrap()).tree(), author.tree());
}

#[test]
fn a_log_is_restored_and_damage_is_found() {
    let log = signed(&["a", "b", "c"]);
    let checkpoint = log.checkpoint().unwrap().clone();
    let restore = |texts: &[&str], checkpoints: &[_]| {
        Log::restore(
            origin(),
            key().verifying_key(),
            entries(texts),
            checkpoints.to_vec(),
        )
    };
    let restored = restore(&["a", "b", "c"], std::slice::from_ref(&checkpoint)).unwrap();
    assert_eq!((restored.size(), restored.signed_size()), (3, 3));
    let with_tail = restore(&["a", "b", "c", "d"], std::slice::from_ref(&checkpoint)).unwrap();
    assert_eq!((with_tail.size(), with_tail.signed_size()), (4, 3));
    assert!(matches!(
        restore(&["a", "x", "c"], std::slice::from_ref(&checkpoint)),
        Err(Error::Mismatch)
    ));
    assert!(matches!(
        restore(&["a", "b"], &[checkpoint]),
        Err(Error::Mismatch)
    ));
}

#[test]
fn signing_an_unchanged_head_gives_the_same_checkpoint() {
    let mut log = signed(&["a"]);
    let first = log.checkpoint().unwrap().clone();
    assert_eq!(*log.sign_checkpoint(&key()).unwrap(), first);
    assert_eq!(log.checkpoints().count(), 1);
}

#[test]
fn an_empty_log_can_be_signed_and_followed() {
    let mut author = empty();
    let head = author.sign_checkpoint(&key()).unwrap().clone();
    let mut replica = empty();
    assert_eq!(
        replica.extend(0, &[], &head).unwrap(),
        Extended { new: 0, size: 0 }
    );
    author.append(b"a".to_vec()).unwrap();
    let ahead = author.sign_checkpoint(&key()).unwrap().clone();
    assert_eq!(
        replica.compare(&ahead).unwrap(),
        Standing::Ahead {
            held: 0,
            covered: 1
        }
    );
    follow(&mut replica, &author);
    assert_eq!(replica.size(), 1);
}
