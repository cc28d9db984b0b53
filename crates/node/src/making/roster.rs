//! The roster: made by the creator from the cards of all, checked by every joiner.

use std::net::SocketAddr;

use quorate_vault::charter::{Addresses, FOUNDING_VERSION, Member, Role, Rule};
use quorate_vault::{Charter, PartyId};
use quorate_wire::{PartyCard, VerifiedCard};

use super::record::{Inviting, Joined, Labels};
use crate::peers::Contact;

/// The member that a card and labels make.
pub(crate) fn member(card: &PartyCard, labels: &Labels) -> Member {
    Member {
        party: PartyId::of_identity(&card.identity),
        name: card.name.clone(),
        identity: card.identity,
        endpoint: card.endpoint,
        credential: card.credential,
        controller: labels.controller.clone(),
        domains: vec![labels.domain.clone()],
        role: Role::Signer,
    }
}

/// How to reach the party of a card.
pub(crate) fn contact(card: &PartyCard) -> Contact {
    Contact {
        name: card.name.clone(),
        identity: card.identity,
        endpoint: card.endpoint,
        addresses: card.addresses.clone(),
    }
}

/// How to reach the members of a founded vault, apart from this one.
pub(crate) fn contacts(charter: &Charter, addresses: &Addresses, me: &PartyId) -> Vec<Contact> {
    let at = |party: &PartyId| -> Vec<SocketAddr> {
        let found = addresses.iter().find(|(of, _)| of == party);
        found
            .map(|(_, addresses)| addresses.clone())
            .unwrap_or_default()
    };
    let others = charter.members.iter().filter(|member| member.party != *me);
    others
        .map(|member| Contact {
            name: member.name.clone(),
            identity: member.identity,
            endpoint: member.endpoint,
            addresses: at(&member.party),
        })
        .collect()
}

/// The charter and the addresses of a complete roster: the creator, then the others as they came.
pub(crate) fn found(inviting: &Inviting, own: VerifiedCard) -> Option<(Charter, Addresses)> {
    let cards: Option<Vec<(VerifiedCard, &Labels)>> = inviting
        .seats
        .iter()
        .map(|seat| Some((seat.card()?, &seat.labels)))
        .collect();
    let all = std::iter::once((own, &inviting.labels)).chain(cards?);
    let (mut members, mut addresses) = (Vec::new(), Vec::new());
    for (card, labels) in all {
        let card = card.card();
        members.push(member(card, labels));
        addresses.push((PartyId::of_identity(&card.identity), card.addresses.clone()));
    }
    let terms = &inviting.terms;
    let charter = Charter {
        version: FOUNDING_VERSION,
        name: terms.name.clone(),
        nonce: terms.nonce,
        threshold: terms.threshold,
        rule: Rule::Approvals { k: terms.needed },
        members,
    };
    Some((charter, addresses))
}

/// Why a roster is not the one that this member joined; none if it is. `own` and `inviter` are the cards of this member
/// and of who invited it.
pub(crate) fn roster_fault(
    charter: &Charter,
    joined: &Joined,
    own: &PartyCard,
    inviter: &PartyCard,
) -> Option<String> {
    let terms = &joined.terms;
    if let Err(error) = charter.check() {
        return Some(error.to_string());
    }
    let same_terms = charter.name == terms.name
        && charter.nonce == terms.nonce
        && charter.threshold == terms.threshold
        && charter.size() == terms.size
        && charter.needed() == terms.needed;
    if !same_terms {
        return Some("its name, threshold or size differ from what the invitation said".to_owned());
    }
    let own = member(own, &joined.labels);
    if charter.member(&own.party) != Some(&own) {
        return Some("this member stands in it with other keys or labels than its own".to_owned());
    }
    let first = charter.members.first();
    let same_inviter = first.is_some_and(|first| {
        first.identity == inviter.identity
            && first.endpoint == inviter.endpoint
            && first.credential == inviter.credential
            && first.name == inviter.name
    });
    (!same_inviter)
        .then(|| "the inviter stands in it with other keys than it paired with".to_owned())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use quorate_vault::Charter;
    use quorate_wire::{PartyCard, VerifiedCard};

    use super::{found, roster_fault};
    use crate::making::record::{Inviting, Joined, Labels, Seat, Terms};

    fn card(name: &str, seed: u8) -> VerifiedCard {
        let key = |role: u8| SigningKey::from_bytes(&[seed.wrapping_add(role); 32]);
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

    fn labels(domain: &str) -> Labels {
        Labels {
            controller: "owner".into(),
            domain: domain.into(),
        }
    }

    /// Alice begins a vault that bob and carol join; what bob waits for.
    fn joined() -> (Charter, Joined) {
        let terms = Terms {
            name: "family".into(),
            nonce: [7; 32],
            threshold: 2,
            size: 3,
            needed: 2,
        };
        let seat = |name: &str, seed: u8| Seat {
            card: card(name, seed).encode(),
            labels: labels(name),
        };
        let inviting = Inviting {
            terms: terms.clone(),
            labels: labels("alice"),
            seats: vec![seat("bob", 20), seat("carol", 30)],
        };
        let (charter, addresses) = found(&inviting, card("alice", 10)).unwrap();
        assert_eq!(addresses.len(), 3);
        let joined = Joined {
            terms,
            labels: labels("bob"),
            inviter: card("alice", 10).encode(),
        };
        (charter, joined)
    }

    fn fault(alter: impl Fn(&mut Charter)) -> Option<String> {
        let (mut charter, joined) = joined();
        alter(&mut charter);
        roster_fault(
            &charter,
            &joined,
            card("bob", 20).card(),
            card("alice", 10).card(),
        )
    }

    #[test]
    fn the_roster_that_was_agreed_is_taken() {
        assert_eq!(fault(|_| ()), None);
    }

    /// A creator that tells one joiner another roster than it was invited to, or other keys for it.
    #[test]
    fn any_other_roster_is_refused() {
        let other = || card("mallory", 40).card().clone();
        type Alteration<'a> = (&'a str, &'a dyn Fn(&mut Charter));
        let alterations: [Alteration<'_>; 13] = [
            ("name", &|c| c.name = "other".into()),
            ("nonce", &|c| c.nonce = [8; 32]),
            ("threshold", &|c| {
                c.threshold = 3;
                c.rule = quorate_vault::charter::Rule::Approvals { k: 3 };
            }),
            ("approvals", &|c| {
                c.rule = quorate_vault::charter::Rule::Approvals { k: 3 }
            }),
            ("version", &|c| c.version = 2),
            ("a member fewer", &|c| drop(c.members.pop())),
            ("a member more", &|c| {
                let one = super::member(&other(), &labels("x"));
                c.members.push(one);
            }),
            ("own approval key", &|c| {
                c.members[1].credential = other().credential
            }),
            ("own endpoint", &|c| {
                c.members[1].endpoint = other().endpoint
            }),
            ("own label", &|c| {
                c.members[1].controller = "provider".into()
            }),
            ("not in it", &|c| {
                c.members[1] = super::member(&other(), &labels("x"))
            }),
            ("inviter's approval key", &|c| {
                c.members[0].credential = other().credential
            }),
            ("inviter not first", &|c| c.members.swap(0, 2)),
        ];
        for (name, alter) in alterations {
            assert!(fault(alter).is_some(), "{name}");
        }
    }
}
