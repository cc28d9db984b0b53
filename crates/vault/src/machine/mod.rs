//! [`Vault`]: one member's side of one vault. Inputs in, outputs out; see [`crate::io`] for the seam.
//!
//! Where things are:
//!
//! - [`Vault::handle`] hands each input to the part that it concerns, then lets every part do what has become possible
//!   (`settle`), signs the head of the own log, and ends the answer;
//! - `own_log`, `replicate`, `quota`: saying something, and copying what others said, within limits;
//! - `found`, `keygen`: act 0; `command`: what the person asks;
//! - `candidates`, `open`, `join`, `sign`, `ending`: who opens a session and with whom, who enters it, how it runs and
//!   ends; `sessions`: those of this run;
//! - `chainwatch`: what became of the slots; `conduct`, `interrupted`: who is not signed with any more;
//! - `view`: everything that people are shown.
//!
//! **Invariant:** what a restart must not lose is in the logs, the sealed secrets and the notes. All else here is
//! memory, and dies with the process on purpose: protocol state above all.

mod candidates;
mod chainwatch;
mod command;
mod conduct;
mod ending;
mod error;
mod found;
mod interrupted;
mod join;
mod keygen;
mod open;
mod outbox;
mod own_log;
mod peer;
mod quota;
mod replicate;
mod restore;
mod sessions;
mod sign;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use ed25519_dalek::SigningKey;
use quorate_log::Log;
use quorate_threshold::{Committee, Engine, EpochSecrets, PartyIndex, PublicKeys};
use rand_core::CryptoRngCore;

use self::chainwatch::Watch;
use self::conduct::Conduct;
use self::found::Founding;
use self::join::Parked;
use self::open::Openings;
use self::outbox::{After, Outbox};
use self::own_log::INCARNATION;
use self::peer::Peer;
use self::quota::Quota;
use self::sessions::Sessions;
use crate::charter::{Charter, Words};
use crate::entry::{Entry, Logged};
use crate::fold::{Act0, State};
use crate::ids::{PartyId, Ticket, Time, VaultId};
use crate::io::{Input, Outcome, Output};
use crate::message::Message;

pub use self::error::Error;
pub use self::join::session_id;
pub use self::view::{
    Awaited, DecisionView, IntentView, MemberView, NoteView, Phase, Presence, ReceiptView,
    RequestView, SessionView, VaultView,
};

/// How often `settle` may make itself necessary again within one answer.
const MAX_SETTLE_ROUNDS: usize = 8;

/// How often requests are looked over for lost slots when nobody says anything.
const LOOK_OVER_EVERY_MS: u64 = 5_000;

/// What a vault is made of besides its logs.
pub struct Setup {
    /// The founding charter.
    pub charter: Charter,
    /// Whose side this is.
    pub me: PartyId,
    /// That member's identity key.
    pub identity: Arc<SigningKey>,
    /// The threshold protocols.
    pub engine: Arc<dyn Engine>,
}

/// One member's side of one vault.
pub struct Vault {
    id: VaultId,
    charter: Arc<Charter>,
    /// The charter's fingerprint once it was needed; it is slow on purpose.
    words: OnceLock<Words>,
    committee: Committee,
    me: PartyId,
    my_index: PartyIndex,
    identity: Arc<SigningKey>,
    engine: Arc<dyn Engine>,
    now: Time,
    /// At the last tick.
    uptime_ms: Option<u64>,
    state: State,
    /// One a member, this one's own among them.
    logs: BTreeMap<PartyId, Log>,
    /// One for each other member.
    peers: BTreeMap<PartyId, Peer>,
    /// What of each log is taken.
    quotas: BTreeMap<PartyId, Quota>,
    conduct: Conduct,
    kept_checkpoints: BTreeSet<String>,
    rolled_back: bool,
    /// Shares by keygen attempt; only those of the decided attempt are ever used.
    secrets: BTreeMap<u32, EpochSecrets>,
    founding: Founding,
    sessions: Sessions,
    parked: Parked,
    openings: Openings,
    watch: Watch,
    out: Outbox,
    /// Something has changed that may make something possible.
    stirred: bool,
    /// Something was said since requests were last looked over for lost slots.
    told: bool,
    /// When they were.
    looked_over: Time,
    /// When something becomes possible by time alone.
    deadline: Option<Time>,
    /// Own entries from here on have not been pushed.
    pushed_own: u64,
}

