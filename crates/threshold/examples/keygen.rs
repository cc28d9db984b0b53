//! Runs a whole 2-of-3 key generation in one process and writes what the members would keep.
//!
//! `cargo run -p quorate-threshold --example keygen -- crates/threshold/tests/fixtures/2of3` made the fixtures
//! of the tests. Identity keys are constants: never fund anything of this.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an example"
)]

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use quorate_threshold::{Committee, Engine, KeygenParams, Parameters, PartyIndex, RealEngine};
use rand_core::OsRng;

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: keygen FOLDER"));
    std::fs::create_dir_all(&folder).unwrap();
    let identity = |i: u8| Arc::new(SigningKey::from_bytes(&[i; 32]));
    let keys = (1..=3).map(|i| identity(i).verifying_key()).collect();
    let committee = Committee::new(Parameters::new(2, 3).unwrap(), keys).unwrap();

    let mut sessions = BTreeMap::new();
    let mut mail = VecDeque::new();
    for me in committee.indices() {
        let (committee, identity) = (committee.clone(), identity(me.get()));
        let params = KeygenParams {
            vault: [7; 32],
            epoch: 1,
            attempt: 0,
            committee,
            me,
            identity,
        };
        let started = RealEngine.keygen(params, &mut OsRng).unwrap();
        mail.extend(started.send.into_iter().map(|out| (me, out)));
        sessions.insert(me, started.session);
    }
    while let Some((from, out)) = mail.pop_front() {
        let to: PartyIndex = out.to;
        let step = sessions
            .get_mut(&to)
            .unwrap()
            .receive(from, &out.bytes, &mut OsRng)
            .unwrap();
        mail.extend(step.send.into_iter().map(|out| (to, out)));
        if let Some(done) = step.done {
            std::fs::write(folder.join("public.bin"), done.public.to_bytes()).unwrap();
            std::fs::write(
                folder.join(format!("secrets-{to}.bin")),
                done.secrets.to_bytes(),
            )
            .unwrap();
            println!("member {to} is done");
        }
    }
}
