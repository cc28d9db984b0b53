//! The creator tells the draft to every joiner until that one has revealed its nonce, and then the charter until it has
//! confirmed it, again and again: a message can be lost, and a joiner can be away for days.

use std::time::Duration;

use quorate_vault::machine::Phase;
use quorate_vault::{Charter, PartyId};
use tokio::time::{MissedTickBehavior, interval};

use super::record::{Founded, Inviting, Seat, Stage};
use super::roster::draft;
use super::said::Said;
use super::{Making, WeakMaking};

/// How often something is told.
const AGAIN: Duration = Duration::from_secs(1);

/// Tells as long as somebody holds `making`.
pub(super) async fn keep_telling(making: WeakMaking) {
    let mut pulse = interval(AGAIN);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pulse.tick().await;
        let Some(making) = making.upgrade() else {
            return;
        };
        for (name, record) in making.all() {
            match record.stage {
                Stage::Inviting(inviting) => tell_draft(&making, &inviting),
                Stage::Founded(founded) => tell_charter(&making, &name, &founded).await,
                Stage::Joined(_) => {}
            }
        }
    }
}

fn tell_draft(making: &Making, inviting: &Inviting) {
    let Some(draft) = draft(inviting, &making.own_card()) else {
        return;
    };
    let said = Said::Draft(Box::new(draft)).encode();
    let silent = inviting.seats.iter().filter(|seat| seat.nonce.is_none());
    for card in silent.filter_map(Seat::card) {
        let party = PartyId::of_identity(&card.card().identity);
        making.0.tools.peers.send_making(party, &said);
    }
}

async fn tell_charter(making: &Making, name: &str, founded: &Founded) {
    let tools = &making.0.tools;
    let Some(handle) = tools.vaults.named(name) else {
        return;
    };
    let created_here = handle
        .charter
        .members
        .first()
        .is_some_and(|first| first.party == tools.me.party);
    if !created_here {
        return;
    }
    let unconfirmed = handle.look(|seen| {
        let confirming = seen.vault.view().phase == Phase::Confirming;
        let missing = seen
            .vault
            .charter()
            .parties()
            .filter(|party| !seen.vault.state().has_founded(party));
        if confirming {
            missing.collect()
        } else {
            Vec::new()
        }
    });
    let (Ok(unconfirmed), Ok(charter)) = (unconfirmed.await, Charter::decode(&founded.charter))
    else {
        return;
    };
    let said = Said::Charter {
        charter: Box::new(charter),
        addresses: founded.addresses.clone(),
    }
    .encode();
    for party in unconfirmed
        .into_iter()
        .filter(|party| *party != tools.me.party)
    {
        tools.peers.send_making(party, &said);
    }
}
