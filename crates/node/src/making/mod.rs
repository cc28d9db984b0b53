//! The making of vaults: begun here or joined, until the roster is complete and the vault itself takes over.
//!
//! | creator | joiner |
//! |---|---|
//! | [`Making::create`]: terms, own nonce, one invitation a seat | |
//! | the invitation's listener, with the terms and the commitment to the nonce | [`Making::join`]: the spoken code |
//! | seat durable when the joiner says it is, [`Making::seat`] | vault and own nonce durable; commitment told |
//! | all seats taken: the draft is told until its joiner reveals | |
//! | | one draft checked and durable, then own nonce told |
//! | each nonce checked and durable | |
//! | the last one: charter made, vault runs | |
//! | charter told again and again until all have confirmed | charter checked against the draft, vault runs |
//!
//! What comes after pairing is [`said::Said`]; [`Making::hear`] takes it.
//!
//! **Invariant:** a joiner takes a draft only from the inviter it paired with, only for the vault it was invited to,
//! only if its own and the inviter's keys and commitments and the terms are in it as they were said, and only one.
//!
//! **Invariant:** nobody's nonce is told before its owner has durably settled on everything else that the six words
//! are made of: the joiner on a draft, the creator on the draft and every joiner's nonce.

mod channel;
mod draft;
mod error;
mod invite;
mod join;
mod record;
mod roster;
mod said;
mod seats;
mod telling;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, Weak};

use quorate_api::is_name;
use quorate_store::Write;
use quorate_threshold::{Engine, Parameters};
use quorate_vault::machine::Phase;
use quorate_vault::{Charter, PartyId};
use quorate_wire::VerifiedCard;
use rand_core::OsRng;
use tokio::runtime::Handle;

use self::draft::commitment;
pub(crate) use self::error::MakingError;
use self::invite::Open;
use self::join::Admission;
use self::record::{Founded, Joined, Taken, Terms};
pub(crate) use self::record::{Inviting, Labels, Seat, Stage, VaultRecord};
use self::roster::{contact, contacts};
pub(crate) use self::said::Said;
use crate::chains::Chains;
use crate::events::Events;
use crate::keys::Me;
use crate::peers::Peers;
use crate::process::{fresh_bytes, now_ms};
use crate::shared::lock;
use crate::shelf::{Shelf, keep, load_all};
use crate::vaults::{Parts, StartError, Vaults, start};

const FAMILY: &str = "vault/";

/// What vaults are made with.
pub(crate) struct Tools {
    /// This member.
    pub(crate) me: Arc<Me>,
    /// The store.
    pub(crate) shelf: Shelf,
    /// The channels.
    pub(crate) peers: Peers,
    /// Where running vaults go.
    pub(crate) vaults: Vaults,
    /// The chains.
    pub(crate) chains: Chains,
    /// The threshold protocols.
    pub(crate) engine: Arc<dyn Engine>,
    /// Where news go.
    pub(crate) events: Arc<Events>,
    /// Where invitations listen.
    pub(crate) pairing_at: SocketAddr,
    /// Addresses by which this machine is reached.
    pub(crate) reachable: Vec<SocketAddr>,
}

/// Every vault's record, and the open invitations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Making(Arc<Inner>);

/// A handle that keeps nothing alive.
#[derive(Clone)]
pub(crate) struct WeakMaking(Weak<Inner>);

impl WeakMaking {
    /// The records, if somebody still holds them.
    pub(crate) fn upgrade(&self) -> Option<Making> {
        self.0.upgrade().map(Making)
    }
}

struct Inner {
    tools: Tools,
    records: Mutex<BTreeMap<String, VaultRecord>>,
    open: Mutex<Vec<Open>>,
    /// Why something that was said was refused, by local name.
    faults: Mutex<BTreeMap<String, String>>,
    /// Held while a record changes: check, make durable, remember.
    turn: tokio::sync::Mutex<()>,
}

