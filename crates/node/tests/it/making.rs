//! Vaults begun and joined: codes, rosters, restarts in between.

use std::io::{Read, Write};
use std::net::TcpStream;

use quorate_api::{
    ConfirmRoster, CreateVault, ErrorCode, Invitation, JoinVault, MemberState, SendPayment,
    VaultPhase, VaultView,
};

use crate::member::{Member, PIN, refused, secret};

fn create(name: &str, threshold: u8, members: u8) -> CreateVault {
    CreateVault {
        name: name.into(),
        threshold,
        members,
        controller: None,
        trust_domain: None,
    }
}

fn join_with(code: &str, at: &Invitation) -> JoinVault {
    JoinVault {
        code: code.into(),
        address: at.address.clone(),
        name: None,
        controller: None,
        trust_domain: None,
    }
}

fn join(at: &Invitation) -> JoinVault {
    join_with(&at.code, at)
}

fn confirm(words: &[String], pin: &str) -> ConfirmRoster {
    ConfirmRoster {
        words: words.to_vec(),
        pin: secret(pin),
    }
}

/// The same shape, other digits.
fn mistyped(code: &str) -> String {
    let turned = |c: char| {
        if c.is_ascii_digit() {
            if c == '7' { '3' } else { '7' }
        } else {
            c
        }
    };
    code.chars().map(turned).collect()
}

fn words(view: &VaultView) -> Vec<String> {
    view.words.clone().unwrap()
}

/// Two members whose vault waits for the six words.
fn confirming() -> (Member, Member, Vec<String>) {
    let (alice, bob) = (Member::new("alice"), Member::new("bob"));
    let made = alice
        .client()
        .create_vault(&create("family", 2, 2))
        .unwrap();
    bob.client()
        .join_vault(&join(&made.invitations[0]))
        .unwrap();
    let at_a = alice.until("family", |view| view.phase == VaultPhase::Confirming);
    let at_b = bob.until("family", |view| view.phase == VaultPhase::Confirming);
    assert_eq!((&at_a.id, words(&at_a)), (&at_b.id, words(&at_b)));
    let found = words(&at_a);
    (alice, bob, found)
}

#[test]
fn impossible_vaults_are_refused() {
    let alice = Member::new("alice");
    let client = alice.client();
    for (threshold, members) in [(2, 4), (1, 1), (1, 2), (3, 2), (0, 3), (9, 17)] {
        assert_eq!(
            refused(client.create_vault(&create("family", threshold, members))).0,
            ErrorCode::Usage
        );
    }
    assert_eq!(
        refused(client.create_vault(&create("The Family", 2, 2))).0,
        ErrorCode::Usage
    );
    let mut odd = create("family", 2, 2);
    odd.controller = Some("own\u{202e}er".into());
    assert_eq!(refused(client.create_vault(&odd)).0, ErrorCode::Usage);
    assert!(client.vaults().unwrap().is_empty());
    client.create_vault(&create("family", 2, 2)).unwrap();
    assert_eq!(
        refused(client.create_vault(&create("family", 2, 2))).0,
        ErrorCode::Duplicate
    );
}

/// Somebody without the code: three tries, then the code is dead for everybody.
#[test]
fn a_code_dies_after_three_wrong_tries() {
    let (alice, bob) = (Member::new("alice"), Member::new("bob"));
    let made = alice
        .client()
        .create_vault(&create("family", 2, 2))
        .unwrap();
    let invitation = &made.invitations[0];
    let client = bob.client();
    assert_eq!(
        refused(client.join_vault(&join_with("12-ab", invitation))).0,
        ErrorCode::Usage
    );
    let wrong = mistyped(&invitation.code);
    for left in ["2 tries left", "1 tries left"] {
        let (code, message) = refused(client.join_vault(&join_with(&wrong, invitation)));
        assert_eq!(code, ErrorCode::Locked);
        assert!(message.contains(left), "{message}");
    }
    assert!(
        refused(client.join_vault(&join_with(&wrong, invitation)))
            .1
            .contains("dead")
    );
    assert!(
        refused(client.join_vault(&join(invitation)))
            .1
            .contains("dead")
    );
    assert!(client.vaults().unwrap().is_empty());

    let fresh = alice.client().invite("family").unwrap();
    client.join_vault(&join(&fresh)).unwrap();
    alice.until("family", |view| view.phase == VaultPhase::Confirming);
}

