//! Who opens a session, when, and with whom.
//!
//! A request that this member's own fold allows is a *candidate*. Its signers who can be reached now stand in committee
//! order, rotated by the attempt; the first opens at once, each further one some seconds later, so that a dead opener
//! holds nobody up and two openers seldom meet. Fees are asked for right before, and filled in within the bounds that
//! people approved.

use std::collections::{BTreeMap, BTreeSet};

use quorate_chain::evm::{FeeQuote, Fees};
use quorate_chain::{ChainId, Intent};
use rand_core::CryptoRngCore;

use super::Vault;
use super::candidates::{Candidate, Due};
use super::join::session_id;
use crate::entry::{Purpose, SessionRecord};
use crate::fold::SessionEnd;
use crate::ids::{PartyId, RequestId, SessionId, Time};
use crate::io::{ChainFact, Query};
use crate::message::Open;

/// How long an answer about fees is good for.
const FRESH_FEES_MS: u64 = 3_000;
/// When to ask again if no answer came.
const ASK_FEES_EVERY_MS: u64 = 4_000;
/// What waits for a session of which this member may be the opener.
#[derive(Default)]
pub(super) struct Openings {
    pub(super) candidates: BTreeMap<(RequestId, Purpose), Candidate>,
    fees: BTreeMap<ChainId, (FeeQuote, Time)>,
    asked: BTreeMap<ChainId, Time>,
    /// Members who said that they do not sign with each other.
    pub(super) incompatible: BTreeSet<(PartyId, PartyId)>,
    /// Requests for which there is nothing to open any more.
    pub(super) over: BTreeSet<RequestId>,
    /// When a session was first heard of in this run.
    pub(super) first_heard: BTreeMap<SessionId, Time>,
}

impl Vault {
    /// Opens what can be opened now, and asks for what is missing.
    pub(super) fn advance_openings(&mut self, rng: &mut dyn CryptoRngCore) {
        self.forget_finished();
        let candidates = self.candidates();
        self.openings
            .candidates
            .retain(|key, _| candidates.contains(key));
        for (request, purpose) in candidates {
            if let Some(due) = self.due(request, purpose) {
                self.open_or_ask(due, rng);
            }
        }
    }

    fn open_or_ask(&mut self, due: Due, rng: &mut dyn CryptoRngCore) {
        let Some(chain) = self
            .slot_of(&due.request, due.purpose)
            .map(|slot| slot.chain)
        else {
            return;
        };
        match self.openings.fees.get(&chain) {
            Some((quote, at)) if self.now.since_ms(*at) < FRESH_FEES_MS => {
                let quote = *quote;
                self.open(due, quote, rng);
            }
            _ => self.ask_fees(chain),
        }
    }

    fn ask_fees(&mut self, chain: ChainId) {
        let due = self
            .openings
            .asked
            .get(&chain)
            .map_or(self.now, |at| at.plus_ms(ASK_FEES_EVERY_MS));
        if self.now >= due {
            self.openings.asked.insert(chain, self.now);
            self.out
                .push(crate::io::Output::Query(Query::Fees { chain }));
            self.wake_by(self.now.plus_ms(ASK_FEES_EVERY_MS));
        } else {
            self.wake_by(due);
        }
    }

    /// The chain said what fees are asked.
    pub(super) fn on_fees(&mut self, fact: &ChainFact) {
        if let ChainFact::Fees {
            chain,
            base_fee,
            tip,
        } = fact
        {
            let quote = FeeQuote {
                base_fee_per_gas: *base_fee,
                tip: *tip,
            };
            self.openings.fees.insert(*chain, (quote, self.now));
            self.openings.asked.remove(chain);
            self.stirred = true;
        }
    }

    /// Builds the final bytes and enters the session; the proposal leaves when the record is durable.
    fn open(&mut self, due: Due, quote: FeeQuote, rng: &mut dyn CryptoRngCore) {
        let Some(unsigned) = self.final_bytes(&due, quote) else {
            return;
        };
        let Ok(signable) = self.signable(&due.request, due.purpose, &unsigned) else {
            return;
        };
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let mut open = Open {
            session: SessionId([0; 32]),
            nonce,
            request: due.request,
            purpose: due.purpose,
            attempt: due.attempt,
            quorum: due.quorum,
            unsigned,
        };
        open.session = session_id(&self.id, self.me, &open);
        let record = SessionRecord {
            session: open.session,
            request: open.request,
            purpose: open.purpose,
            attempt: open.attempt,
            opener: self.me,
            quorum: open.quorum.clone(),
            unsigned: open.unsigned.clone(),
            digest: signable.digest(),
        };
        self.enter(record, signable, Some(Box::new(open)));
    }

    /// The intent with fees: what the chain asks for now, or more than the signed transaction that is to be replaced.
    fn final_bytes(&self, due: &Due, quote: FeeQuote) -> Option<Vec<u8>> {
        let intent = self.state.intent_for(&due.request, due.purpose)?;
        let Intent::EvmTransfer(transfer) = &intent;
        let bounds = transfer.terms().bounds;
        let fees = match self.signed_fees(&due.request, due.purpose, &intent) {
            None => Fees::for_quote(quote, bounds),
            Some(old) => old.replacement(quote, bounds).ok()?,
        };
        intent.build(fees).ok()
    }

    /// The highest fees among the transactions that are signed for this intent already.
    pub(super) fn signed_fees(
        &self,
        request: &RequestId,
        purpose: Purpose,
        intent: &Intent,
    ) -> Option<Fees> {
        let sessions = self.sessions_for(request, purpose);
        let signed = sessions
            .iter()
            .filter(|session| session.end == SessionEnd::Signed);
        let fees = signed.filter_map(|session| {
            Some(intent.check(&session.record.unsigned).ok()?.transfer().fees)
        });
        fees.max_by_key(fee_order)
    }
}

fn fee_order(fees: &Fees) -> (u128, u128) {
    (fees.max_fee_per_gas, fees.max_priority_fee_per_gas)
}
