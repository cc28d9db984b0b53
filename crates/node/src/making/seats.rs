//! From a joiner that proved the code to a vault that runs: at the creator, a seat, a nonce and then the charter; at the
//! joiner, the creator's draft and then its charter, both checked.

use quorate_vault::{Charter, PartyId};
use quorate_wire::VerifiedCard;

use super::draft::Draft;
use super::record::{Addresses, Founded, Joined, Seat, Taken, Terms};
use super::roster::{addresses, charter_fault, contact, draft, found, take_draft, take_nonce};
use super::said::Said;
use super::{Making, MakingError, Stage, VaultRecord, invite};
use crate::shared::lock;
use crate::shelf::unreadable;

impl Making {
    /// Whether a party that proved the code may take a seat; the terms, or why not.
    pub(super) fn may_seat(&self, name: &str, card: &VerifiedCard) -> Result<Terms, String> {
        let Ok(VaultRecord {
            stage: Stage::Inviting(inviting),
            ..
        }) = self.record(name)
        else {
            return Err("the vault is not inviting any more; ask its creator".to_owned());
        };
        // Once every seat is taken the others may have taken the draft: nobody sits down again, not even on its own seat.
        if inviting.free() == 0 {
            return Err("every seat of the vault is taken; ask its creator".to_owned());
        }
        let party = PartyId::of_identity(&card.card().identity);
        let others = inviting.seats.iter().filter(|seat| !seat.is_of(&party));
        let all: Vec<VerifiedCard> = others
            .filter_map(Seat::card)
            .chain([self.own_card()])
            .collect();
        invite::clash(card, &all).map_or(Ok(inviting.terms), Err)
    }

    /// Seats a party that has the vault durably; with the last one the draft stands.
    pub(super) async fn seat(
        &self,
        name: &str,
        card: &VerifiedCard,
        taken: Taken,
    ) -> Result<(), MakingError> {
        let turn = self.0.turn.lock().await;
        self.may_seat(name, card).map_err(MakingError::Refused)?;
        if !taken.labels.are_sound() {
            return Err(MakingError::Labels);
        }
        let mut record = self.record(name)?;
        let Stage::Inviting(inviting) = &mut record.stage else {
            return Err(MakingError::NotInviting(name.to_owned()));
        };
        let party = PartyId::of_identity(&card.card().identity);
        inviting.seats.retain(|seat| !seat.is_of(&party));
        inviting.seats.push(Seat {
            card: card.encode(),
            taken,
            nonce: None,
        });
        if let Some(draft) = draft(inviting, &self.own_card()) {
            let checked = draft.roster().check();
            checked.map_err(|error| MakingError::Refused(error.to_string()))?;
        }
        self.0.tools.peers.know(contact(card.card()));
        self.keep(name, record).await?;
        drop(turn);
        Ok(())
    }

    /// Takes what the other side of an unfinished vault says.
    ///
    /// # Errors
    /// Those of the store, or of the vault that cannot be started.
    pub(crate) async fn hear(&self, from: PartyId, said: Said) -> Result<(), MakingError> {
        let turn = self.0.turn.lock().await;
        let heard = match said {
            Said::Draft(draft) => self.hear_draft(from, *draft).await,
            Said::Nonce { vault, nonce } => self.hear_nonce(from, &vault, nonce).await,
            Said::Charter { charter, addresses } => {
                self.hear_charter(from, *charter, addresses).await
            }
        };
        drop(turn);
        heard
    }

    /// At the joiner: takes the draft, once, and then reveals the nonce, as often as it is told.
    async fn hear_draft(&self, from: PartyId, draft: Draft) -> Result<(), MakingError> {
        let vault = draft.roster().nonce;
        let Some((name, created_ms, mut joined)) = self.waiting_for(&from, &vault) else {
            return Ok(());
        };
        let inviter = VerifiedCard::decode(&joined.inviter).map_err(|_| unreadable(&name))?;
        match take_draft(&mut joined, draft, self.own_card().card(), inviter.card()) {
            Err(why) => {
                self.refuse(name, why);
                return Ok(());
            }
            Ok(true) => {
                self.go_on(&name, created_ms, Stage::Joined(joined.clone()))
                    .await?
            }
            Ok(false) => {}
        }
        let nonce = joined.nonce;
        let reveal = Said::Nonce { vault, nonce };
        self.0.tools.peers.send_making(from, &reveal.encode());
        Ok(())
    }

    /// At the creator: takes a nonce, and makes the charter with the last one.
    async fn hear_nonce(
        &self,
        from: PartyId,
        vault: &[u8; 32],
        nonce: [u8; 32],
    ) -> Result<(), MakingError> {
        let found_here = self
            .all()
            .into_iter()
            .find_map(|(name, record)| match record.stage {
                Stage::Inviting(inviting) if inviting.terms.nonce == *vault => {
                    Some((name, record.created_ms, inviting))
                }
                _ => None,
            });
        let Some((name, created_ms, mut inviting)) = found_here else {
            return Ok(());
        };
        match take_nonce(&mut inviting, &from, nonce) {
            Err(why) => self.refuse(name, why),
            Ok(false) => {}
            Ok(true) => match found(&inviting, &self.own_card()) {
                Some(charter) => {
                    let addresses = addresses(&inviting, &self.own_card());
                    self.keep_founded(&name, created_ms, charter, addresses)
                        .await?;
                }
                None => {
                    self.go_on(&name, created_ms, Stage::Inviting(inviting))
                        .await?
                }
            },
        }
        Ok(())
    }

    /// At the joiner: takes the charter, if it is the draft that was taken.
    async fn hear_charter(
        &self,
        from: PartyId,
        charter: Charter,
        addresses: Addresses,
    ) -> Result<(), MakingError> {
        let Some((name, created_ms, joined)) = self.waiting_for(&from, &charter.nonce) else {
            return Ok(());
        };
        match charter_fault(&joined, &charter) {
            Some(why) => self.refuse(name, why),
            None => {
                self.keep_founded(&name, created_ms, charter, addresses)
                    .await?
            }
        }
        Ok(())
    }

    /// The vault that this party invited to, while its charter is not here.
    fn waiting_for(&self, from: &PartyId, vault: &[u8; 32]) -> Option<(String, u64, Joined)> {
        self.all()
            .into_iter()
            .find_map(|(name, record)| match record.stage {
                Stage::Joined(joined) if joined.terms.nonce == *vault && joined.is_from(from) => {
                    Some((name, record.created_ms, joined))
                }
                _ => None,
            })
    }

    /// Remembers why something that was said is not taken, for people to see.
    fn refuse(&self, name: String, why: String) {
        tracing::warn!(vault = name, why, "refused a roster");
        lock(&self.0.faults).insert(name, why);
    }

    async fn go_on(&self, name: &str, created_ms: u64, stage: Stage) -> Result<(), MakingError> {
        self.keep(name, VaultRecord { created_ms, stage }).await
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
        self.go_on(name, created_ms, Stage::Founded(founded.clone()))
            .await?;
        lock(&self.0.faults).remove(name);
        Ok(self.run(name, charter, &founded)?)
    }
}
