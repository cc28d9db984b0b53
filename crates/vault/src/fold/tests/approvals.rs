use crate::charter::Rule;
use crate::entry::{Approval, Entry, Purpose};
use crate::fold::{Denied, Invalid, MAX_LIFETIME_MS, RequestState, intent_digest, request_id};
use crate::ids::{RequestId, Time};
use crate::testing::World;

/// A world with one request by alice that bob approved; what carol says decides.
fn almost() -> (World, RequestId) {
    let mut world = World::active(2, 3);
    let id = world.request(0, 0);
    world.approve(&[1], id);
    (world, id)
}

fn state_after(world: &mut World, approval: Approval) -> (RequestState, usize) {
    let id = approval.request;
    world.say(2, Entry::Approval(approval));
    let standing = world.state(0).standing(&id, world.now).unwrap();
    (standing.state, standing.approvals.len())
}

#[test]
fn enough_approvals_make_a_request_ready() {
    let (mut world, id) = almost();
    assert_eq!(
        world.state(0).request_state(&id, world.now),
        Some(RequestState::WaitingForApprovals)
    );
    assert_eq!(
        world.state(0).undecided(&id),
        [world.party(0), world.party(2)]
    );
    let approval = world.approval(2, id);
    assert_eq!(state_after(&mut world, approval), (RequestState::Ready, 2));
    assert_eq!(
        world.state(0).approvers(&id),
        [world.party(1), world.party(2)]
    );
}

/// An approval that is replayed, retargeted or altered in any bound field must not count (threats.md).
fn refuses(change: impl Fn(&World, &mut Approval)) {
    // Re-signed by the right person: the field itself must be what stops it.
    let (mut world, id) = almost();
    let mut approval = world.approval(2, id);
    change(&world, &mut approval);
    world.sign_approval(2, &mut approval);
    approval.request = id;
    assert_eq!(
        state_after(&mut world, approval.clone()),
        (RequestState::WaitingForApprovals, 1)
    );
    assert!(world.state(2).may_approve(&approval, world.now).is_err());
    // Not re-signed: the signature must stop it too.
    let (mut world, id) = almost();
    let mut approval = world.approval(2, id);
    change(&world, &mut approval);
    approval.request = id;
    assert_eq!(
        state_after(&mut world, approval),
        (RequestState::WaitingForApprovals, 1)
    );
}

#[test]
fn another_charter_version_does_not_count() {
    refuses(|_, approval| approval.charter_version = 2);
}

#[test]
fn another_digest_does_not_count() {
    refuses(|_, approval| approval.intent_digest[0] ^= 1);
}

#[test]
fn another_slot_does_not_count() {
    refuses(|world, approval| {
        let intent = world
            .state(0)
            .standing(&approval.request, world.now)
            .unwrap()
            .request
            .intent;
        approval.intent_digest = intent_digest(&intent.with_slot(1).unwrap());
    });
}

#[test]
fn another_expiry_does_not_count() {
    refuses(|_, approval| approval.expires = approval.expires.plus_ms(1));
}

#[test]
fn another_nonce_does_not_count() {
    refuses(|_, approval| approval.nonce[31] ^= 1);
}

#[test]
fn an_approval_for_another_vault_does_not_count() {
    let (mut world, id) = almost();
    let mut elsewhere = world.clone();
    elsewhere.charter.nonce = [43; 32];
    let mut approval = world.approval(2, id);
    elsewhere.sign_approval(2, &mut approval);
    assert_eq!(
        state_after(&mut world, approval.clone()),
        (RequestState::WaitingForApprovals, 1)
    );
    assert_eq!(
        world.state(2).may_approve(&approval, world.now),
        Err(Denied::BadApproval)
    );
}

#[test]
fn another_members_credential_does_not_count() {
    let (mut world, id) = almost();
    // Bob's own good approval, in carol's log; and carol's identity key in place of her credential.
    let bobs = world.approval(1, id);
    assert_eq!(state_after(&mut world, bobs).1, 1);
    let mut approval = world.approval(2, id);
    let hash = approval.hash(&world.charter.vault_id());
    approval.signature = ed25519_dalek::Signer::sign(&crate::testing::identity(2), &hash)
        .to_bytes()
        .to_vec();
    assert_eq!(state_after(&mut world, approval).1, 1);
}

#[test]
fn an_approval_of_another_request_does_not_count() {
    let (mut world, id) = almost();
    let twin = world.request(1, 0);
    let mut approval = world.approval(2, twin);
    approval.request = id;
    assert_eq!(state_after(&mut world, approval).1, 1);
}

#[test]
fn a_second_approval_of_one_member_does_not_count() {
    let (mut world, id) = almost();
    let again = world.approval(1, id);
    assert_eq!(
        world.state(1).may_approve(&again, world.now),
        Err(Denied::AlreadyApproved)
    );
    world.say(1, Entry::Approval(again));
    let standing = world.state(0).standing(&id, world.now).unwrap();
    assert_eq!(
        (standing.state, standing.approvals.len()),
        (RequestState::WaitingForApprovals, 1)
    );
}

/// Every single bit of a signature matters.
#[test]
fn an_altered_signature_does_not_count() {
    for (at, bit) in [(0, 1), (31, 0x80), (32, 1), (63, 0x80)] {
        let (mut world, id) = almost();
        let mut approval = world.approval(2, id);
        approval.signature[at] ^= bit;
        assert_eq!(state_after(&mut world, approval).1, 1);
    }
    let (mut world, id) = almost();
    let mut approval = world.approval(2, id);
    approval.signature.push(0);
    assert_eq!(state_after(&mut world, approval).1, 1);
}

