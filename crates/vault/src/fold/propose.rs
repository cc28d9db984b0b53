//! A proposal of my own person becomes a request: the slot, the bounds, and whether it was asked before.

use quorate_chain::Intent;
use quorate_chain::evm::{TRANSFER_GAS, Transfer, TransferError, TransferTerms, max_sendable};
use thiserror::Error;

use super::State;
use super::standing::Invalid;
use crate::entry::Request;
use crate::ids::{RequestId, Time};
use crate::io::{Amount, Proposal};

/// What an idempotency key says about a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameKey {
    /// The key is new, or empty.
    New,
    /// I asked for the same before, by this request.
    Duplicate(RequestId),
    /// I used the key before, for this other request.
    Conflict(RequestId),
}

/// Why a proposal becomes no request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum ProposeError {
    #[error(
        "the vault has no keys yet; every member must confirm its words and store its shares first"
    )]
    NotActive,
    #[error("the balance does not cover the largest fee; fund the vault or lower the fee bound")]
    NothingToSend,
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error("the request would be invalid: {0}")]
    Invalid(#[from] Invalid),
}

impl State {
    /// Whether I asked for this before under the same idempotency key.
    ///
    /// The same means chain, recipient, note and exact amount; slot, fee bounds, expiry and what `max` came to differ
    /// from one try to the next. Where it was asked again since, the newest request stands for it.
    pub fn same_key(&self, proposal: &Proposal) -> SameKey {
        if proposal.idempotency_key.is_empty() {
            return SameKey::New;
        }
        let mine = self.facts.asked_by.get(&self.me).into_iter().flatten();
        let mut mine = mine.filter_map(|(_, id)| self.current(id));
        let earlier = mine.find(|one| one.request().idempotency_key == proposal.idempotency_key);
        match earlier {
            None => SameKey::New,
            Some(one) if says_the_same(one.request(), proposal) => {
                SameKey::Duplicate(self.latest(&one.id))
            }
            Some(one) => SameKey::Conflict(one.id),
        }
    }

    /// The request that a proposal becomes, in the next free slot, with `nonce` as its 32 fresh bytes.
    ///
    /// # Errors
    /// [`ProposeError`]; nothing has changed.
    pub fn draft(
        &self,
        proposal: &Proposal,
        nonce: [u8; 32],
        now: Time,
    ) -> Result<Request, ProposeError> {
        let account = self.account().filter(|_| self.has_keys());
        let from = account.ok_or(ProposeError::NotActive)?;
        let value = match &proposal.amount {
            Amount::Exact(value) => *value,
            Amount::Max { balance } => {
                max_sendable(*balance, proposal.bounds).ok_or(ProposeError::NothingToSend)?
            }
        };
        let terms = TransferTerms {
            chain: proposal.chain,
            from,
            to: proposal.to,
            value,
            nonce: self.next_slot(proposal.chain, now),
            gas_limit: TRANSFER_GAS,
            bounds: proposal.bounds,
            fills_dead_slots_below: true,
        };
        let request = Request {
            nonce,
            intent: Intent::EvmTransfer(Transfer::new(terms)?),
            expires: proposal.expires,
            note: proposal.note.clone(),
            idempotency_key: proposal.idempotency_key.clone(),
            instead_of: None,
        };
        self.judge_request(&request, now)?;
        Ok(request)
    }

    /// The request that stands in place of one that lost its slot, with `nonce` as its 32 fresh bytes.
    pub fn draft_again(&self, lost: &RequestId, slot: u64, nonce: [u8; 32]) -> Option<Request> {
        let asked = self.current(lost)?.request().clone();
        Some(Request {
            nonce,
            intent: asked.intent.with_slot(slot).ok()?,
            instead_of: Some(*lost),
            ..asked
        })
    }
}

fn says_the_same(request: &Request, proposal: &Proposal) -> bool {
    let Intent::EvmTransfer(transfer) = &request.intent;
    let terms = transfer.terms();
    let same_amount = match &proposal.amount {
        Amount::Exact(value) => terms.value == *value,
        Amount::Max { .. } => true,
    };
    same_amount
        && terms.chain == proposal.chain
        && terms.to == proposal.to
        && request.note == proposal.note
}