#[test]
fn a_code_works_once() {
    let (alice, bob, carol) = (
        Member::new("alice"),
        Member::new("bob"),
        Member::new("carol"),
    );
    let made = alice
        .client()
        .create_vault(&create("family", 2, 3))
        .unwrap();
    bob.client()
        .join_vault(&join(&made.invitations[0]))
        .unwrap();
    let (code, message) = refused(carol.client().join_vault(&join(&made.invitations[0])));
    assert_eq!(code, ErrorCode::Locked);
    assert!(message.contains("used"), "{message}");
    assert_eq!(alice.vault("family").phase, VaultPhase::Inviting);
    carol
        .client()
        .join_vault(&join(&made.invitations[1]))
        .unwrap();
    let view = carol.until("family", |view| view.phase == VaultPhase::Confirming);
    let names: Vec<&str> = view
        .members
        .iter()
        .map(|member| member.name.as_str())
        .collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
    assert_eq!(
        refused(alice.client().invite("family")).0,
        ErrorCode::Denied
    );
}

#[test]
fn nobody_joins_their_own_vault_or_under_a_name_that_is_taken() {
    let (alice, other) = (Member::new("alice"), Member::new("alice"));
    let made = alice
        .client()
        .create_vault(&create("family", 2, 2))
        .unwrap();
    assert_eq!(
        refused(alice.client().join_vault(&join(&made.invitations[0]))).0,
        ErrorCode::Usage
    );
    let fresh = alice.client().invite("family").unwrap();
    let (code, message) = refused(other.client().join_vault(&join(&fresh)));
    assert_eq!(code, ErrorCode::Denied);
    assert!(message.contains("named alice"), "{message}");
    assert!(other.client().vaults().unwrap().is_empty());
}

/// Junk on the pairing port costs no try.
#[test]
fn strangers_on_the_pairing_port_cost_nothing() {
    let (alice, bob) = (Member::new("alice"), Member::new("bob"));
    let made = alice
        .client()
        .create_vault(&create("family", 2, 2))
        .unwrap();
    let invitation = &made.invitations[0];
    for junk in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 500], &[0xff; 500]] {
        let mut stream = TcpStream::connect(&invitation.address).unwrap();
        stream.write_all(junk).unwrap();
        stream.shutdown(std::net::Shutdown::Write).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
    }
    bob.client().join_vault(&join(invitation)).unwrap();
}

#[test]
fn other_words_and_wrong_pins_confirm_nothing() {
    let (alice, bob, right) = confirming();
    let mut other = right.clone();
    other[2] = if other[2] == "abandon" {
        "ability".into()
    } else {
        "abandon".into()
    };
    assert_eq!(
        refused(bob.client().confirm("family", &confirm(&other, PIN))).0,
        ErrorCode::Integrity
    );
    assert_eq!(
        refused(bob.client().confirm("family", &confirm(&right, "000000"))).0,
        ErrorCode::Locked
    );
    let state = |view: &VaultView, name: &str| {
        view.members
            .iter()
            .find(|one| one.name == name)
            .map(|one| one.state)
    };
    assert_eq!(
        state(&bob.vault("family"), "bob"),
        Some(MemberState::Joined)
    );
    bob.client()
        .confirm("family", &confirm(&right, PIN))
        .unwrap();
    alice.until("family", |view| {
        state(view, "bob") == Some(MemberState::Confirmed)
    });
    assert!(alice.vault("family").addresses.is_empty());
}

#[test]
fn a_vault_can_be_given_up_before_its_keys_are_made() {
    let (alice, bob, _) = confirming();
    alice.client().abandon("family").unwrap();
    assert_eq!(
        refused(alice.client().vault("family")).0,
        ErrorCode::NotFound
    );
    bob.client().abandon("family").unwrap();
    alice
        .client()
        .create_vault(&create("family", 2, 2))
        .unwrap();
}

/// Restarts in every phase; the labels that were given stand in the charter.
#[test]
fn a_vault_comes_to_be_over_restarts_in_every_phase() {
    let (mut alice, mut bob) = (Member::new("alice"), Member::new("bob"));
    let mut asked = create("family", 2, 2);
    asked.controller = Some("provider".into());
    alice.client().create_vault(&asked).unwrap();
    alice.stop();
    alice.start();
    let fresh = alice.client().invite("family").unwrap();
    let mut labelled = join(&fresh);
    labelled.trust_domain = Some("office".into());
    labelled.name = Some("ours".into());
    bob.client().join_vault(&labelled).unwrap();
    bob.stop();
    bob.start();
    let view = bob.until("ours", |view| view.phase == VaultPhase::Confirming);
    let labels: Vec<(&str, &str)> = view
        .members
        .iter()
        .map(|one| (one.controller.as_str(), one.trust_domain.as_str()))
        .collect();
    assert_eq!(labels, [("provider", "alice"), ("owner", "office")]);
    alice.stop();
    alice.start();
    let right = words(&alice.until("family", |view| view.words.is_some()));
    alice
        .client()
        .confirm("family", &confirm(&right, PIN))
        .unwrap();
    alice.stop();
    bob.client().confirm("ours", &confirm(&right, PIN)).unwrap();
    let waiting = bob.until("ours", |view| {
        view.waiting_for
            .iter()
            .any(|one| one.what == "to come online")
    });
    assert!(waiting.addresses.is_empty());
    alice.start();
    let active = bob.until("ours", |view| view.phase == VaultPhase::Active);
    alice.until("family", |view| {
        view.addresses == active.addresses && view.phase == VaultPhase::Active
    });
    assert_eq!(
        refused(alice.client().abandon("family")).0,
        ErrorCode::Denied
    );
    alice.stop();
    alice.start();
    assert_eq!(alice.vault("family").addresses, active.addresses);
    assert_eq!(
        refused(alice.client().send("family", &payment())).0,
        ErrorCode::NotFound
    );
}

