//! Logs whose authors lie: their checkpoints hold, and what they say does not.

use super::{
    Entry, Purpose, RequestId, Seen, SessionResult, Severity, entry_of, only_finding, paid, report,
    sign, simple,
};
use crate::entry::Request;

#[test]
fn a_signature_that_does_not_verify() {
    let (mut world, _, session) = simple();
    let result = SessionResult::Signed(sign(&[1; 32]));
    world.say(1, Entry::SessionOutcome { session, result });
    let finding = only_finding(&world, Severity::Wrong);
    assert!(
        finding.starts_with("bob's log, entry 6: the signature does not verify"),
        "{finding}"
    );
    assert!(!report(&world).signatures[0].verified);
}

#[test]
fn a_signature_without_a_record_of_its_author() {
    let (mut world, _, session) = simple();
    world.signed(&[1, 0], session);
    let finding = only_finding(&world, Severity::Wrong);
    assert!(
        finding.starts_with("alice's log, entry 5: it states a signature"),
        "{finding}"
    );
}

#[test]
fn a_signer_who_did_not_approve() {
    let (mut world, _, session) = simple();
    world.signed(&[1, 2], session);
    let approvals = world
        .entries
        .iter()
        .position(|(i, l)| *i == 1 && matches!(l.entry, Entry::Approval(_)));
    world.entries.remove(approvals.unwrap());
    let report = report(&world);
    let said: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| finding.what.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "bob signed it without an approval of bob's own before that",
            "1 of 2 approvals are in the bundle"
        ]
    );
}

#[test]
fn a_signer_who_approved_afterwards() {
    let (mut world, _, session) = simple();
    world.signed(&[1, 2], session);
    let at = world
        .entries
        .iter()
        .position(|(i, l)| *i == 1 && matches!(l.entry, Entry::Approval(_)))
        .unwrap();
    let approval = world.entries.remove(at);
    world.entries.push(approval);
    assert!(only_finding(&world, Severity::Wrong).contains("bob signed it without an approval"));
}

#[test]
fn a_signer_without_a_record() {
    let (mut world, _, session) = simple();
    world.signed(&[1], session);
    let at = world
        .entries
        .iter()
        .position(|(i, l)| *i == 2 && matches!(l.entry, Entry::SessionRecord(_)));
    world.entries.remove(at.unwrap());
    assert!(
        only_finding(&world, Severity::Missing)
            .contains("carol took part, but the bundle has no record")
    );
    assert_eq!(report(&world).signatures[0].unrecorded, ["carol"]);
}

#[test]
fn final_bytes_outside_the_intent() {
    let (mut world, _, _) = simple();
    let entry = entry_of(&mut world, |entry| matches!(entry, Entry::SessionRecord(_)));
    let Entry::SessionRecord(record) = entry else {
        panic!()
    };
    record.unsigned = record
        .unsigned
        .iter()
        .map(|b| if *b == 0xbb { 0xbc } else { *b })
        .collect();
    assert!(
        only_finding(&world, Severity::Wrong)
            .starts_with("carol's log, entry 5: the final bytes are not")
    );
}

#[test]
fn a_digest_that_is_not_of_the_bytes() {
    let (mut world, _, _) = simple();
    let entry = entry_of(&mut world, |entry| matches!(entry, Entry::SessionRecord(_)));
    let Entry::SessionRecord(record) = entry else {
        panic!()
    };
    record.digest[0] ^= 1;
    assert!(
        only_finding(&world, Severity::Wrong)
            .starts_with("carol's log, entry 5: the final bytes are not")
    );
}

#[test]
fn a_quorum_of_another_size() {
    let (mut world, _, _) = simple();
    let alice = world.party(0);
    let entry = entry_of(&mut world, |entry| matches!(entry, Entry::SessionRecord(_)));
    let Entry::SessionRecord(record) = entry else {
        panic!()
    };
    record.quorum.insert(0, alice);
    assert!(
        only_finding(&world, Severity::Wrong)
            .starts_with("carol's log, entry 5: the quorum is not")
    );
}

#[test]
fn an_approval_that_is_not_the_credentials() {
    let (mut world, _, _) = simple();
    let entry = entry_of(&mut world, |entry| matches!(entry, Entry::Approval(_)));
    let Entry::Approval(approval) = entry else {
        panic!()
    };
    approval.signature[9] ^= 1;
    assert!(
        only_finding(&world, Severity::Wrong)
            .starts_with("carol's log, entry 4: the approval is not signed")
    );
}

#[test]
fn an_approval_of_another_expiry() {
    let (mut world, id, _) = simple();
    let mut approval = world.approval(0, id);
    approval.expires = approval.expires.plus_ms(1);
    world.sign_approval(0, &mut approval);
    world.say(0, Entry::Approval(approval));
    assert!(
        only_finding(&world, Severity::Wrong)
            .starts_with("alice's log, entry 5: the approval binds another")
    );
}

