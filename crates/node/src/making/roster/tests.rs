//! A creator that tells lies, at every step of settling on a roster.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use ed25519_dalek::SigningKey;
use quorate_vault::charter::Rule;
use quorate_vault::{Charter, PartyId};
use quorate_wire::{PartyCard, VerifiedCard};

use super::{addresses, charter_fault, draft, found, member, take_draft, take_nonce};
use crate::making::draft::{Draft, commitment};
use crate::making::record::{Inviting, Joined, Labels, Seat, Taken, Terms};

const VAULT: [u8; 32] = [7; 32];

fn card(name: &str) -> VerifiedCard {
    let key = |role: u8| {
        let mut seed = [role; 32];
        seed[..name.len()].copy_from_slice(name.as_bytes());
        SigningKey::from_bytes(&seed)
    };
    let (identity, endpoint, credential) = (key(0), key(1), key(2));
    let card = PartyCard {
        name: name.into(),
        identity: identity.verifying_key().to_bytes(),
        endpoint: endpoint.verifying_key().to_bytes(),
        credential: credential.verifying_key().to_bytes(),
        controller: "owner".into(),
        trust_domains: vec![name.into()],
        revision: 1,
        addresses: vec!["127.0.0.1:7300".parse().unwrap()],
    };
    VerifiedCard::sign(card, &identity, &credential).unwrap()
}

fn party(name: &str) -> PartyId {
    PartyId::of_identity(&card(name).card().identity)
}

fn labels(domain: &str) -> Labels {
    Labels {
        controller: "owner".into(),
        domain: domain.into(),
    }
}

fn nonce(name: &str) -> [u8; 32] {
    [name.as_bytes()[0]; 32]
}

fn committed(name: &str) -> [u8; 32] {
    commitment(&VAULT, &card(name).card().identity, &nonce(name))
}

fn terms() -> Terms {
    Terms {
        name: "family".into(),
        nonce: VAULT,
        threshold: 2,
        size: 3,
        needed: 2,
        commitment: committed("alice"),
    }
}

/// Alice began a vault that these joined.
fn begun(joiners: &[&str]) -> Inviting {
    let seat = |name: &&str| Seat {
        card: card(name).encode(),
        taken: Taken {
            labels: labels(name),
            commitment: committed(name),
        },
        nonce: None,
    };
    Inviting {
        terms: terms(),
        labels: labels("alice"),
        nonce: nonce("alice"),
        seats: joiners.iter().map(seat).collect(),
    }
}

fn drafted() -> Draft {
    draft(&begun(&["bob", "carol"]), &card("alice")).unwrap()
}

/// What bob waits for after he has paired.
fn bob() -> Joined {
    Joined {
        terms: terms(),
        labels: labels("bob"),
        inviter: card("alice").encode(),
        nonce: nonce("bob"),
        draft: None,
    }
}

fn take(joined: &mut Joined, draft: Draft) -> Result<bool, String> {
    take_draft(joined, draft, card("bob").card(), card("alice").card())
}

/// The honest charter.
fn charter() -> Charter {
    let mut inviting = begun(&["bob", "carol"]);
    for name in ["bob", "carol"] {
        assert_eq!(
            take_nonce(&mut inviting, &party(name), nonce(name)),
            Ok(true)
        );
    }
    found(&inviting, &card("alice")).unwrap()
}

#[test]
fn what_was_agreed_is_taken() {
    let mut bob = bob();
    assert_eq!(take(&mut bob, drafted()), Ok(true));
    assert_eq!(take(&mut bob, drafted()), Ok(false));
    assert_eq!(charter_fault(&bob, &charter()), None);
    assert_eq!(
        addresses(&begun(&["bob", "carol"]), &card("alice")).len(),
        3
    );
}

