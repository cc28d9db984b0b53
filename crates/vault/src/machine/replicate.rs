//! Members' logs, copied between members: who holds how much, what they lack, and what they must never lose sight of.

use quorate_log::{Batch, EMPTY_ROOT, SignedCheckpoint, Standing};

use super::own_log::INCARNATION;
use super::{Vault, conduct};
use crate::codec;
use crate::entry::{Logged, MAX_ENTRY_BYTES};
use crate::ids::PartyId;
use crate::io::Mutation;
use crate::message::{Head, Message};

/// How often every connected member is told what is held here.
pub(super) const HEADS_EVERY_MS: u64 = 1_000;
/// How soon a member that holds more is asked again.
const ASK_EVERY_MS: u64 = 250;
/// How many batches of one log are sent at once; the rest follows the receiver's heads.
const BATCHES_AT_ONCE: usize = 4;
/// Longest log that is kept, entries: some 170,000 payments. Archiving what an act has folded is to come before that.
pub(super) const MAX_LOG_ENTRIES: u64 = 1 << 20;
/// How many batches a whole log has at most when it is asked for.
const BATCHES_IN_WHOLE: usize = 64;

impl Vault {
    /// Tells a member what is held here of every log.
    pub(super) fn send_heads(&mut self, to: PartyId) {
        let heads = self.heads();
        let now = self.now;
        if let Some(peer) = self.peers.get_mut(&to) {
            peer.heads_sent = Some(now);
            self.out.send(to, Message::Heads { heads });
        }
    }

    fn heads(&self) -> Vec<Head> {
        let head = |(author, log): (&PartyId, &quorate_log::Log)| {
            let size = log.signed_size();
            Head {
                author: *author,
                incarnation: INCARNATION,
                size,
                root: log.tree().root_at(size).unwrap_or(EMPTY_ROOT),
            }
        };
        self.logs.iter().map(head).collect()
    }