impl Vault {
    /// Takes one input and answers with what is to be done.
    ///
    /// # Errors
    /// [`Error`] for a command that is refused; nothing has changed then. Peers, chains and clocks cause none.
    pub fn handle(
        &mut self,
        input: Input,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<Output>, Error> {
        match input {
            Input::Request(command) => {
                self.command(command, rng)?;
                self.stirred = true;
            }
            Input::Received(from, message) => self.received(from, message, rng),
            Input::Connected(party) => self.connected(party),
            Input::Disconnected(party) => self.disconnected(party),
            Input::Persisted(ticket) => self.persisted(ticket, rng),
            Input::Observed(fact) => {
                self.on_chain(fact);
                self.stirred = true;
            }
            Input::Tick { wall, uptime_ms } => self.tick(wall, uptime_ms),
        }
        self.settle(rng);
        self.end_answer();
        Ok(self.out.finish())
    }

    /// The clock of a machine can be put forward and back. The time of a run only goes on: what was judged to be over
    /// stays over, and what was said stays in order. And it never stands still: with a clock that was far ahead for a
    /// moment, timers go on by what has really passed.
    fn tick(&mut self, wall: Time, uptime_ms: u64) {
        let before = self.uptime_ms.replace(uptime_ms).unwrap_or(uptime_ms);
        let passed = uptime_ms.saturating_sub(before);
        self.now = self.now.plus_ms(passed).max(wall);
        self.stirred |= self.deadline.is_some_and(|at| self.now >= at);
    }

    fn connected(&mut self, party: PartyId) {
        if let Some(peer) = self.peers.get_mut(&party) {
            peer.connect();
            self.stirred = true;
            self.send_heads(party);
        }
    }

    fn disconnected(&mut self, party: PartyId) {
        if let Some(peer) = self.peers.get_mut(&party) {
            peer.disconnect();
            self.end_sessions_with(party);
            self.stirred = true;
        }
    }

    /// What a member says, over its authenticated channel. What strangers say is dropped.
    fn received(&mut self, from: PartyId, message: Message, rng: &mut dyn CryptoRngCore) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        peer.last_heard = Some(now);
        match message {
            // Pairing is over once there is a vault.
            Message::Heads { heads } => self.on_heads(from, &heads),
            Message::AskLog { author } => self.show_whole(from, author),
            Message::Entries {
                author,
                incarnation,
                from: start,
                entries,
                note,
            } => {
                self.on_entries(from, author, incarnation, start, &entries, &note);
            }
            Message::Keygen { attempt, bytes } => self.on_keygen(from, attempt, &bytes, rng),
            Message::Open(open) => self.on_open(from, open),
            Message::Decline { session, reason } => self.on_decline(from, session, &reason),
            Message::Sign { session, bytes } => self.on_sign(from, session, &bytes, rng),
        }
    }

    fn persisted(&mut self, ticket: Ticket, rng: &mut dyn CryptoRngCore) {
        for after in self.out.redeem(ticket) {
            self.stirred = true;
            match after {
                After::StartKeygen(attempt) => self.start_keygen(attempt, rng),
                After::Prepare(attempt) => self.prepare(attempt),
                After::StartSession(session) => self.start_session(session, rng),
            }
        }
    }

    /// Lets every part do what has become possible, until nothing more has.
    fn settle(&mut self, rng: &mut dyn CryptoRngCore) {
        for _ in 0..MAX_SETTLE_ROUNDS {
            if !std::mem::take(&mut self.stirred) {
                return;
            }
            self.deadline = None;
            self.end_all_if_rolled_back();
            self.close_left_open();
            self.advance_founding();
            self.end_stale_sessions();
            self.judge_parked();
            self.ask_again(rng);
            self.advance_openings(rng);
            self.advance_watch();
            self.gossip();
        }
        // The rest goes on with the next input.
        self.wake_by(self.now);
    }

    /// Withdraws this member's own requests that lost their slots, and asks for the same again in others. It looks at
    /// every request, so only when something was said since, or now and then for what ends by time alone.
    fn ask_again(&mut self, rng: &mut dyn CryptoRngCore) {
        let due = self.told || self.now.since_ms(self.looked_over) >= LOOK_OVER_EVERY_MS;
        let able = self.state.has_keys() && self.may_append_unasked();
        if !due || !able || self.unfinished().next().is_none() {
            return;
        }
        self.told = false;
        self.looked_over = self.now;
        for (lost, slot) in self.state.must_ask_again(self.now) {
            let mut nonce = [0; 32];
            rng.fill_bytes(&mut nonce);
            let again = self.state.draft_again(&lost, slot, nonce);
            // Both or none: an answer is durable as one.
            if let Some(again) = again.filter(|_| self.has_room_for(2)) {
                self.append_unasked(Entry::Cancellation { request: lost });
                self.append_unasked(Entry::Request(Box::new(again)));
            }
        }
    }

    /// The head of the own log becomes durable with this answer, and goes to everybody after it.
    fn end_answer(&mut self) {
        if let Err(error) = self.sign_own_log() {
            // Only a wrong identity key could do that, which was checked when the vault was made.
            self.out.done(Outcome::Misbehaved {
                culprit: self.me,
                offence: error.to_string(),
            });
        }
        let size = self.own_log().signed_size();
        if std::mem::replace(&mut self.pushed_own, size) < size {
            self.push_own_log();
        }
        if let Some(at) = self.deadline {
            self.out.push(Output::WakeAt(at));
        }
    }

    /// Asks for a wake-up no later than this.
    fn wake_by(&mut self, at: Time) {
        self.deadline = Some(self.deadline.map_or(at, |earlier| earlier.min(at)));
    }

    /// Folds an entry that is in a log here.
    fn absorb(&mut self, author: PartyId, position: u64, logged: &Logged) {
        self.stirred = true;
        self.told = true;
        if let Entry::SessionRecord(record) = &logged.entry {
            self.openings
                .first_heard
                .entry(record.session)
                .or_insert(self.now);
        }
        if let Some(request) = self.state.absorb(author, INCARNATION, position, logged) {
            self.out.changed(request);
        }
    }

    /// The six words of the charter.
    fn words(&self) -> &Words {
        self.words.get_or_init(|| self.charter.fingerprint())
    }

    /// The keys that sign, and the attempt that made them.
    fn active_keys(&self) -> Option<(u32, PublicKeys)> {
        match self.state.act0() {
            Act0::Decided {
                attempt, public, ..
            }
            | Act0::Active { attempt, public }
                if self.state.has_keys() =>
            {
                Some((attempt, public))
            }
            _ => None,
        }
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("id", &self.id)
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}
