//! RFC 6962 vectors of the certificate-transparency reference implementation (`merkletree/merkle_tree_test.cc`, today
//! `transparency-dev/merkle`, `testonly/constants.go`).

use quorate_log::{
    EMPTY_ROOT, Frontier, Hash, ProofError, Tree, leaf_hash, verify_consistency, verify_inclusion,
};

const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// (leaf index, tree size, proof).
const INCLUSION: [(u64, u64, &[&str]); 4] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        3,
        &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    ),
];

/// (old size, new size, proof).
const CONSISTENCY: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn hash(hex: &str) -> Hash {
    hex::decode(hex).unwrap().try_into().unwrap()
}

fn hashes(hex: &[&str]) -> Vec<Hash> {
    hex.iter().copied().map(hash).collect()
}

fn tree() -> Tree {
    let mut tree = Tree::new();
    for leaf in LEAVES {
        tree.append(&hex::decode(leaf).unwrap());
    }
    tree
}

fn root(size: u64) -> Hash {
    hash(ROOTS[usize::try_from(size).unwrap()])
}

#[test]
fn roots_of_all_sizes() {
    let tree = tree();
    let mut growing = Tree::new();
    let mut frontier = Frontier::new();
    assert_eq!(EMPTY_ROOT, root(0));
    for size in 0..=8 {
        assert_eq!(tree.root_at(size), Some(root(size)));
        assert_eq!(growing.root(), root(size));
        assert_eq!(frontier.root(), root(size));
        assert_eq!(growing.frontier(), frontier);
        if let Some(leaf) = LEAVES.get(usize::try_from(size).unwrap()) {
            let leaf = hex::decode(leaf).unwrap();
            assert_eq!(growing.append(&leaf), size);
            assert_eq!(frontier.append(&leaf), size);
        }
    }
    assert_eq!(tree.root_at(9), None);
}

#[test]
fn inclusion_proofs() {
    for (index, size, proof) in INCLUSION {
        let proof = hashes(proof);
        assert_eq!(tree().inclusion_proof(index, size), Ok(proof.clone()));
        let leaf = leaf_hash(&hex::decode(LEAVES[usize::try_from(index).unwrap()]).unwrap());
        assert_eq!(tree().leaf(index), Some(leaf));
        assert_eq!(
            verify_inclusion(&leaf, index, size, &root(size), &proof),
            Ok(())
        );
    }
}

#[test]
fn consistency_proofs() {
    for (old, new, proof) in CONSISTENCY {
        let proof = hashes(proof);
        assert_eq!(tree().consistency_proof(old, new), Ok(proof.clone()));
        assert_eq!(
            verify_consistency(old, new, &root(old), &root(new), &proof),
            Ok(())
        );
    }
}

#[test]
fn proofs_of_what_is_not_there_are_refused() {
    let tree = tree();
    assert_eq!(
        tree.inclusion_proof(8, 8),
        Err(ProofError::Index { index: 8, size: 8 })
    );
    assert_eq!(
        tree.inclusion_proof(0, 9),
        Err(ProofError::Size { asked: 9, held: 8 })
    );
    assert_eq!(
        tree.inclusion_proof(0, 0),
        Err(ProofError::Index { index: 0, size: 0 })
    );
    assert_eq!(
        tree.consistency_proof(5, 4),
        Err(ProofError::Order { old: 5, new: 4 })
    );
    assert_eq!(
        tree.consistency_proof(5, 9),
        Err(ProofError::Size { asked: 9, held: 8 })
    );
    let leaf = tree.leaf(0).unwrap();
    assert_eq!(
        verify_inclusion(&leaf, 0, 0, &EMPTY_ROOT, &[]),
        Err(ProofError::Index { index: 0, size: 0 })
    );
    assert_eq!(
        verify_consistency(2, 1, &root(2), &root(1), &[]),
        Err(ProofError::Order { old: 2, new: 1 })
    );
    assert_eq!(
        verify_consistency(0, 5, &root(1), &root(5), &[]),
        Err(ProofError::Root)
    );
    assert_eq!(
        verify_consistency(0, 5, &root(0), &root(5), &[root(1)]),
        Err(ProofError::Length)
    );
    assert_eq!(verify_consistency(0, 5, &root(0), &root(5), &[]), Ok(()));
    assert_eq!(
        verify_consistency(5, 5, &root(4), &root(5), &[]),
        Err(ProofError::Root)
    );
    assert_eq!(
        verify_consistency(3, 8, &root(3), &root(8), &[]),
        Err(ProofError::Length)
    );
}

/// Threat: a proof of absurd length or size sent to exhaust the verifier.
#[test]
fn absurd_sizes_end_at_once() {
    let long = vec![[0; 32]; 1000];
    assert!(verify_inclusion(&[0; 32], u64::MAX - 1, u64::MAX, &[0; 32], &long).is_err());
    assert!(verify_consistency(1, u64::MAX, &[0; 32], &[1; 32], &long).is_err());
    assert!(verify_consistency(u64::MAX - 1, u64::MAX, &[0; 32], &[1; 32], &long).is_err());
    assert!(verify_consistency(1 << 63, u64::MAX, &[0; 32], &[1; 32], &[]).is_err());
}

#[test]
fn a_frontier_must_have_a_peak_for_each_bit() {
    let frontier = tree().frontier();
    assert_eq!(
        Frontier::from_parts(8, frontier.peaks().to_vec()),
        Some(frontier.clone())
    );
    assert_eq!(Frontier::from_parts(7, frontier.peaks().to_vec()), None);
    let bytes = postcard::to_stdvec(&frontier).unwrap();
    assert_eq!(postcard::from_bytes::<Frontier>(&bytes).unwrap(), frontier);
    let mut wrong = bytes;
    wrong[0] = 7;
    assert!(postcard::from_bytes::<Frontier>(&wrong).is_err());
}