/// A code and where to go with it.
pub(crate) struct Invited {
    /// The spoken code.
    pub(crate) code: String,
    /// Where the joiner dials.
    pub(crate) address: SocketAddr,
    /// When the code dies.
    pub(crate) expires_ms: u64,
}

impl Making {
    /// Reads the records; nothing runs yet.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn load(tools: Tools) -> Result<Self, quorate_store::Error> {
        let records = tools
            .shelf
            .with(|store| load_all::<VaultRecord>(store, FAMILY))?;
        Ok(Self(Arc::new(Inner {
            tools,
            records: Mutex::new(records.into_iter().collect()),
            open: Mutex::default(),
            faults: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        })))
    }

    /// Starts every vault that is founded, and gets to know everybody.
    ///
    /// # Errors
    /// A vault's local name and what is wrong with it.
    pub(crate) fn resume_all(&self) -> Result<(), (String, StartError)> {
        for (name, record) in self.all() {
            self.resume(&name, &record.stage)
                .map_err(|error| (name, error))?;
        }
        tokio::spawn(telling::keep_telling(self.downgrade()));
        Ok(())
    }

    /// A handle that keeps nothing alive.
    pub(crate) fn downgrade(&self) -> WeakMaking {
        WeakMaking(Arc::downgrade(&self.0))
    }

    /// Closes every invitation.
    pub(crate) fn close(&self) {
        lock(&self.0.open).clear();
    }

    fn resume(&self, name: &str, stage: &Stage) -> Result<(), StartError> {
        let know = |bytes: &[u8]| {
            if let Ok(card) = VerifiedCard::decode(bytes) {
                self.0.tools.peers.know(contact(card.card()));
            }
        };
        match stage {
            Stage::Inviting(inviting) => inviting.seats.iter().for_each(|seat| know(&seat.card)),
            Stage::Joined(joined) => know(&joined.inviter),
            Stage::Founded(founded) => {
                let charter = Charter::decode(&founded.charter)
                    .map_err(|_| crate::shelf::unreadable(name))?;
                self.run(name, charter, founded)?;
            }
        }
        Ok(())
    }

    /// Starts the vault of a complete roster.
    fn run(&self, name: &str, charter: Charter, founded: &Founded) -> Result<(), StartError> {
        let tools = &self.0.tools;
        for contact in contacts(&charter, &founded.addresses, &tools.me.party) {
            tools.peers.introduce(contact);
        }
        let parts = Parts {
            name: name.to_owned(),
            charter,
            me: tools.me.party,
            identity: Arc::clone(&tools.me.identity),
            engine: Arc::clone(&tools.engine),
            shelf: tools.shelf.clone(),
            peers: tools.peers.clone(),
            chains: tools.chains.clone(),
            events: Arc::clone(&tools.events),
        };
        tools.vaults.put(name, start(parts, &Handle::current())?);
        Ok(())
    }

    /// Begins a vault and opens an invitation for every other member.
    ///
    /// # Errors
    /// [`MakingError`]; nothing has changed then.
    pub(crate) async fn create(
        &self,
        name: &str,
        threshold: u8,
        size: u8,
        labels: Labels,
    ) -> Result<Vec<Invited>, MakingError> {
        if Parameters::new(threshold, size).is_err() {
            return Err(MakingError::Parameters {
                threshold,
                members: size,
            });
        }
        if !labels.are_sound() {
            return Err(MakingError::Labels);
        }
        let (vault, nonce) = (fresh_bytes(), fresh_bytes());
        let terms = Terms {
            name: name.to_owned(),
            nonce: vault,
            threshold,
            size,
            needed: threshold,
            commitment: self.commitment(&vault, &nonce),
        };
        let turn = self.0.turn.lock().await;
        self.require_free(name)?;
        let mut open = Vec::new();
        for _ in 1..size {
            open.push(invite::open(self, name).await?);
        }
        let stage = Stage::Inviting(Inviting {
            terms,
            labels,
            nonce,
            seats: Vec::new(),
        });
        self.keep(
            name,
            VaultRecord {
                created_ms: now_ms(),
                stage,
            },
        )
        .await?;
        drop(turn);
        let invited = open.iter().map(told).collect();
        lock(&self.0.open).extend(open);
        Ok(invited)
    }

    /// Opens a fresh invitation for a seat that is still free; if each has one, the oldest of them dies.
    ///
    /// # Errors
    /// [`MakingError`].
    pub(crate) async fn invite(&self, name: &str) -> Result<Invited, MakingError> {
        let turn = self.0.turn.lock().await;
        let free = match self.record(name)?.stage {
            Stage::Inviting(inviting) if inviting.free() > 0 => inviting.free(),
            Stage::Inviting(_) | Stage::Founded(_) => {
                return Err(MakingError::NotInviting(name.to_owned()));
            }
            Stage::Joined(_) => return Err(MakingError::NotCreator(name.to_owned())),
        };
        let fresh = invite::open(self, name).await?;
        let invited = told(&fresh);
        let mut open = lock(&self.0.open);
        open.retain(|one| !one.is_over());
        open.push(fresh);
        let counts = |one: &Open| one.vault == name && one.is_alive();
        while open.iter().filter(|one| counts(one)).count() > free {
            let Some(oldest) = open.iter().position(counts) else {
                break;
            };
            open.remove(oldest);
        }
        drop(turn);
        Ok(invited)
    }

    /// Joins a vault by code; gives its local name.
    ///
    /// # Errors
    /// [`MakingError`].
    pub(crate) async fn join(
        &self,
        code: &str,
        address: &str,
        name: Option<String>,
        labels: Labels,
    ) -> Result<String, MakingError> {
        let code = code.parse()?;
        if !labels.are_sound() {
            return Err(MakingError::Labels);
        }
        if let Some(name) = &name {
            self.require_free(name)?;
        }
        let own = self.own_card();
        let admission = join::pair(code, address, &own).await?;
        let turn = self.0.turn.lock().await;
        let nonce = fresh_bytes();
        let taken = Taken {
            labels,
            commitment: self.commitment(&admission.terms.nonce, &nonce),
        };
        let (local, before) = self.keep_joined(name, &admission, &taken, nonce).await?;
        self.0.tools.peers.know(contact(admission.inviter().card()));
        if let Err(error) = admission.take(&taken).await {
            // Whatever an earlier pairing left may still be what the inviter waits for.
            match before {
                Some(before) => self.keep(&local, before).await?,
                None => self.forget(&local).await?,
            }
            return Err(error);
        }
        drop(turn);
        Ok(local)
    }

    /// Makes durable what was joined. Gives its local name, and what stood there before.
    async fn keep_joined(
        &self,
        name: Option<String>,
        admission: &Admission,
        taken: &Taken,
        nonce: [u8; 32],
    ) -> Result<(String, Option<VaultRecord>), MakingError> {
        // Joining again after a pairing that broke at its end replaces what is left of it; whose it was must be who
        // invites now, because a vault's nonce is no secret among its members.
        let inviter = PartyId::of_identity(&admission.inviter().card().identity);
        let again = lock(&self.0.records)
            .iter()
            .find_map(|(name, record)| match &record.stage {
                Stage::Joined(joined)
                    if joined.terms.nonce == admission.terms.nonce && joined.is_from(&inviter) =>
                {
                    Some((name.clone(), record.clone()))
                }
                _ => None,
            });
        let (local, before) = match again {
            Some((local, before)) => (local, Some(before)),
            None => {
                let local = name.unwrap_or_else(|| admission.terms.name.clone());
                self.require_free(&local)?;
                (local, None)
            }
        };
        let joined = Joined {
            terms: admission.terms.clone(),
            labels: taken.labels.clone(),
            inviter: admission.inviter().encode(),
            nonce,
            draft: None,
        };
        self.keep(
            &local,
            VaultRecord {
                created_ms: now_ms(),
                stage: Stage::Joined(joined),
            },
        )
        .await?;
        Ok((local, before))
    }

    /// Gives a vault up before its keys are made.
    ///
    /// # Errors
    /// [`MakingError::Unknown`], [`MakingError::TooLate`], or the store's.
    pub(crate) async fn abandon(&self, name: &str) -> Result<(), MakingError> {
        let turn = self.0.turn.lock().await;
        self.record(name)?;
        if let Some(handle) = self.0.tools.vaults.named(name) {
            let phase = handle.look(|seen| seen.vault.view().phase).await;
            if !matches!(phase, Ok(Phase::Confirming | Phase::Failed)) {
                return Err(MakingError::TooLate(name.to_owned()));
            }
            self.0.tools.vaults.remove(name).await;
        }
        lock(&self.0.open).retain(|one| one.vault != name);
        self.forget(name).await?;
        drop(turn);
        Ok(())
    }

    /// Why something that was said of a vault's roster was refused, if it was.
    pub(crate) fn fault(&self, name: &str) -> Option<String> {
        lock(&self.0.faults).get(name).cloned()
    }

    /// Every record, by local name.
    pub(crate) fn all(&self) -> Vec<(String, VaultRecord)> {
        lock(&self.0.records)
            .iter()
            .map(|(name, record)| (name.clone(), record.clone()))
            .collect()
    }

    /// One record.
    ///
    /// # Errors
    /// [`MakingError::Unknown`].
    pub(crate) fn record(&self, name: &str) -> Result<VaultRecord, MakingError> {
        lock(&self.0.records)
            .get(name)
            .cloned()
            .ok_or_else(|| MakingError::Unknown(name.to_owned()))
    }

    /// Where the newest open invitation listens.
    pub(crate) fn pairing(&self) -> Option<SocketAddr> {
        lock(&self.0.open)
            .iter()
            .rev()
            .find(|one| one.is_alive())
            .map(|one| one.address)
    }

    fn require_free(&self, name: &str) -> Result<(), MakingError> {
        if !is_name(name) {
            return Err(MakingError::Name(name.to_owned()));
        }
        let taken = lock(&self.0.records).contains_key(name);
        if taken {
            Err(MakingError::NameTaken(name.to_owned()))
        } else {
            Ok(())
        }
    }

    async fn keep(&self, name: &str, record: VaultRecord) -> Result<(), MakingError> {
        let write = keep(format!("{FAMILY}{name}"), &record);
        self.0
            .tools
            .shelf
            .apart(move |store| store.commit(vec![write], &mut OsRng))
            .await?;
        lock(&self.0.records).insert(name.to_owned(), record);
        Ok(())
    }

    async fn forget(&self, name: &str) -> Result<(), MakingError> {
        let write = Write::DeleteSetting {
            key: format!("{FAMILY}{name}"),
        };
        self.0
            .tools
            .shelf
            .apart(move |store| store.commit(vec![write], &mut OsRng))
            .await?;
        lock(&self.0.records).remove(name);
        lock(&self.0.faults).remove(name);
        Ok(())
    }

    fn own_card(&self) -> VerifiedCard {
        self.0.tools.me.card()
    }

    /// This member's commitment to a nonce.
    fn commitment(&self, vault: &[u8; 32], nonce: &[u8; 32]) -> [u8; 32] {
        commitment(vault, &self.own_card().card().identity, nonce)
    }

    fn own_endpoint(&self) -> [u8; 32] {
        self.own_card().card().endpoint
    }

    fn pairing_at(&self) -> SocketAddr {
        self.0.tools.pairing_at
    }

    fn told_ip(&self, bound: IpAddr) -> IpAddr {
        invite::told(bound, &self.0.tools.reachable)
    }
}

fn told(open: &Open) -> Invited {
    Invited {
        code: open.code(),
        address: open.address,
        expires_ms: open.expires_ms,
    }
}