/// Whom the vault waits for, in words.
fn awaited(view: &VaultView) -> Vec<(Option<String>, String)> {
    let one = |it: &quorate_api::AwaitedMember| (it.name.clone(), it.what.clone());
    view.waiting_for.iter().map(one).collect()
}

/// The roster is settled while a joiner is away and everybody restarts: before it has taken the draft, after the first
/// has revealed its part, and before the charter has come. Nobody can take a seat any more once all are taken: the
/// others may have taken the draft.
#[test]
fn a_roster_is_settled_over_restarts_and_absence() {
    let (mut alice, mut bob, mut carol) = (
        Member::new("alice"),
        Member::new("bob"),
        Member::new("carol"),
    );
    let made = alice
        .client()
        .create_vault(&create("family", 2, 3))
        .unwrap();
    bob.client()
        .join_vault(&join(&made.invitations[0]))
        .unwrap();
    bob.stop();
    carol
        .client()
        .join_vault(&join(&made.invitations[1]))
        .unwrap();
    let without_bob = [(Some("bob".to_owned()), "to accept the roster".to_owned())];
    alice.until("family", |view| awaited(view) == without_bob);
    assert_eq!(
        refused(alice.client().invite("family")).0,
        ErrorCode::Denied
    );
    let with_draft = [(
        Some("alice".to_owned()),
        "to hear from every member".to_owned(),
    )];
    carol.until("family", |view| awaited(view) == with_draft);
    carol.stop();
    alice.stop();
    alice.start();
    assert_eq!(awaited(&alice.vault("family")), without_bob);
    bob.start();
    let settled = words(&bob.until("family", |view| view.words.is_some()));
    alice.until("family", |view| view.phase == VaultPhase::Confirming);
    alice.stop();
    carol.start();
    assert_eq!(awaited(&carol.vault("family")), with_draft);
    alice.start();
    for member in [&carol, &alice] {
        let view = member.until("family", |view| view.words.is_some());
        assert_eq!(words(&view), settled);
    }
}

/// Threat: mallory has heard both codes, and stands between alice and bob with a member of each one's name.
#[test]
fn who_stands_between_has_other_words_on_either_side() {
    let (alice, bob) = (Member::new("alice"), Member::new("bob"));
    let (as_bob, as_alice) = (Member::new("bob"), Member::new("alice"));
    for (creator, joiner) in [(&alice, &as_bob), (&as_alice, &bob)] {
        let made = creator
            .client()
            .create_vault(&create("family", 2, 2))
            .unwrap();
        joiner
            .client()
            .join_vault(&join(&made.invitations[0]))
            .unwrap();
    }
    let on_screen = |member: &Member| {
        let view = member.until("family", |view| view.words.is_some());
        let names: Vec<String> = view.members.iter().map(|one| one.name.clone()).collect();
        (names, words(&view))
    };
    let ((names_at_a, words_at_a), (names_at_b, words_at_b)) = (on_screen(&alice), on_screen(&bob));
    assert_eq!(names_at_a, names_at_b);
    assert_ne!(words_at_a, words_at_b);
}

/// Who joins a second time, after a pairing that broke at its end, draws anew, and the last commitment counts.
#[test]
fn who_joins_again_commits_again() {
    let (alice, bob, carol) = (
        Member::new("alice"),
        Member::new("bob"),
        Member::new("carol"),
    );
    let made = alice
        .client()
        .create_vault(&create("family", 2, 3))
        .unwrap();
    bob.client()
        .join_vault(&join(&made.invitations[0]))
        .unwrap();
    let fresh = alice.client().invite("family").unwrap();
    bob.client().join_vault(&join(&fresh)).unwrap();
    let fresh = alice.client().invite("family").unwrap();
    carol.client().join_vault(&join(&fresh)).unwrap();
    let settled = words(&bob.until("family", |view| view.words.is_some()));
    for member in [&alice, &carol] {
        let view = member.until("family", |view| view.words.is_some());
        assert_eq!(words(&view), settled);
    }
}