    /// Reports to everybody connected whose report is due, and asks for a wake-up for the next.
    pub(super) fn gossip(&mut self) {
        let now = self.now;
        let connected: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.connected)
            .map(|(id, _)| *id)
            .collect();
        for to in connected {
            if self
                .peers
                .get(&to)
                .is_some_and(|peer| peer.heads_due(now, HEADS_EVERY_MS))
            {
                self.send_heads(to);
            }
            self.wake_by(now.plus_ms(HEADS_EVERY_MS));
        }
    }

    /// A member says how much it holds. Logs it leaves out are as before.
    pub(super) fn on_heads(&mut self, from: PartyId, heads: &[Head]) {
        let me = self.me;
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        let was_ready = peer.is_ready();
        let mut ahead = false;
        let mut differing = Vec::new();
        for head in heads.iter().filter(|head| head.incarnation == INCARNATION) {
            let Some(log) = self.logs.get(&head.author) else {
                continue;
            };
            let ours = log.tree().root_at(head.size);
            let differs = ours.is_some_and(|root| root != head.root);
            peer.holds.insert(head.author, head.size);
            ahead |= ours.is_none();
            if differs {
                differing.push(head.author);
            }
            if head.author == me {
                peer.heard = true;
                // More of the own log than is held here, or another one: a restored copy, or a lie. The entries prove it.
                peer.caught_up = ours.is_some() && !differs;
                peer.was_caught_up |= peer.caught_up;
            }
        }
        self.stirred |= was_ready != peer.is_ready();
        let ask = ahead && peer.heads_due(self.now, ASK_EVERY_MS);
        self.push_what_lacks(from);
        if ask {
            self.send_heads(from);
        }
        for author in differing {
            self.ask_whole(from, author);
        }
    }

    /// Sends a member what it lacks of every log.
    fn push_what_lacks(&mut self, to: PartyId) {
        let authors: Vec<_> = self.logs.keys().copied().collect();
        for author in authors {
            self.push_log(to, author);
        }
    }

    /// Sends the new end of the own log to everybody who is connected and said what it holds.
    pub(super) fn push_own_log(&mut self) {
        let ready: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.connected && peer.heard)
            .map(|(id, _)| *id)
            .collect();
        for to in ready {
            self.push_log(to, self.me);
        }
    }

    fn push_log(&mut self, to: PartyId, author: PartyId) {
        let now = self.now;
        let (Some(peer), Some(log)) = (self.peers.get_mut(&to), self.logs.get(&author)) else {
            return;
        };
        for _ in 0..BATCHES_AT_ONCE {
            let Some(batch) = log.batch(peer.lacks_from(&author, now)) else {
                return;
            };
            peer.sent
                .insert(author, (batch.from + batch.entries.len() as u64, now));
            self.out.send(to, entries_message(author, batch));
        }
    }

    /// A member sends entries of some member's log.
    pub(super) fn on_entries(
        &mut self,
        from: PartyId,
        author: PartyId,
        incarnation: u32,
        start: u64,
        entries: &[Vec<u8>],
        note: &str,
    ) {
        if incarnation != INCARNATION {
            return;
        }
        let Ok(checkpoint) = SignedCheckpoint::parse(note) else {
            return;
        };
        if author == self.me {
            return self.on_own_entries(&checkpoint);
        }
        if self.conduct.forked.contains(&author) {
            return;
        }
        let Some(log) = self.logs.get_mut(&author) else {
            return;
        };
        if log.size().saturating_add(entries.len() as u64) > MAX_LOG_ENTRIES {
            return;
        }
        let held = usize::try_from(log.size().saturating_sub(start)).unwrap_or(usize::MAX);
        let fresh = entries.get(held..).unwrap_or_default();
        let quota = self.quotas.entry(author).or_default();
        if !quota.has_room(fresh, self.now)
            && matches!(log.compare(&checkpoint), Ok(Standing::Ahead { .. }))
        {
            // They come again: nothing is said to be held that is not.
            return self.hold_back(author);
        }
        match log.extend(start, entries, &checkpoint) {
            Ok(extended) if extended.new > 0 => {
                quota.take(fresh, self.now);
                self.on_growth(from, author, extended.size - extended.new, note)
            }
            Ok(_) => {}
            Err(quorate_log::Error::Gap { .. }) => self.send_heads(from),
            Err(quorate_log::Error::Fork(evidence)) => self.on_fork(from, author, &evidence),
            Err(quorate_log::Error::Mismatch | quorate_log::Error::Contradiction { .. }) => {
                self.ask_whole(from, author)
            }
            Err(_) => {}
        }
    }

    /// Entries of this author are too many at present.
    fn hold_back(&mut self, author: PartyId) {
        if self
            .quotas
            .entry(author)
            .or_default()
            .is_to_be_told(self.now)
        {
            let offence = "writes more into its log than is taken at once; it is taken bit by bit";
            self.out.done(crate::io::Outcome::Misbehaved {
                culprit: author,
                offence: offence.to_owned(),
            });
        }
    }

    /// New entries of a replica: durable, folded, and everybody else is told.
    fn on_growth(&mut self, from: PartyId, author: PartyId, start: u64, note: &str) {
        let Some(log) = self.logs.get(&author) else {
            return;
        };
        let entries: Vec<_> = log
            .entries()
            .iter()
            .skip(usize::try_from(start).unwrap_or(usize::MAX))
            .cloned()
            .collect();
        let end = log.size();
        if let Some(peer) = self.peers.get_mut(&from) {
            let holds = peer.holds.entry(author).or_default();
            *holds = end.max(*holds);
        }
        self.out.persist(
            Mutation::Replicate {
                author,
                incarnation: INCARNATION,
                from: start,
                entries: entries.clone(),
            },
            Vec::new(),
        );
        self.persist_checkpoint(author, note.to_owned(), Vec::new());
        for (position, bytes) in (start..).zip(&entries) {
            // An entry that this version cannot read stays in the log and says nothing here.
            if let Ok(logged) = codec::decode::<Logged>(bytes, MAX_ENTRY_BYTES) {
                self.absorb(author, position, &logged);
            }
        }
        let others: Vec<_> = self
            .peers
            .iter()
            .filter(|(id, peer)| peer.connected && **id != from)
            .map(|(id, _)| *id)
            .collect();
        for to in others {
            self.send_heads(to);
        }
    }

    /// Somebody holds entries of this member's own log. Signed by this member's key and not held here, they prove that
    /// this member was put back to an earlier state.
    fn on_own_entries(&mut self, checkpoint: &SignedCheckpoint) {
        use quorate_log::Error as E;
        let proven = match self.own_log().compare(checkpoint) {
            Ok(Standing::Ahead { .. }) | Err(E::Contradiction { .. } | E::Fork(_)) => true,
            Ok(Standing::Held) | Err(_) => false,
        };
        if proven && !self.rolled_back {
            self.rolled_back = true;
            self.stirred = true;
            self.out.done(crate::io::Outcome::RolledBack);
        }
    }

    fn on_fork(&mut self, from: PartyId, author: PartyId, evidence: &quorate_log::ForkEvidence) {
        self.conduct.forked.insert(author);
        self.out
            .persist(conduct::fork_note(author, evidence), Vec::new());
        let offence = "signed two versions of its own log".to_owned();
        self.out.done(crate::io::Outcome::Misbehaved {
            culprit: author,
            offence,
        });
        self.stirred = true;
        if from == author {
            self.show_whole(from, author);
        }
    }

    /// The entries fit no branch known here: from the beginning they show whether the sender or the author is wrong.
    fn ask_whole(&mut self, from: PartyId, author: PartyId) {
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        if peer.asked_whole.insert(author) {
            self.out.send(from, Message::AskLog { author });
            if from == author {
                self.show_whole(from, author);
            }
        }
    }

    /// Sends a log from the beginning, not too often. Its author learns that way that it was put back.
    pub(super) fn show_whole(&mut self, to: PartyId, author: PartyId) {
        let (Some(peer), Some(log)) = (self.peers.get_mut(&to), self.logs.get(&author)) else {
            return;
        };
        if !peer.may_see_whole(author, self.now) {
            return;
        }
        let mut next = 0;
        for _ in 0..BATCHES_IN_WHOLE {
            let Some(batch) = log.batch(next) else { return };
            next = batch.from + batch.entries.len() as u64;
            self.out.send(to, entries_message(author, batch));
        }
    }
}

fn entries_message(author: PartyId, batch: Batch) -> Message {
    Message::Entries {
        author,
        incarnation: INCARNATION,
        from: batch.from,
        entries: batch.entries,
        note: batch.checkpoint.to_string(),
    }
}