#[test]
fn who_rejects_takes_back_an_approval_and_gives_none() {
    let (mut world, id) = almost();
    world.approve(&[2], id);
    world.reject(1, id);
    let state = world.state(1);
    assert_eq!(
        state.request_state(&id, world.now),
        Some(RequestState::WaitingForApprovals)
    );
    assert_eq!(
        state.may_sign(&id, Purpose::Payment, world.now),
        Err(Denied::RejectedHere)
    );
    let again = world.approval(1, id);
    assert_eq!(
        state.may_approve(&again, world.now),
        Err(Denied::RejectedHere)
    );
    world.reject(0, id);
    assert_eq!(
        world.state(1).request_state(&id, world.now),
        Some(RequestState::Rejected)
    );
    assert!(
        world
            .state(1)
            .explain(&id, world.now)
            .unwrap()
            .sentence
            .contains("bob")
    );
}

#[test]
fn only_the_author_withdraws_a_request() {
    let (mut world, id) = almost();
    world.cancel(1, id);
    assert_eq!(
        world.state(0).request_state(&id, world.now),
        Some(RequestState::WaitingForApprovals)
    );
    assert_eq!(
        world.state(1).may_cancel(&id, world.now),
        Err(Denied::NotTheAuthor)
    );
    assert_eq!(world.state(0).may_cancel(&id, world.now), Ok(()));
    world.cancel(0, id);
    assert_eq!(
        world.state(1).request_state(&id, world.now),
        Some(RequestState::Cancelled)
    );
    let late = world.approval(2, id);
    assert_eq!(
        world.state(2).may_approve(&late, world.now),
        Err(Denied::Cancelled)
    );
}

#[test]
fn a_request_expires_at_its_time() {
    let (mut world, id) = almost();
    world.approve(&[2], id);
    let expires = world
        .state(0)
        .standing(&id, world.now)
        .unwrap()
        .request
        .expires;
    let before = Time(expires.0 - 1);
    let state = world.state(1);
    assert_eq!(state.request_state(&id, before), Some(RequestState::Ready));
    assert_eq!(state.may_sign(&id, Purpose::Payment, before), Ok(()));
    assert_eq!(
        state.request_state(&id, expires),
        Some(RequestState::Expired)
    );
    assert_eq!(
        state.may_sign(&id, Purpose::Payment, expires),
        Err(Denied::Expired)
    );
}

type Spoil = fn(&mut World, &mut crate::entry::Request);

#[test]
fn requests_that_break_a_rule_are_never_signed() {
    let mut world = World::active(2, 3);
    let cases: [(Invalid, Spoil); 6] = [
        (Invalid::ExpiresTooEarly, |world, request| {
            request.expires = world.now
        }),
        (Invalid::ExpiresTooLate, |world, request| {
            request.expires = world.now.plus_ms(MAX_LIFETIME_MS + 2_000)
        }),
        (Invalid::NoteTooLong, |_, request| {
            request.note = "x".repeat(513)
        }),
        (Invalid::KeyTooLong, |_, request| {
            request.idempotency_key = "x".repeat(129)
        }),
        (Invalid::WrongAccount, |world, request| {
            let mut terms = world.transfer(0);
            terms.from = terms.to;
            request.intent = quorate_chain::Intent::EvmTransfer(
                quorate_chain::evm::Transfer::new(terms).unwrap(),
            );
        }),
        (Invalid::WrongAccount, |world, request| {
            let mut terms = world.transfer(0);
            terms.from = quorate_chain::evm::Address::new([1; 20]);
            request.intent = quorate_chain::Intent::EvmTransfer(
                quorate_chain::evm::Transfer::new(terms).unwrap(),
            );
        }),
    ];
    for (expected, spoil) in cases {
        let mut request = world.draft(0);
        spoil(&mut world, &mut request);
        let id = world.ask(0, request);
        world.approve(&[0, 1, 2], id);
        let state = world.state(1);
        assert_eq!(
            state.request_state(&id, world.now),
            Some(RequestState::Invalid(expected))
        );
        assert_eq!(
            state.may_sign(&id, Purpose::Payment, world.now),
            Err(Denied::Invalid(expected))
        );
        assert_eq!(
            state.next_slot(crate::testing::CHAIN, world.now),
            0,
            "an invalid request holds no slot"
        );
    }
}

#[test]
fn k_can_be_more_than_the_threshold() {
    let mut world = World::silent(2, 3);
    world.charter.rule = Rule::Approvals { k: 3 };
    world.public = crate::testing::public_keys(&world.charter, 5);
    (0..3).for_each(|i| world.found(i));
    (0..3).for_each(|i| world.prepare(i, 1));
    (0..3).for_each(|i| world.acknowledge(i, 1));
    let id = world.request(0, 0);
    world.approve(&[0, 1], id);
    let denied = world.state(0).may_sign(&id, Purpose::Payment, world.now);
    assert_eq!(denied, Err(Denied::Approvals { have: 2, needed: 3 }));
    world.approve(&[2], id);
    assert_eq!(
        world.state(0).may_sign(&id, Purpose::Payment, world.now),
        Ok(())
    );
}

#[test]
fn request_ids_bind_vault_author_and_content() {
    let mut world = World::active(2, 3);
    let request = world.draft(0);
    let vault = world.charter.vault_id();
    let id = request_id(&vault, &world.party(0), &request);
    assert_ne!(request_id(&vault, &world.party(1), &request), id);
    assert_ne!(
        request_id(&crate::VaultId([0; 32]), &world.party(0), &request),
        id
    );
    let mut other = request.clone();
    other.note.push('!');
    assert_ne!(request_id(&vault, &world.party(0), &other), id);
}
