//! The judge: what must hold in every run, whatever fails.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use quorate_chain::evm;
use quorate_vault::{Entry, Message, Outcome, PartyId, SessionId};

use crate::cast::Cast;
use crate::chain::SimChain;
use crate::disk::Disk;
use crate::once::OneTime;
use crate::world::Plan;

/// The promises and what was seen of them.
pub struct Watch {
    recipients: Vec<evm::Address>,
    one_time: OneTime,
    broken: Vec<String>,
    misbehaved: u64,
}

/// Where the `k`-th payment asked for by member `i` goes: nobody else is ever paid there.
pub fn recipient(i: usize, k: usize) -> evm::Address {
    let mut bytes = [0x51; 20];
    let [.., high, low] = &mut bytes;
    *high = u8::try_from(i).unwrap_or(u8::MAX);
    *low = u8::try_from(k).unwrap_or(u8::MAX);
    evm::Address::new(bytes)
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(plan: &Plan, _cast: &Cast) -> Self {
        let recipients = (0..2)
            .flat_map(|i| (0..plan.payments).map(move |k| recipient(i, k)))
            .collect();
        Self {
            recipients,
            one_time: OneTime::default(),
            broken: Vec::new(),
            misbehaved: 0,
        }
    }

    /// Writes down a broken promise.
    pub fn break_promise(&mut self, what: String) {
        self.broken.push(what);
    }

    /// Every broken promise, in the order in which it was seen.
    pub fn broken(&self) -> &[String] {
        &self.broken
    }

    /// G8: what leaves a member belongs to an attempt that is on its disk, and is fresh.
    pub fn released(&mut self, i: usize, message: &Message, to: PartyId, disk: &Disk) {
        match message {
            Message::Keygen { attempt, bytes } => {
                self.broken.extend(self.one_time.said(i, to, bytes));
                let durable = |entry: &Entry| matches!(entry, Entry::CeremonyStarted { attempt: a, .. } if a == attempt);
                self.expect_durable(i, "keygen message", disk, durable);
            }
            Message::Open(open) => {
                let session = open.session;
                self.expect_durable(i, "opening", disk, |entry| records(entry, session));
            }
            Message::Sign { session, bytes } => {
                let session = *session;
                self.expect_durable(i, "signing message", disk, |entry| records(entry, session));
                self.broken.extend(self.one_time.said(i, to, bytes));
            }
            Message::Entries {
                from,
                entries,
                author,
                ..
            } => self.log_is_durable(i, *author, *from, entries, disk),
            _ => {}
        }
    }

    fn expect_durable(
        &mut self,
        i: usize,
        what: &str,
        disk: &Disk,
        durable: impl Fn(&Entry) -> bool,
    ) {
        if !disk
            .own_entries()
            .iter()
            .any(|logged| durable(&logged.entry))
        {
            self.broken.push(format!(
                "member {i} let go of a {what} before its attempt was on disk"
            ));
        }
    }

    /// A member whose disk does not hold what it told would contradict itself after a power failure.
    fn log_is_durable(
        &mut self,
        i: usize,
        author: PartyId,
        from: u64,
        entries: &[Vec<u8>],
        disk: &Disk,
    ) {
        let mine = disk.own_log();
        let replica = disk
            .replicas()
            .find(|(party, _)| *party == author)
            .map(|(_, log)| log);
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let held = |log: &[Vec<u8>]| {
            log.get(from..)
                .is_some_and(|rest| rest.starts_with(entries))
        };
        if !held(mine) && !replica.is_some_and(held) {
            self.broken.push(format!(
                "member {i} told entries of a log before they were on disk"
            ));
        }
    }

    /// Honest members are never blamed.
    pub fn outcome(&mut self, i: usize, outcome: &Outcome) {
        if let Outcome::Misbehaved { culprit, offence } = outcome {
            self.misbehaved += 1;
            self.broken
                .push(format!("member {i} blames {}: {offence}", culprit.short()));
        }
    }

    /// Whether every payment that was asked for is on the chain.
    pub fn is_done(&self, chain: &SimChain) -> bool {
        let paid: BTreeSet<evm::Address> = chain.mined().iter().map(|tx| tx.transfer.to).collect();
        self.recipients.iter().all(|to| paid.contains(to))
    }

    /// What must hold of disks and chain at the end.
    pub fn inspect(&mut self, disks: &[(PartyId, Rc<RefCell<Disk>>)], chain: &SimChain) {
        self.at_most_one_payment(chain);
        self.logs_agree(disks);
        self.no_key_lost(disks);
    }

    /// G9.
    fn at_most_one_payment(&mut self, chain: &SimChain) {
        let mut paid: BTreeMap<evm::Address, u32> = BTreeMap::new();
        for tx in chain.mined() {
            *paid.entry(tx.transfer.to).or_default() += 1;
        }
        for to in &self.recipients {
            let times = paid.get(to).copied().unwrap_or(0);
            if times > 1 {
                self.broken.push(format!("{to} was paid {times} times"));
            }
        }
    }

    /// Every replica is a prefix of what its author holds.
    fn logs_agree(&mut self, disks: &[(PartyId, Rc<RefCell<Disk>>)]) {
        let own: BTreeMap<PartyId, Vec<Vec<u8>>> = disks
            .iter()
            .map(|(party, disk)| (*party, disk.borrow().own_log().to_vec()))
            .collect();
        for (i, (_, disk)) in disks.iter().enumerate() {
            for (author, replica) in disk.borrow().replicas() {
                if !own.get(&author).is_some_and(|log| log.starts_with(replica)) {
                    self.broken.push(format!(
                        "member {i} holds another log of {} than that member",
                        author.short()
                    ));
                }
            }
        }
    }

    /// G7: whoever said PREPARED holds the shares it spoke of, unless another signed that it gave that attempt up.
    fn no_key_lost(&mut self, disks: &[(PartyId, Rc<RefCell<Disk>>)]) {
        let mut given_up = BTreeSet::new();
        for (_, disk) in disks {
            for logged in disk.borrow().own_entries() {
                if let Entry::Aborted { attempt, .. } = &logged.entry {
                    given_up.insert(*attempt);
                }
            }
        }
        for (i, (_, disk)) in disks.iter().enumerate() {
            let disk = disk.borrow();
            for logged in disk.own_entries() {
                let Entry::Prepared(prepared) = &logged.entry else {
                    continue;
                };
                let attempt = format!("attempt-{}", prepared.attempt);
                let dead = given_up.contains(&prepared.attempt);
                if !dead
                    && !disk
                        .secret_names()
                        .iter()
                        .any(|name| name.ends_with(&attempt))
                {
                    self.broken.push(format!(
                        "member {i} said PREPARED for {attempt} and holds no share of it"
                    ));
                }
            }
        }
    }
}

fn records(entry: &Entry, session: SessionId) -> bool {
    matches!(entry, Entry::SessionRecord(record) if record.session == session)
}
