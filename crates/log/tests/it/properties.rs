//! What holds for every tree, proof, note and pair of histories.

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use quorate_log::{
    Checkpoint, Error, Frontier, Hash, SignedCheckpoint, SignedNote, Tree, leaf_hash, node_hash,
    verify_consistency, verify_inclusion,
};

use crate::{empty, key, replica_of};

/// `MTH` as RFC 6962 writes it, to hold the incremental tree against.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => quorate_log::EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            node_hash(&mth(&leaves[..split]), &mth(&leaves[split..]))
        }
    }
}

fn tree(size: u64) -> (Tree, Vec<Hash>) {
    let leaves: Vec<Hash> = (0..size)
        .map(|index| leaf_hash(&index.to_be_bytes()))
        .collect();
    let mut tree = Tree::new();
    for leaf in &leaves {
        tree.append_leaf(*leaf);
    }
    (tree, leaves)
}

/// 0 <= index < size <= 200, and a bit of a byte to flip.
fn sizes() -> impl Strategy<Value = (u64, u64)> {
    (1_u64..200).prop_flat_map(|size| (0..size, proptest::strategy::Just(size)))
}

/// All ways to change a proof slightly: a flipped bit, one hash less, one more, two swapped.
fn mutations(proof: &[Hash], at: usize, bit: u8) -> Vec<Vec<Hash>> {
    let mut all = vec![[proof, &[[0; 32]]].concat()];
    if !proof.is_empty() {
        let at = at % proof.len();
        let mut flipped = proof.to_vec();
        flipped[at][usize::from(bit) % 32] ^= 1 << (bit % 8);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        all.extend([flipped, shorter]);
    }
    if proof.len() > 1 {
        let mut swapped = proof.to_vec();
        swapped.swap(0, 1);
        all.push(swapped);
    }
    all
}

#[test]
fn every_small_tree_proves_everything_and_nothing_else() {
    let (tree, leaves) = tree(20);
    for size in 0..=20 {
        let root = tree.root_at(size).unwrap();
        assert_eq!(root, mth(&leaves[..usize::try_from(size).unwrap()]));
        for index in 0..size {
            let proof = tree.inclusion_proof(index, size).unwrap();
            for (other, leaf) in (0..).zip(&leaves) {
                let verdict = verify_inclusion(leaf, index, size, &root, &proof);
                assert_eq!(verdict.is_ok(), other == index);
                let elsewhere =
                    verify_inclusion(&tree.leaf(index).unwrap(), other, size, &root, &proof);
                assert_eq!(
                    elsewhere.is_ok(),
                    other == index,
                    "{index} as {other} of {size}"
                );
            }
        }
        for old in 0..=size {
            let proof = tree.consistency_proof(old, size).unwrap();
            for claimed in 0..=20 {
                let claimed_root = tree.root_at(claimed).unwrap();
                let verdict = verify_consistency(old, size, &claimed_root, &root, &proof);
                assert_eq!(
                    verdict.is_ok(),
                    claimed == old,
                    "{claimed} as {old} of {size}"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn inclusion_verifies_and_no_mutation_does((index, size) in sizes(), later in 0_u64..60, at in any::<usize>(), bit in any::<u8>()) {
        let (tree, leaves) = tree(size + later);
        let leaf = leaves[usize::try_from(index).unwrap()];
        let root = tree.root_at(size).unwrap();
        let proof = tree.inclusion_proof(index, size).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &root, &proof), Ok(()));
        for wrong in mutations(&proof, at, bit) {
            prop_assert!(verify_inclusion(&leaf, index, size, &root, &wrong).is_err());
        }
        let mut other = leaf;
        other[usize::from(bit) % 32] ^= 1;
        prop_assert!(verify_inclusion(&other, index, size, &root, &proof).is_err());
        prop_assert!(verify_inclusion(&leaf, index, size, &other, &proof).is_err());
    }

    #[test]
    fn consistency_verifies_and_no_mutation_does((old, new) in sizes(), later in 0_u64..60, at in any::<usize>(), bit in any::<u8>()) {
        let (tree, _) = tree(new + later);
        let (old_root, new_root) = (tree.root_at(old).unwrap(), tree.root_at(new).unwrap());
        let proof = tree.consistency_proof(old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, new, &old_root, &new_root, &proof), Ok(()));
        for wrong in mutations(&proof, at, bit) {
            prop_assert!(verify_consistency(old, new, &old_root, &new_root, &wrong).is_err());
        }
        let mut other = old_root;
        other[usize::from(bit) % 32] ^= 1;
        prop_assert!(verify_consistency(old, new, &other, &new_root, &proof).is_err());
        if old > 0 {
            prop_assert!(verify_consistency(old, new, &old_root, &other, &proof).is_err());
        }
    }

    #[test]
    fn a_frontier_goes_on_like_the_tree(size in 0_u64..300, more in 0_u64..50) {
        let (mut tree, _) = tree(size);
        let mut frontier = tree.frontier();
        for index in 0..more {
            tree.append(&index.to_be_bytes());
            frontier.append(&index.to_be_bytes());
        }
        prop_assert_eq!(frontier.root(), tree.root());
        prop_assert_eq!(Frontier::from_parts(size + more, frontier.peaks().to_vec()), Some(tree.frontier()));
    }

    /// Threat: a forged or altered checkpoint. No changed byte verifies, and no text makes the parser panic.
    #[test]
    fn a_changed_note_is_refused(at in any::<proptest::sample::Index>(), flip in 1..128_u8) {
        let head = Checkpoint { origin: "origin".into(), size: 7, root: [5; 32] };
        let note = head.sign(&key(), "name").unwrap().to_string();
        let mut bytes = note.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(changed) = String::from_utf8(bytes) {
            let verdict = SignedCheckpoint::parse(&changed).and_then(|c| c.verify("name", &key().verifying_key()).cloned());
            prop_assert!(verdict.is_err());
        }
    }

    #[test]
    fn what_parses_prints_the_same(text in "(.|\n){0,80}", lines in "(\u{2014} [a-c]{1,3} [A-Za-z0-9+/]{8,12}\n){0,3}") {
        let note = format!("{text}\n\n{lines}");
        if let Ok(parsed) = SignedNote::parse(&note) {
            prop_assert_eq!(parsed.to_string(), note);
        }
    }

    /// Two histories either agree on the shorter, or there is evidence against their author, and against nobody else.
    #[test]
    fn histories_extend_or_prove_a_fork(
        one in proptest::collection::vec(0_u8..3, 1..12), other in proptest::collection::vec(0_u8..3, 1..12),
    ) {
        let build = |bytes: &[u8]| {
            let mut log = empty();
            for byte in bytes {
                log.append(vec![*byte]).unwrap();
            }
            log.sign_checkpoint(&key()).unwrap();
            log
        };
        let (held, offered) = (build(&one), build(&other));
        let mut replica = replica_of(&held);
        let batch = offered.batch(0).unwrap();
        let shared = one.len().min(other.len());
        match replica.extend(0, &batch.entries, &batch.checkpoint) {
            Ok(extended) => {
                prop_assert_eq!(&one[..shared], &other[..shared]);
                prop_assert_eq!(extended.size, one.len().max(other.len()) as u64);
            }
            Err(Error::Fork(evidence)) => {
                prop_assert!(one[..shared] != other[..shared]);
                prop_assert!(evidence.verify(&key().verifying_key()).is_ok());
                prop_assert_eq!(replica.entries(), held.entries());
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
