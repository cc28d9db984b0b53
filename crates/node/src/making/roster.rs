//! The roster: made by the creator from the cards of all, checked by every joiner; first as a draft, then as the charter.

use std::net::SocketAddr;

use quorate_vault::charter::{FOUNDING_VERSION, Member, Role, Rule};
use quorate_vault::{Charter, PartyId};
use quorate_wire::{PartyCard, VerifiedCard};

use super::draft::{Draft, commitment};
use super::record::{Addresses, Inviting, Joined, Labels, Seat};
use crate::peers::Contact;

/// The member that a card and labels make, with its nonce or its commitment to it.
pub(crate) fn member(card: &PartyCard, labels: &Labels, nonce: [u8; 32]) -> Member {
    Member {
        party: PartyId::of_identity(&card.identity),
        name: card.name.clone(),
        identity: card.identity,
        endpoint: card.endpoint,
        credential: card.credential,
        controller: labels.controller.clone(),
        domains: vec![labels.domain.clone()],
        role: Role::Signer,
        nonce,
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

/// The draft, once every seat is taken: the creator, then the others as they came.
pub(crate) fn draft(inviting: &Inviting, own: &VerifiedCard) -> Option<Draft> {
    let commitments = |seat: &Seat| Some(seat.taken.commitment);
    assemble(inviting, own, inviting.terms.commitment, commitments).map(Draft::of_commitments)
}

/// The charter, once everybody has revealed its nonce.
pub(crate) fn found(inviting: &Inviting, own: &VerifiedCard) -> Option<Charter> {
    assemble(inviting, own, inviting.nonce, |seat| seat.nonce)
}

fn assemble(
    inviting: &Inviting,
    own: &VerifiedCard,
    creators: [u8; 32],
    joiners: impl Fn(&Seat) -> Option<[u8; 32]>,
) -> Option<Charter> {
    if inviting.free() > 0 {
        return None;
    }
    let mut members = vec![member(own.card(), &inviting.labels, creators)];
    for seat in &inviting.seats {
        let card = seat.card()?;
        members.push(member(card.card(), &seat.taken.labels, joiners(seat)?));
    }
    let terms = &inviting.terms;
    Some(Charter {
        version: FOUNDING_VERSION,
        name: terms.name.clone(),
        nonce: terms.nonce,
        threshold: terms.threshold,
        rule: Rule::Approvals { k: terms.needed },
        members,
    })
}

/// Where the members of a roster can be reached.
pub(crate) fn addresses(inviting: &Inviting, own: &VerifiedCard) -> Addresses {
    let seated = inviting.seats.iter().filter_map(Seat::card);
    let at = |card: VerifiedCard| {
        let card = card.card();
        let party = PartyId::of_identity(&card.identity);
        (party, card.addresses.clone())
    };
    std::iter::once(own.clone()).chain(seated).map(at).collect()
}

/// Takes what a joiner reveals; gives whether it is news.
///
/// # Errors
/// Why it is not taken, for people.
pub(crate) fn take_nonce(
    inviting: &mut Inviting,
    from: &PartyId,
    nonce: [u8; 32],
) -> Result<bool, String> {
    if inviting.free() > 0 {
        return Ok(false);
    }
    let vault = inviting.terms.nonce;
    let Some(seat) = inviting.seats.iter_mut().find(|seat| seat.is_of(from)) else {
        return Ok(false);
    };
    let Some(card) = seat.card().filter(|_| seat.nonce.is_none()) else {
        return Ok(false);
    };
    if commitment(&vault, &card.card().identity, &nonce) != seat.taken.commitment {
        return Err(format!(
            "{} reveals other randomness than it committed to",
            card.card().name
        ));
    }
    seat.nonce = Some(nonce);
    Ok(true)
}

/// Takes a draft for good; gives whether it is news. `own` is this member's card, `inviter` that of who invited it.
///
/// # Errors
/// Why it is not taken, for people.
pub(crate) fn take_draft(
    joined: &mut Joined,
    draft: Draft,
    own: &PartyCard,
    inviter: &PartyCard,
) -> Result<bool, String> {
    match &joined.draft {
        Some(taken) if *taken == draft => return Ok(false),
        Some(_) => {
            return Err("it is another than the one that this member has taken".to_owned());
        }
        None => {}
    }
    if let Some(why) = draft_fault(&draft, joined, own, inviter) {
        return Err(why);
    }
    joined.draft = Some(draft);
    Ok(true)
}

/// Why a draft is not one that this member joined; none if it is.
fn draft_fault(
    draft: &Draft,
    joined: &Joined,
    own: &PartyCard,
    inviter: &PartyCard,
) -> Option<String> {
    let (roster, terms) = (draft.roster(), &joined.terms);
    if let Err(error) = roster.check() {
        return Some(error.to_string());
    }
    let same_terms = roster.name == terms.name
        && roster.nonce == terms.nonce
        && roster.threshold == terms.threshold
        && roster.size() == terms.size
        && roster.needed() == terms.needed;
    if !same_terms {
        return Some("its name, threshold or size differ from what the invitation said".to_owned());
    }
    let committed = commitment(&terms.nonce, &own.identity, &joined.nonce);
    let own = member(own, &joined.labels, committed);
    if roster.member(&own.party) != Some(&own) {
        return Some(
            "this member stands in it with other keys, labels or randomness than its own"
                .to_owned(),
        );
    }
    let first = roster.members.first();
    let same_inviter = first.is_some_and(|first| {
        first.identity == inviter.identity
            && first.endpoint == inviter.endpoint
            && first.credential == inviter.credential
            && first.name == inviter.name
            && first.nonce == terms.commitment
    });
    (!same_inviter).then(|| {
        "the inviter stands in it with other keys or randomness than it paired with".to_owned()
    })
}

/// Why a charter is not the draft that this member has taken; none if it is.
pub(crate) fn charter_fault(joined: &Joined, charter: &Charter) -> Option<String> {
    let why = match &joined.draft {
        Some(draft) if draft.is_opened_by(charter) => return None,
        Some(_) => "it is not the draft that this member has taken, with everybody's randomness",
        None => "it came before this member has taken a draft",
    };
    Some(why.to_owned())
}

#[cfg(test)]
mod tests;
