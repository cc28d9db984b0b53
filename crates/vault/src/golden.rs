//! Encodings that are on disks and wires already: a change here is a change of format and needs a new version.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::codec::{self, CodecError};
use crate::entry::{
    Approval, Entry, Logged, Prepared, Purpose, Receipt, Seen, SessionRecord, SessionResult,
};
use crate::fold::{intent_digest, request_id};
use crate::ids::{PartyId, RequestId, SessionId, Time};
use crate::testing::{World, sign};

const ENTRIES: &str = include_str!("../golden/entries.txt");

fn receipt(seen: Seen) -> Entry {
    Entry::Receipt(Box::new(Receipt {
        request: RequestId([5; 32]),
        slot: 300,
        seen,
    }))
}

fn outcome(result: SessionResult) -> Entry {
    Entry::SessionOutcome {
        session: SessionId([6; 32]),
        result,
    }
}

fn mined() -> Seen {
    Seen::Mined {
        hash: [1; 32],
        raw: vec![2, 3],
        block_number: 70_000,
        block_hash: [4; 32],
        success: true,
        gas_used: 21_000,
        effective_gas_price: u128::from(u64::MAX) + 1,
        finalised: false,
    }
}

fn record(purpose: Purpose) -> Entry {
    Entry::SessionRecord(Box::new(SessionRecord {
        session: SessionId([6; 32]),
        request: RequestId([5; 32]),
        purpose,
        attempt: 2,
        opener: PartyId([7; 32]),
        quorum: vec![PartyId([7; 32]), PartyId([8; 32])],
        unsigned: vec![2, 0xc0],
        digest: [9; 32],
    }))
}

/// One value of every variant, and of every variant inside those.
fn samples() -> Vec<Logged> {
    let mut world = World::silent(2, 3);
    let request = RequestId([5; 32]);
    let approval = Approval {
        request,
        charter_version: 1,
        intent_digest: [10; 32],
        expires: Time(1_800_000_000_001),
        nonce: [11; 32],
        signature: vec![12; 64],
    };
    let prepared = Prepared {
        act: 0,
        attempt: 1,
        public: world.public.clone(),
        signature: vec![13; 64],
    };
    let entries = vec![
        Entry::Founded(Box::new(world.charter.clone())),
        Entry::CeremonyStarted { act: 0, attempt: 1 },
        Entry::Prepared(Box::new(prepared)),
        Entry::Aborted {
            act: 0,
            attempt: 1,
            reason: "bob was silent".to_owned(),
        },
        Entry::Acknowledged {
            act: 0,
            attempt: 2,
            public: [14; 32],
        },
        Entry::Request(Box::new(world.draft(7))),
        Entry::Request(Box::new(crate::entry::Request {
            instead_of: Some(request),
            ..world.draft(8)
        })),
        Entry::Approval(approval),
        Entry::Rejection {
            request,
            reason: "zu teuer €".to_owned(),
        },
        Entry::Cancellation { request },
        Entry::Replacement {
            request,
            supersedes: SessionId([6; 32]),
        },
        record(Purpose::Payment),
        record(Purpose::Fill { slot: 3 }),
        outcome(SessionResult::Signed(sign(&[9; 32]))),
        outcome(SessionResult::Failed {
            reason: "carol was silent".to_owned(),
        }),
        receipt(mined()),
        receipt(Seen::Unmined),
        Entry::Note {
            request,
            text: "which invoice?".to_owned(),
        },
    ];
    entries
        .into_iter()
        .map(|entry| Logged {
            at: Time(1_800_000_000_000),
            entry,
        })
        .collect()
}

#[test]
fn entries_are_encoded_as_ever() {
    let samples = samples();
    let mut written = String::new();
    for logged in &samples {
        writeln!(
            written,
            "{}: {}",
            logged.entry.kind(),
            hex::encode(logged.encode())
        )
        .unwrap();
    }
    let changed = written
        .lines()
        .zip(ENTRIES.lines())
        .find(|(now, golden)| now != golden);
    assert!(changed.is_none(), "the encoding changed: {changed:?}");
    assert_eq!(
        written.lines().count(),
        ENTRIES.lines().count(),
        "write golden/entries.txt:\n{written}"
    );
    let kinds: BTreeSet<&str> = samples.iter().map(|logged| logged.entry.kind()).collect();
    assert_eq!(kinds.len(), 14, "every variant needs a line");
}

#[test]
fn golden_entries_decode_to_what_they_were() {
    for (line, sample) in ENTRIES.lines().zip(samples()) {
        let bytes = hex::decode(line.split_once(": ").unwrap().1).unwrap();
        assert_eq!(Logged::decode(&bytes), Ok(sample));
    }
}

/// Hashes that members sign, and ids that name things in logs.
#[test]
fn hashes_are_what_they_ever_were() {
    let mut world = World::silent(2, 3);
    let vault = world.charter.vault_id();
    let request = world.draft(7);
    let approval = world.approval_of(1, RequestId([5; 32]), &request.intent, &request);
    let hashes = [
        ("party", world.party(0).to_string()),
        ("vault", vault.to_string()),
        (
            "request",
            request_id(&vault, &world.party(0), &request).to_string(),
        ),
        ("intent", hex::encode(intent_digest(&request.intent))),
        ("approval", hex::encode(approval.hash(&vault))),
        (
            "prepared",
            hex::encode(world.prepared(0, 1, world.public.clone()).hash(&vault)),
        ),
    ];
    let written: String = hashes
        .iter()
        .map(|(name, hash)| format!("{name}: {hash}\n"))
        .collect();
    assert_eq!(written, include_str!("../golden/hashes.txt"));
}

/// One value, one encoding: what is signed and hashed must not have a second form.
#[test]
fn only_the_one_encoding_is_read() {
    let logged = Logged {
        at: Time(5),
        entry: Entry::CeremonyStarted { act: 0, attempt: 1 },
    };
    let bytes = logged.encode();
    assert_eq!(Logged::decode(&bytes), Ok(logged));
    let with = |change: fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        Logged::decode(&bytes)
    };
    assert_eq!(with(|b| b.push(0)), Err(CodecError::NotCanonical));
    assert_eq!(with(Vec::clear), Err(CodecError::Empty));
    assert_eq!(with(|b| b[0] = 2), Err(CodecError::Version { found: 2 }));
    assert_eq!(with(|b| b.truncate(2)), Err(CodecError::Malformed));
    // The same number with a needless byte: 0x85 0x00 for 5.
    assert_eq!(
        with(|b| b.splice(1..2, [0x85, 0x00]).for_each(drop)),
        Err(CodecError::NotCanonical)
    );
    assert_eq!(with(|b| b[2] = 99), Err(CodecError::Malformed));
    let long = vec![codec::VERSION; 64 * 1024 + 1];
    assert_eq!(
        Logged::decode(&long),
        Err(CodecError::TooLong {
            found: 64 * 1024 + 1,
            limit: 64 * 1024
        })
    );
}
