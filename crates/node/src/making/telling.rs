//! The creator tells the roster to every joiner, again and again until that one has confirmed it: a message can be
//! lost, and a joiner can be away for days.

use std::time::Duration;

use quorate_vault::machine::Phase;
use quorate_vault::{Charter, Message};
use tokio::time::{MissedTickBehavior, interval};

use super::record::{Founded, Stage};
use super::{Making, WeakMaking};

/// How often a roster is told.
const AGAIN: Duration = Duration::from_secs(1);

/// Tells rosters as long as somebody holds `making`.
pub(super) async fn keep_telling(making: WeakMaking) {
    let mut pulse = interval(AGAIN);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pulse.tick().await;
        let Some(making) = making.upgrade() else {
            return;
        };
        for (name, record) in making.all() {
            if let Stage::Founded(founded) = record.stage {
                tell(&making, &name, &founded).await;
            }
        }
    }
}

async fn tell(making: &Making, name: &str, founded: &Founded) {
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
    let roster = Message::Roster {
        charter: Box::new(charter),
        addresses: founded.addresses.clone(),
    }
    .encode();
    for party in unconfirmed
        .into_iter()
        .filter(|party| *party != tools.me.party)
    {
        tools.peers.send(party, handle.id.0, roster.clone());
    }
}
