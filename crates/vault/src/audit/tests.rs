#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod dishonest;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::{any, prop_assert, proptest};

use super::{AuditError, Bundle, Report, Severity, judge};
use crate::entry::{Entry, Purpose, Seen, SessionResult};
use crate::ids::{RequestId, SessionId};
use crate::testing::{World, sign};

static PAID: LazyLock<World> = LazyLock::new(paid);

/// A filled slot, a failed session, a payment, its replacement, and receipts.
fn paid() -> World {
    let mut world = World::active(2, 3);
    let (dead, id) = (world.request(2, 0), world.request(0, 1));
    world.cancel(2, dead);
    world.approve(&[1, 2], id);
    let fill = world.sign(&[1, 2], id, Purpose::Fill { slot: 0 });
    world.mine(0, id, 0, fill);
    let failed = world.open(&[1, 2], id, Purpose::Payment);
    world.failed(&[1, 2], failed);
    let first = world.sign(&[1, 2], id, Purpose::Payment);
    world.say(
        1,
        Entry::Replacement {
            request: id,
            supersedes: first,
        },
    );
    let second = world.sign(&[2, 1], id, Purpose::Payment);
    world.mine(1, id, 1, second);
    world.mine(2, id, 1, second);
    world.reject(0, dead);
    world
}

/// One payment by bob and carol that alice asked for; ready to be spoilt.
fn simple() -> (World, RequestId, SessionId) {
    let mut world = World::active(2, 3);
    let id = world.request(0, 0);
    world.approve(&[1, 2], id);
    let session = world.open(&[1, 2], id, Purpose::Payment);
    (world, id, session)
}

fn report(world: &World) -> Report {
    judge(&world.bundle()).unwrap()
}

/// The only finding, as `place: what`.
fn only_finding(world: &World, severity: Severity) -> String {
    let report = report(world);
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    assert_eq!(report.findings[0].severity, severity);
    assert_eq!(report.is_sound(), severity != Severity::Wrong);
    format!("{}: {}", report.findings[0].place, report.findings[0].what)
}

fn entry_of(world: &mut World, test: impl Fn(&Entry) -> bool) -> &mut Entry {
    let found = world
        .entries
        .iter_mut()
        .rev()
        .find(|(_, logged)| test(&logged.entry));
    &mut found.unwrap().1.entry
}

#[test]
fn an_honest_bundle_proves_every_signature() {
    let report = report(&PAID);
    assert_eq!(report.findings, []);
    assert!(report.is_sound() && report.is_complete());
    let shown: Vec<(&str, u64, u32)> = report
        .signatures
        .iter()
        .map(|s| (s.purpose.as_str(), s.slot, s.attempt))
        .collect();
    assert_eq!(
        shown,
        [("fill", 0, 1), ("payment", 1, 2), ("payment", 1, 3)]
    );
    assert_eq!(report.sessions_without_signature, 1);
    for signature in &report.signatures {
        assert!(signature.verified);
        assert_eq!(signature.requested_by, "alice");
        assert_eq!(signature.note, "rent");
        let approvers: Vec<&str> = signature
            .approved
            .iter()
            .map(|approval| approval.member.as_str())
            .collect();
        assert_eq!(approvers, ["bob", "carol"]);
        assert!(signature.unrecorded.is_empty());
        assert!(signature.tx_hash.is_some());
    }
    let receipts: Vec<usize> = report
        .signatures
        .iter()
        .map(|signature| signature.receipts.len())
        .collect();
    assert_eq!(receipts, [1, 0, 2]);
}

/// What the report says, and the format of the bundle: both are read by others.
#[test]
fn bundle_and_report_look_as_ever() {
    let bundle = include_str!("../../golden/bundle.json");
    let read: Bundle = serde_json::from_str(bundle).unwrap();
    assert_eq!(
        read,
        PAID.bundle(),
        "write golden/bundle.json:\n{}",
        serde_json::to_string_pretty(&PAID.bundle()).unwrap()
    );
    let report = judge(&read).unwrap();
    let golden = include_str!("../../golden/report.json");
    let written = serde_json::to_string_pretty(&report).unwrap();
    assert_eq!(written, golden.trim_end());
}

