//! Behaviour of the log through its public API.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod fork;
mod note;
mod properties;
mod replica;
mod vectors;

use ed25519_dalek::SigningKey;
use quorate_log::{Log, Origin};

/// The author's key: RFC 8032, section 7.1, test 1.
fn key() -> SigningKey {
    let seed =
        hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
    SigningKey::from_bytes(&seed.try_into().unwrap())
}

fn origin() -> Origin {
    Origin {
        vault: [0x11; 32],
        author: [0x22; 32],
        incarnation: 0,
    }
}

fn empty() -> Log {
    Log::new(origin(), key().verifying_key())
}

fn entries(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// An author's log with these entries, signed at the end.
fn signed(texts: &[&str]) -> Log {
    let mut log = empty();
    for entry in entries(texts) {
        log.append(entry).unwrap();
    }
    log.sign_checkpoint(&key()).unwrap();
    log
}

/// A replica brought up to date with `log`, one batch after another.
fn replica_of(log: &Log) -> Log {
    let mut replica = empty();
    follow(&mut replica, log);
    replica
}

fn follow(replica: &mut Log, log: &Log) {
    while let Some(batch) = log.batch(replica.size()) {
        replica
            .extend(batch.from, &batch.entries, &batch.checkpoint)
            .unwrap();
    }
}
