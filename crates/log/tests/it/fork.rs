//! Authors who sign two histories: found, proven, and nobody else can be blamed.

use ed25519_dalek::SigningKey;
use quorate_log::{Checkpoint, Error, ForkEvidence, Log, Origin, Prefix};

use crate::{empty, entries, key, origin, replica_of, signed};

fn evidence(error: Error) -> ForkEvidence {
    match error {
        Error::Fork(evidence) => *evidence,
        other => panic!("{other}"),
    }
}

fn holds(evidence: &ForkEvidence) -> bool {
    let bytes = postcard::to_stdvec(evidence).unwrap();
    let read: ForkEvidence = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(&read, evidence);
    read.verify(&key().verifying_key())
        .is_ok_and(|forked| forked == origin())
}

/// What a replica of `held` finds when it is offered the whole of `other`.
fn offer(held: &Log, other: &Log) -> ForkEvidence {
    let mut replica = replica_of(held);
    let before = (replica.entries().to_vec(), replica.checkpoint().cloned());
    let batch = other.batch(0).unwrap();
    let error = replica
        .extend(batch.from, &batch.entries, &batch.checkpoint)
        .unwrap_err();
    assert_eq!(
        before,
        (replica.entries().to_vec(), replica.checkpoint().cloned())
    );
    evidence(error)
}

/// Threat: equivocation. Two heads of one size.
#[test]
fn two_roots_of_one_size_are_a_fork() {
    let found = offer(&signed(&["a", "b"]), &signed(&["a", "x"]));
    assert_eq!(found.size, 2);
    assert!(holds(&found));
}

/// Threat: equivocation. A shorter and a longer history; whichever is held.
#[test]
fn histories_of_two_lengths_are_a_fork_from_both_sides() {
    let short = signed(&["a", "b", "c"]);
    let long = signed(&["a", "x", "c", "d", "e", "f", "g"]);
    for found in [offer(&short, &long), offer(&long, &short)] {
        assert_eq!(found.size, 3);
        assert!(holds(&found));
    }
}

/// A checkpoint alone, without entries, is enough when it is no longer than what is held.
#[test]
fn a_bare_checkpoint_reveals_a_fork() {
    let held = signed(&["a", "b", "c", "d", "e"]);
    let other = signed(&["a", "b", "x"]);
    let found = evidence(held.compare(other.checkpoint().unwrap()).unwrap_err());
    assert!(holds(&found));
}

#[test]
fn the_other_branch_can_be_followed() {
    let mut author = signed(&["a", "b"]);
    let held = {
        let mut held = replica_of(&author);
        author.append(b"c".to_vec()).unwrap();
        author.sign_checkpoint(&key()).unwrap();
        crate::follow(&mut held, &author);
        held
    };
    let other = signed(&["a", "b", "x", "y"]);
    let mut branch = held.branch(2);
    assert!(branch.size() <= 2);
    crate::follow(&mut branch, &other);
    assert_eq!(branch.entries(), other.entries());
    assert_eq!(held.size(), 3);
}

/// Threat: false blame. Evidence without two contradicting signatures of the author does not hold.
#[test]
fn nobody_is_blamed_for_one_history() {
    let author = signed(&["a", "b", "c", "d", "e"]);
    let mut longer = replica_of(&author);
    assert!(longer.compare(author.checkpoint().unwrap()).is_ok());
    let prefix = |log: &Log, size| Prefix {
        checkpoint: log.checkpoint().unwrap().clone(),
        root: log.tree().root_at(size).unwrap(),
        proof: log.tree().consistency_proof(size, log.size()).unwrap(),
    };
    let short = signed(&["a", "b", "c"]);
    let honest = ForkEvidence {
        size: 3,
        first: prefix(&author, 3),
        second: prefix(&short, 3),
    };
    assert!(matches!(
        honest.verify(&key().verifying_key()),
        Err(Error::NoFork(_))
    ));

    let mut wrong_root = honest.clone();
    wrong_root.second.root = [0; 32];
    assert!(matches!(
        wrong_root.verify(&key().verifying_key()),
        Err(Error::Proof(_))
    ));
    let mut wrong_root = honest.clone();
    wrong_root.first.root = [0; 32];
    assert!(matches!(
        wrong_root.verify(&key().verifying_key()),
        Err(Error::Proof(_))
    ));
    let empty_trees = ForkEvidence {
        size: 0,
        first: prefix(&author, 0),
        second: prefix(&short, 0),
    };
    assert!(empty_trees.verify(&key().verifying_key()).is_err());
    let mut long_proof = honest;
    long_proof.first.proof = vec![[0; 32]; 1000];
    assert!(matches!(
        long_proof.verify(&key().verifying_key()),
        Err(Error::NoFork(_))
    ));
    longer.sign_checkpoint(&key()).unwrap();
}

/// Threat: false blame. Logs of two vaults, authors or incarnations differ rightly.
#[test]
fn two_logs_are_no_fork() {
    let found = offer(&signed(&["a"]), &signed(&["b"]));
    let other = Origin {
        incarnation: 1,
        ..origin()
    };
    let mut reborn = Log::new(other, key().verifying_key());
    reborn.append(b"b".to_vec()).unwrap();
    reborn.sign_checkpoint(&key()).unwrap();
    let mut mixed = found.clone();
    mixed.second.checkpoint = reborn.checkpoint().unwrap().clone();
    assert!(matches!(
        mixed.verify(&key().verifying_key()),
        Err(Error::NoFork(_))
    ));
    let stranger = SigningKey::from_bytes(&[9; 32]);
    assert!(matches!(
        found.verify(&stranger.verifying_key()),
        Err(Error::Note(_))
    ));
}

/// Threat: a restored backup. The own log went on from an old copy, while peers hold what was signed before.
#[test]
fn a_rolled_back_author_learns_it_from_its_peers() {
    let before = signed(&["a", "b", "c"]);
    let peers = replica_of(&before);
    let checkpoint = signed(&["a"]).checkpoint().unwrap().clone();
    let mut restored = Log::restore(
        origin(),
        key().verifying_key(),
        entries(&["a"]),
        vec![checkpoint],
    )
    .unwrap();
    // Nothing appended yet: the peers' entries simply come back.
    let batch = peers.batch(1).unwrap();
    assert_eq!(
        restored
            .clone()
            .extend(batch.from, &batch.entries, &batch.checkpoint)
            .unwrap()
            .new,
        2
    );
    // Something appended, not signed: a contradiction before any harm is done.
    restored.append(b"x".to_vec()).unwrap();
    let error = restored
        .extend(batch.from, &batch.entries, &batch.checkpoint)
        .unwrap_err();
    assert!(
        matches!(error, Error::Contradiction { index: 1 }),
        "{error}"
    );
    restored.append(b"y".to_vec()).unwrap();
    let error = restored.compare(peers.checkpoint().unwrap()).unwrap_err();
    assert!(
        matches!(error, Error::Contradiction { index: 2 }),
        "{error}"
    );
    // Signed: a fork that anybody can prove.
    restored.sign_checkpoint(&key()).unwrap();
    assert!(holds(&offer(&peers, &restored)));
}

/// Threat: an author who signs a root that no entries have. It can be refused, not blamed.
#[test]
fn a_signed_root_without_entries_is_a_mismatch() {
    let head = Checkpoint {
        origin: origin().to_string(),
        size: 1,
        root: [7; 32],
    };
    let checkpoint = head.sign(&key(), &head.origin).unwrap();
    let error = empty()
        .extend(0, &entries(&["a"]), &checkpoint)
        .unwrap_err();
    assert!(matches!(error, Error::Mismatch));
}
