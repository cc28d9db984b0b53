//! What this member says: entries of its own log, and the checkpoint that covers them.

use std::collections::BTreeSet;

use quorate_log::Log;

use super::replicate::MAX_LOG_ENTRIES;
use super::{Error, Vault};
use crate::codec;
use crate::entry::{Entry, Logged};
use crate::ids::PartyId;
use crate::io::{Mutation, Output};

/// The only incarnation there is until a proven rollback can open another.
pub(super) const INCARNATION: u32 = 0;

/// Family of the notes that keep checkpoints which newer ones do not replace.
const KEPT_CHECKPOINT: &str = "checkpoint/";

impl Vault {
    /// Says what the person asked for, once it is known that nothing of the own log is missing here: a copy of an old
    /// folder would say other things at places that are taken, and convict its owner.
    pub(super) fn append(&mut self, entry: Entry) -> Result<(), Error> {
        if let Some((missing, needed)) = self.unheard() {
            let missing = missing
                .into_iter()
                .map(|party| self.charter.name_of(&party));
            return Err(Error::CatchingUp {
                needed,
                missing: missing.collect::<Vec<_>>().join(", "),
            });
        }
        self.say(entry)
    }

    /// Who may hold entries of the own log that are not here, and of how many of them it must be heard first: as many
    /// as make a quorum with this member. None once it was heard of them in this run; and none while the own log is
    /// empty, because the first thing that a member says is the roster that its person compared.
    pub fn unheard(&self) -> Option<(Vec<PartyId>, usize)> {
        let needed = usize::from(self.charter.threshold).saturating_sub(1);
        let heard = |peer: &&super::peer::Peer| peer.was_caught_up;
        let known = self.peers.values().filter(heard).count();
        if known >= needed || self.own_log().size() == 0 {
            return None;
        }
        let missing = self.charter.parties().filter(|party| {
            self.peers
                .get(party)
                .is_some_and(|peer| !peer.was_caught_up)
        });
        Some((missing.collect(), needed - known))
    }

    /// Says something. It is folded at once, durable with this answer, and sent after that.
    fn say(&mut self, entry: Entry) -> Result<(), Error> {
        if self.rolled_back {
            return Err(Error::RolledBack);
        }
        if !self.has_room_for(1) {
            return Err(Error::LogFull);
        }
        let logged = Logged {
            at: self.now,
            entry,
        };
        let bytes = codec::encode(&logged);
        let quota = self.quotas.entry(self.me).or_default();
        if quota.is_full(std::slice::from_ref(&bytes)) {
            return Err(Error::LogFull);
        }
        quota.hold(std::slice::from_ref(&bytes));
        let position = match self.own_log_mut().append(bytes.clone()) {
            Err(quorate_log::Error::BatchTooLarge { .. }) => {
                self.sign_own_log()?;
                self.own_log_mut().append(bytes.clone())?
            }
            other => other?,
        };
        self.out.push(Output::Append {
            position,
            entry: bytes,
        });
        self.absorb(self.me, position, &logged);
        Ok(())
    }

    /// Says something of this member's own accord. While it is rolled back it says nothing.
    pub(super) fn append_unasked(&mut self, entry: Entry) -> bool {
        self.say(entry).is_ok()
    }

    /// Whether this many more entries fit.
    pub(super) fn has_room_for(&self, entries: u64) -> bool {
        self.own_log().size().saturating_add(entries) <= MAX_LOG_ENTRIES
    }

    /// Whether this member may append without its person asking: it has heard from as many others as its person has to
    /// wait for, and from one at least, that no more of its own log is known than it holds.
    pub(super) fn may_append_unasked(&self) -> bool {
        !self.rolled_back
            && self.unheard().is_none()
            && self.peers.values().any(|peer| peer.caught_up)
    }

    /// Signs the head of the own log if it grew, and makes that durable.
    pub(super) fn sign_own_log(&mut self) -> Result<(), Error> {
        let identity = self.identity.clone();
        let log = self.own_log_mut();
        if log.signed_size() == log.size() {
            return Ok(());
        }
        let note = log.sign_checkpoint(&identity)?.to_string();
        let after = self.out.take_after_own();
        self.persist_checkpoint(self.me, note, after);
        Ok(())
    }

    /// Makes a log's newest checkpoint durable, and the one before it too if it has to be kept for ever.
    pub(super) fn persist_checkpoint(
        &mut self,
        author: PartyId,
        note: String,
        after: Vec<super::outbox::After>,
    ) {
        if let Some((name, value)) = self.boundary(author) {
            self.kept_checkpoints.insert(name.clone());
            self.out.persist(Mutation::Note { name, value }, Vec::new());
        }
        self.out.persist(
            Mutation::Checkpoint {
                author,
                incarnation: INCARNATION,
                note,
            },
            after,
        );
    }

    /// The checkpoint before the newest, which `Log` keeps because one batch does not span the gap without it.
    fn boundary(&self, author: PartyId) -> Option<(String, Vec<u8>)> {
        let signed: Vec<_> = self.logs.get(&author)?.checkpoints().collect();
        let [.., boundary, _] = signed.as_slice() else {
            return None;
        };
        let size = boundary.checkpoint_unverified().size;
        let name = format!("{KEPT_CHECKPOINT}{author}/{INCARNATION}/{size}");
        (!self.kept_checkpoints.contains(&name)).then(|| (name, boundary.to_string().into_bytes()))
    }

    pub(super) fn own_log(&self) -> &Log {
        self.logs
            .get(&self.me)
            .expect("invariant: every member has a log")
    }

    fn own_log_mut(&mut self) -> &mut Log {
        self.logs
            .get_mut(&self.me)
            .expect("invariant: every member has a log")
    }
}

/// The kept checkpoints among the journal's notes: their names, and the text of `author`'s.
pub(super) fn kept_checkpoints(notes: &[(String, Vec<u8>)]) -> BTreeSet<String> {
    notes
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| name.starts_with(KEPT_CHECKPOINT))
        .collect()
}

/// The text of the checkpoints of one author that were kept for ever.
pub(super) fn kept_of<'a>(
    notes: &'a [(String, Vec<u8>)],
    author: &PartyId,
) -> impl Iterator<Item = &'a [u8]> {
    let family = format!("{KEPT_CHECKPOINT}{author}/{INCARNATION}/");
    notes
        .iter()
        .filter(move |(name, _)| name.starts_with(&family))
        .map(|(_, value)| value.as_slice())
}