#[test]
fn words_are_those_of_the_charter() {
    let report = report(&PAID);
    assert!(report.words_match(&PAID.charter.fingerprint().to_string()));
    assert!(!report.words_match("hood hood hood hood hood hood"));
    assert_eq!(
        report.words.join(" "),
        PAID.charter.fingerprint().to_string()
    );
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, ..Default::default() })]

    /// A flipped bit anywhere in an entry is found, and the log that it is in is named.
    #[test]
    fn a_flipped_bit_in_any_entry_is_named(log in 0usize..3, entry in any::<usize>(), byte in any::<usize>(), bit in 0u8..8) {
        let mut bundle = PAID.bundle();
        let entries = &mut bundle.logs[log].entries;
        let at = entry % entries.len();
        let mut bytes = STANDARD.decode(&entries[at]).unwrap();
        let byte = byte % bytes.len();
        bytes[byte] ^= 1 << bit;
        entries[at] = STANDARD.encode(bytes);
        let report = judge(&bundle).unwrap();
        let place = format!("{}'s log", PAID.charter.members[log].name);
        let named = report.findings.iter().any(|f| f.severity == Severity::Wrong && f.place == place);
        prop_assert!(named, "{:#?}", report.findings);
    }

    /// A changed character anywhere in a checkpoint is found too.
    #[test]
    fn a_changed_checkpoint_is_named(log in 0usize..3, at in any::<usize>()) {
        let mut bundle = PAID.bundle();
        let checkpoint = &mut bundle.logs[log].checkpoint;
        let mut chars: Vec<char> = checkpoint.chars().collect();
        let at = at % chars.len();
        chars[at] = if chars[at] == 'A' { 'B' } else { 'A' };
        *checkpoint = chars.into_iter().collect();
        let report = judge(&bundle).unwrap();
        let place = format!("{}'s log", PAID.charter.members[log].name);
        prop_assert!(report.findings.iter().any(|f| f.severity == Severity::Wrong && f.place == place));
    }
}

type Spoil = fn(&mut Bundle);
type Expected = fn(&AuditError) -> bool;

#[test]
fn entries_cannot_be_dropped_doubled_swapped_or_moved() {
    let cases: [(Spoil, &str); 8] = [
        (|b| drop(b.logs[1].entries.pop()), "bob's log"),
        (|b| drop(b.logs[1].entries.remove(3)), "bob's log"),
        (|b| b.logs[1].entries.swap(2, 3), "bob's log"),
        (
            |b| {
                let again = b.logs[1].entries[3].clone();
                b.logs[1].entries.push(again)
            },
            "bob's log",
        ),
        (
            |b| b.logs[1].entries[0] = "no base64!".to_owned(),
            "bob's log, entry 0",
        ),
        (|b| b.logs[1].incarnation = 1, "bob's log"),
        (
            |b| {
                let bob = b.logs[1].author.clone();
                b.logs[2].author = bob
            },
            "bob's log",
        ),
        (
            |b| b.logs[1].author = "00".repeat(32),
            "log of \"0000000000000000\"",
        ),
    ];
    for (spoil, place) in cases {
        let mut bundle = PAID.bundle();
        spoil(&mut bundle);
        let report = judge(&bundle).unwrap();
        let named = report
            .findings
            .iter()
            .any(|f| f.severity == Severity::Wrong && f.place == place);
        assert!(named, "{place}: {:#?}", report.findings);
    }
}

#[test]
fn a_log_that_is_not_there_is_missing_and_not_wrong() {
    let mut bundle = PAID.bundle();
    bundle.logs.remove(0);
    let report = judge(&bundle).unwrap();
    assert!(report.is_sound() && !report.is_complete());
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.place == "alice's log")
    );
}

#[test]
fn without_a_charter_there_is_nothing_to_judge_by() {
    let cases: [(Spoil, Expected); 5] = [
        (
            |b| b.version = 2,
            |e| matches!(e, AuditError::Version { found: 2 }),
        ),
        (
            |b| b.vault = "x".repeat(64),
            |e| matches!(e, AuditError::VaultId { .. }),
        ),
        (
            |b| b.vault = "00".repeat(32),
            |e| matches!(e, AuditError::NoCharter { .. }),
        ),
        (
            |b| b.logs.clear(),
            |e| matches!(e, AuditError::NoCharter { .. }),
        ),
        (
            |b| b.logs = vec![b.logs[0].clone(); 65],
            |e| matches!(e, AuditError::TooManyLogs { found: 65 }),
        ),
    ];
    for (spoil, expected) in cases {
        let mut bundle = PAID.bundle();
        spoil(&mut bundle);
        let error = judge(&bundle).unwrap_err();
        assert!(expected(&error), "{error}");
    }
}

/// A log of the same members from another vault proves nothing here.
#[test]
fn a_log_of_another_vault_is_refused() {
    let mut other = World::silent(2, 3);
    other.charter.nonce = [9; 32];
    (0..3).for_each(|i| other.found(i));
    let mut bundle = PAID.bundle();
    bundle.logs[1] = other.bundle().logs[1].clone();
    let report = judge(&bundle).unwrap();
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.severity == Severity::Wrong && f.place == "bob's log")
    );
}