fn payment() -> SendPayment {
    SendPayment {
        chain: None,
        amount: "0.5".into(),
        asset: "ETH".into(),
        to: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".into(),
        note: None,
        expires_in_ms: None,
        idempotency_key: None,
        max_fee_wei: None,
    }
}

/// A fresh stranger's card, and its endpoint key.
fn strangers_card(name: &str) -> (quorate_wire::VerifiedCard, [u8; 32]) {
    use ed25519_dalek::SigningKey;
    use quorate_wire::{PartyCard, VerifiedCard};
    use rand_core::OsRng;

    let [identity, endpoint, credential] = [(); 3].map(|()| SigningKey::generate(&mut OsRng));
    let key = |key: &SigningKey| key.verifying_key().to_bytes();
    let card = PartyCard {
        name: name.into(),
        identity: key(&identity),
        endpoint: key(&endpoint),
        credential: key(&credential),
        controller: "owner".into(),
        trust_domains: vec![name.into()],
        revision: 1,
        addresses: vec![],
    };
    let ours = key(&endpoint);
    let card = VerifiedCard::sign(card, &identity, &credential).unwrap();
    (card, ours)
}

/// Somebody who invites to whatever `vault` it likes; gives the join call that leads there.
fn invites(name: &'static str, vault: [u8; 32]) -> JoinVault {
    use quorate_wire::Channel;
    use quorate_wire::pairing::{Invitation as Code, Inviter};
    use rand_core::{OsRng, RngCore};
    use sha2::{Digest, Sha256};

    let (card, ours) = strangers_card(name);
    let mut code = Code::create(0, &mut OsRng);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let call = JoinVault {
        code: code.code().reveal().to_string(),
        address: listener.local_addr().unwrap().to_string(),
        name: Some(format!("of-{name}")),
        controller: None,
        trust_domain: None,
    };
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut nonce = [0; 32];
        OsRng.fill_bytes(&mut nonce);
        let id = code.id();
        let said = [&b"QRTC"[..], &id.to_be_bytes(), &ours, &nonce].concat();
        stream.write_all(&said).unwrap();
        let mut side = [0; 68];
        stream.read_exact(&mut side).unwrap();
        let mut hash = Sha256::new_with_prefix(b"quorate/pairing/tcp/v1");
        hash.update(id.to_be_bytes());
        for part in [&ours[..], &nonce, &side[4..36], &side[36..]] {
            hash.update(part);
        }
        let channel = Channel {
            ours,
            theirs: side[4..36].try_into().unwrap(),
            exporter: hash.finalize().into(),
        };
        let mut read = stream.try_clone().unwrap();
        let mut read = || {
            let mut length = [0; 4];
            read.read_exact(&mut length).unwrap();
            let mut frame = vec![0; u32::from_be_bytes(length) as usize];
            read.read_exact(&mut frame).unwrap();
            frame
        };
        let mut write = |frame: Vec<u8>| {
            stream
                .write_all(&(frame.len() as u32).to_be_bytes())
                .unwrap();
            stream.write_all(&frame).unwrap();
        };
        let (inviter, reply) = Inviter::answer(&code, 0, &read(), &channel, &mut OsRng).unwrap();
        write(reply);
        let (admitting, reply) = inviter.confirm(&mut code, 0, &read(), &card).unwrap();
        write(reply);
        admitting.joiner(&read()).unwrap();
        let terms = [&b"\x01\x00\x06family"[..], &vault, &[2, 3, 2], &[6; 32]].concat();
        let (seating, welcome) = admitting.welcome(&terms).unwrap();
        write(welcome);
        seating.seated(&read()).unwrap();
    });
    call
}

/// Threat: mallory, whom alice invited too, knows the nonce of alice's vault and invites bob to one of her own with it.
/// Bob's seat and nonce at alice's are lost, and what he calls alice's vault is mallory's.
#[test]
fn an_invitation_replaces_nobody_elses() {
    let bob = Member::new("bob");
    let first = bob.client().join_vault(&invites("alice", [7; 32])).unwrap();
    assert_eq!(first.name, "of-alice");
    // Refused or kept apart: both would do.
    let second = bob.client().join_vault(&invites("mallory", [7; 32]));
    if let Ok(second) = second {
        assert_eq!(second.name, "of-mallory");
    }
}