#[test]
fn a_signature_after_the_expiry() {
    let (mut world, id, _) = simple();
    world.now = world
        .state(0)
        .standing(&id, world.now)
        .unwrap()
        .request
        .expires;
    let session = world.open(&[1, 2], id, Purpose::Payment);
    world.signed(&[1, 2], session);
    let report = report(&world);
    let said: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| finding.what.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "bob signed it after its expiry",
            "carol signed it after its expiry"
        ]
    );
}

/// Two payments from one: a second request claims to stand in place of one that was never withdrawn.
#[test]
fn a_request_in_place_of_one_that_stands() {
    let (mut world, id, session) = simple();
    world.signed(&[1, 2], session);
    let again = world.state(0).draft_again(&id, 1, [77; 32]).unwrap();
    world.ask(0, again);
    assert!(only_finding(&world, Severity::Wrong).contains("was not withdrawn before it"));
}

#[test]
fn members_whose_records_differ() {
    let (mut world, _, session) = simple();
    world.signed(&[1, 2], session);
    let entry = entry_of(&mut world, |entry| matches!(entry, Entry::SessionRecord(_)));
    let Entry::SessionRecord(record) = entry else {
        panic!()
    };
    record.attempt = 7;
    assert!(
        only_finding(&world, Severity::Wrong).contains("carol's record of it says something else")
    );
}

type SpoilSeen = fn(&mut Seen);

#[test]
fn a_receipt_that_is_not_the_vaults() {
    let cases: [(SpoilSeen, &str); 3] = [
        (
            |seen| {
                if let Seen::Mined { hash, .. } = seen {
                    hash[0] ^= 1
                }
            },
            "another hash or slot",
        ),
        (
            |seen| {
                if let Seen::Mined { raw, .. } = seen {
                    raw.push(0)
                }
            },
            "is not understood",
        ),
        (
            |seen| {
                if let Seen::Mined { raw, .. } = seen {
                    raw.clear()
                }
            },
            "is not understood",
        ),
    ];
    for (spoil, what) in cases {
        let mut world = paid();
        let entry = entry_of(&mut world, |entry| matches!(entry, Entry::Receipt(_)));
        let Entry::Receipt(receipt) = entry else {
            panic!()
        };
        spoil(&mut receipt.seen);
        let finding = only_finding(&world, Severity::Wrong);
        assert!(
            finding.starts_with("carol's log") && finding.contains(what),
            "{finding}"
        );
    }
}

#[test]
fn a_word_on_somebody_elses_request() {
    let (mut world, id, _) = simple();
    world.cancel(1, id);
    assert!(only_finding(&world, Severity::Wrong).contains("only the request's author"));
}

#[test]
fn a_word_on_a_request_that_is_not_there() {
    let (mut world, _, _) = simple();
    world.reject(1, RequestId([3; 32]));
    assert!(
        only_finding(&world, Severity::Missing)
            .contains("request 03030303, which is not in the bundle")
    );
}

#[test]
fn a_prepared_that_is_not_signed() {
    let (mut world, _, _) = simple();
    let entry = entry_of(&mut world, |entry| matches!(entry, Entry::Prepared(_)));
    let Entry::Prepared(prepared) = entry else {
        panic!()
    };
    prepared.signature[0] ^= 1;
    let report = report(&world);
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.place == "carol's log, entry 2" && f.severity == Severity::Wrong)
    );
    assert!(report.findings.iter().any(|f| f.place == "act 0"));
    assert_eq!(report.address, None);
}

#[test]
fn another_charter_in_the_first_entry() {
    let (mut world, _, _) = simple();
    let mut charter = world.charter.clone();
    charter.threshold = 3;
    charter.rule = crate::charter::Rule::Approvals { k: 3 };
    world.entries[1].1.entry = Entry::Founded(Box::new(charter));
    let report = report(&world);
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.place == "bob's log, entry 0" && f.severity == Severity::Wrong)
    );
}

/// An author that showed bob and carol its request, and later one in its place, without the withdrawal in between: each
/// was approved and paid. The whole log has it all.
#[test]
fn a_request_and_the_one_in_its_place_both_paid() {
    let (mut world, first, session) = simple();
    world.signed(&[1, 2], session);
    world.mine(1, first, 0, session);
    world.cancel(0, first);
    let asked = world.state(0).standing(&first, world.now).unwrap().request;
    let request = Request {
        nonce: [0xab; 32],
        intent: world.draft(1).intent,
        instead_of: Some(first),
        ..asked
    };
    let second = world.ask(0, request);
    world.approve(&[1, 2], second);
    let session = world.sign(&[1, 2], second, Purpose::Payment);
    assert!(
        report(&world).is_sound(),
        "only one of the two is on the chain"
    );
    world.mine(2, second, 1, session);
    let finding = only_finding(&world, Severity::Wrong);
    let place = format!(
        "request {}: it was paid, and so was {}",
        second.short(),
        first.short()
    );
    assert!(finding.starts_with(&place), "{finding}");
}
