//! Append-only log: Merkle tree, checkpoints, proofs.