/// A creator that tells one joiner another roster than it was invited to, or other keys or commitments for it.
#[test]
fn any_other_draft_is_refused() {
    let mallory = || card("mallory").card().clone();
    type Alteration<'a> = (&'a str, &'a dyn Fn(&mut Charter));
    let alterations: [Alteration<'_>; 15] = [
        ("name", &|c| c.name = "other".into()),
        ("nonce", &|c| c.nonce = [8; 32]),
        ("threshold", &|c| {
            c.threshold = 3;
            c.rule = Rule::Approvals { k: 3 };
        }),
        ("approvals", &|c| c.rule = Rule::Approvals { k: 3 }),
        ("version", &|c| c.version = 2),
        ("a member fewer", &|c| drop(c.members.pop())),
        ("a member more", &|c| {
            c.members.push(member(&mallory(), &labels("x"), [1; 32]));
        }),
        ("own approval key", &|c| {
            c.members[1].credential = mallory().credential
        }),
        ("own endpoint", &|c| {
            c.members[1].endpoint = mallory().endpoint
        }),
        ("own label", &|c| {
            c.members[1].controller = "provider".into()
        }),
        ("own commitment", &|c| c.members[1].nonce = [1; 32]),
        ("not in it", &|c| {
            c.members[1] = member(&mallory(), &labels("x"), [1; 32]);
        }),
        ("inviter's approval key", &|c| {
            c.members[0].credential = mallory().credential
        }),
        ("inviter's commitment", &|c| c.members[0].nonce = [1; 32]),
        ("inviter not first", &|c| c.members.swap(0, 2)),
    ];
    for (what, alter) in alterations {
        let mut roster = drafted().roster().clone();
        alter(&mut roster);
        let mut bob = bob();
        let taken = take(&mut bob, Draft::of_commitments(roster));
        assert!(taken.is_err(), "{what}");
        assert_eq!(bob.draft, None, "{what}: nothing may be revealed");
    }
}

/// Threat: a creator that has heard bob's nonce looks for a roster with the words that it showed somebody else: it
/// tells a second draft, or opens the first one otherwise, its own nonce and another member's included.
#[test]
fn who_has_heard_a_nonce_can_choose_nothing_any_more() {
    let mut bob = bob();
    take(&mut bob, drafted()).unwrap();
    let mallory = card("mallory");
    let mut other = drafted().roster().clone();
    other.members[2] = member(mallory.card(), &labels("x"), committed("mallory"));
    let second = take(&mut bob, Draft::of_commitments(other));
    assert!(second.unwrap_err().contains("another"));
    assert_eq!(bob.draft, Some(drafted()));

    let alterations: [&dyn Fn(&mut Charter); 6] = [
        &|c| c.members[0].nonce = [1; 32],
        &|c| c.members[1].nonce = [1; 32],
        &|c| c.members[2].nonce = [1; 32],
        &|c| c.members[2].nonce = committed("carol"),
        &|c| c.members[2] = member(mallory.card(), &labels("x"), nonce("mallory")),
        &|c| c.members[2].domains = vec!["office".into()],
    ];
    for (which, alter) in alterations.iter().enumerate() {
        let mut charter = charter();
        alter(&mut charter);
        assert!(charter_fault(&bob, &charter).is_some(), "{which}");
    }
}

/// Threat: a creator that leaves out the draft, so that bob's nonce is in no charter, or the charter in no draft.
#[test]
fn no_charter_is_taken_before_a_draft() {
    assert!(charter_fault(&bob(), &charter()).is_some());
}

/// Threat: mallory says bob's commitment as her own, to reveal his nonce after him; or a joiner reveals something else.
#[test]
fn a_nonce_opens_its_own_commitment_only() {
    let mut inviting = begun(&["bob", "mallory"]);
    inviting.seats[1].taken.commitment = committed("bob");
    let revealed = take_nonce(&mut inviting, &party("mallory"), nonce("bob"));
    assert!(revealed.unwrap_err().contains("mallory"));
    assert!(take_nonce(&mut inviting, &party("bob"), nonce("carol")).is_err());
    assert_eq!(
        take_nonce(&mut inviting, &party("bob"), nonce("bob")),
        Ok(true)
    );
    assert_eq!(
        take_nonce(&mut inviting, &party("bob"), nonce("bob")),
        Ok(false)
    );
    assert_eq!(
        take_nonce(&mut inviting, &party("carol"), nonce("carol")),
        Ok(false),
        "no member"
    );
    assert_eq!(found(&inviting, &card("alice")), None, "one is missing");
}

/// Threat: a joiner that reveals before every seat is taken, so that who joins after it knows its nonce.
#[test]
fn nothing_is_drafted_or_revealed_before_every_seat_is_taken() {
    let mut inviting = begun(&["bob"]);
    assert_eq!(draft(&inviting, &card("alice")), None);
    assert_eq!(
        take_nonce(&mut inviting, &party("bob"), nonce("bob")),
        Ok(false)
    );
    assert_eq!(inviting.seats[0].nonce, None);
}

/// Threat: a joiner signs itself a card with a name that no charter takes and sits down early; whoever comes last is
/// refused for it for ever, and the seat is never free again.
#[test]
fn who_fits_in_no_charter_gets_no_seat() {
    let inviting = begun(&["bob!", "carol"]);
    let drafted = draft(&inviting, &card("alice")).unwrap();
    assert!(
        drafted.roster().check().is_err(),
        "the last seat is never given"
    );
    let refused = crate::making::invite::clash(&card("bob!"), &[card("alice")]);
    assert!(refused.is_some(), "and yet the first one is");
}
