//! From a joiner that proved the code to a vault that runs: at the creator, a seat and then the charter; at the joiner,
//! the creator's roster, checked.

use quorate_vault::charter::Addresses;
use quorate_vault::{Charter, PartyId};
use quorate_wire::VerifiedCard;

use super::record::{Founded, Inviting, Seat, Terms};
use super::roster::{contact, found, roster_fault};
use super::{Labels, Making, MakingError, Stage, VaultRecord, invite};
use crate::shared::lock;
use crate::shelf::unreadable;

impl Making {
    /// Whether a party that proved the code may take a seat; the terms, or why not.
    pub(super) fn may_seat(
        &self,
        name: &str,
        card: &VerifiedCard,
        labels: &Labels,
    ) -> Result<Terms, String> {
        let Ok(VaultRecord {
            stage: Stage::Inviting(inviting),
            ..
        }) = self.record(name)
        else {
            return Err("the vault is not inviting any more; ask its creator".to_owned());
        };
        if !labels.are_sound() {
            return Err("a label has characters that cannot be seen; choose another".to_owned());
        }
        let seated: Vec<VerifiedCard> = inviting.seats.iter().filter_map(Seat::card).collect();
        let same = |other: &VerifiedCard| other.card().identity == card.card().identity;
        let others: Vec<VerifiedCard> = seated
            .iter()
            .filter(|other| !same(other))
            .cloned()
            .collect();
        if others.len() + 1 >= usize::from(inviting.terms.size) {
            return Err("every seat of the vault is taken; ask its creator".to_owned());
        }
        let all: Vec<VerifiedCard> = others.into_iter().chain([self.own_card()]).collect();
        invite::clash(card, &all).map_or(Ok(inviting.terms), Err)
    }

    /// Seats a party that has the vault durably; founds the vault with the last one.
    pub(super) async fn seat(
        &self,
        name: &str,
        card: &VerifiedCard,
        labels: Labels,
    ) -> Result<(), MakingError> {
        let turn = self.0.turn.lock().await;
        self.may_seat(name, card, &labels)
            .map_err(MakingError::Refused)?;
        let mut record = self.record(name)?;
        let Stage::Inviting(inviting) = &mut record.stage else {
            return Err(MakingError::NotInviting(name.to_owned()));
        };
        let same = |seat: &Seat| {
            seat.card()
                .is_some_and(|other| other.card().identity == card.card().identity)
        };
        inviting.seats.retain(|seat| !same(seat));
        inviting.seats.push(Seat {
            card: card.encode(),
            labels,
        });
        let complete = inviting.seats.len() + 1 == usize::from(inviting.terms.size);
        let founding = inviting.clone();
        self.0.tools.peers.know(contact(card.card()));
        if complete {
            self.found(name, record.created_ms, &founding).await?;
        } else {
            self.keep(name, record).await?;
        }
        drop(turn);
        Ok(())
    }

    async fn found(
        &self,
        name: &str,
        created_ms: u64,
        inviting: &Inviting,
    ) -> Result<(), MakingError> {
        let (charter, addresses) =
            found(inviting, self.own_card()).ok_or(MakingError::Malformed)?;
        charter
            .check()
            .map_err(|error| MakingError::Refused(error.to_string()))?;
        self.keep_founded(name, created_ms, charter, addresses)
            .await
    }

    async fn keep_founded(
        &self,
        name: &str,
        created_ms: u64,
        charter: Charter,
        addresses: Addresses,
    ) -> Result<(), MakingError> {
        let founded = Founded {
            charter: charter.encode(),
            addresses,
        };
        self.keep(
            name,
            VaultRecord {
                created_ms,
                stage: Stage::Founded(founded.clone()),
            },
        )
        .await?;
        lock(&self.0.faults).remove(name);
        Ok(self.run(name, charter, &founded)?)
    }

    /// Takes a roster, if it is the one that this member waits for.
    pub(crate) async fn take_roster(
        &self,
        from: PartyId,
        charter: Charter,
        addresses: Addresses,
    ) -> Result<(), MakingError> {
        let turn = self.0.turn.lock().await;
        let waiting = lock(&self.0.records)
            .iter()
            .find_map(|(name, record)| match &record.stage {
                Stage::Joined(joined) if joined.terms.nonce == charter.nonce => {
                    Some((name.clone(), record.created_ms, joined.clone()))
                }
                _ => None,
            });
        let Some((name, created_ms, joined)) = waiting else {
            return Ok(());
        };
        let inviter = VerifiedCard::decode(&joined.inviter).map_err(|_| unreadable(&name))?;
        if PartyId::of_identity(&inviter.card().identity) != from {
            return Ok(());
        }
        if let Some(why) = roster_fault(&charter, &joined, self.own_card().card(), inviter.card()) {
            tracing::warn!(vault = name, why, "refused a roster");
            lock(&self.0.faults).insert(name, why);
            return Ok(());
        }
        self.keep_founded(&name, created_ms, charter, addresses)
            .await?;
        drop(turn);
        Ok(())
    }
}
