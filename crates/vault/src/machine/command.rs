//! What the local person asks. Each command is judged before anything changes.

use rand_core::CryptoRngCore;

use super::{Error, Vault};
use crate::entry::{Approval, Entry, MAX_NOTE_BYTES, Purpose};
use crate::fold::{MAX_OPEN_PER_AUTHOR, SameKey, request_id};
use crate::ids::RequestId;
use crate::io::{Command, Outcome, Proposal};
use quorate_chain::Intent;
use quorate_chain::evm::FeeQuote;

impl Vault {
    /// Carries out a command or refuses it.
    pub(super) fn command(
        &mut self,
        command: Command,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Error> {
        if self.rolled_back {
            return Err(Error::RolledBack);
        }
        match command {
            Command::Confirm { words } => self.confirm(&words),
            Command::Propose(proposal) => self.propose(&proposal, rng),
            Command::Approve(approval) => self.approve(approval),
            Command::Reject { request, reason } => self.reject(request, reason),
            Command::Cancel { request } => self.cancel(request),
            Command::Replace { request } => self.replace(request),
            Command::Note { request, text } => self.note(request, text),
        }
    }

    fn propose(&mut self, proposal: &Proposal, rng: &mut dyn CryptoRngCore) -> Result<(), Error> {
        match self.state.same_key(proposal) {
            SameKey::New => {}
            SameKey::Duplicate(earlier) => {
                self.out.done(Outcome::Duplicate(earlier));
                return Ok(());
            }
            SameKey::Conflict(earlier) => return Err(Error::IdempotencyKey(earlier)),
        }
        let open = self.state.open_of(&self.me, self.now);
        if open >= MAX_OPEN_PER_AUTHOR {
            return Err(Error::TooManyOpen { open });
        }
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let request = self.state.draft(proposal, nonce, self.now)?;
        let id = request_id(&self.id, &self.me, &request);
        self.append(Entry::Request(Box::new(request)))?;
        self.out.done(Outcome::Requested(id));
        Ok(())
    }

    fn approve(&mut self, approval: Approval) -> Result<(), Error> {
        self.state.may_approve(&approval, self.now)?;
        let request = approval.request;
        self.note_down(request, Entry::Approval(approval))
    }

    fn reject(&mut self, request: RequestId, reason: String) -> Result<(), Error> {
        check_words("the reason", &reason)?;
        self.state.may_reject(&request, self.now)?;
        self.note_down(request, Entry::Rejection { request, reason })
    }

    fn cancel(&mut self, request: RequestId) -> Result<(), Error> {
        self.state.may_cancel(&request, self.now)?;
        self.note_down(request, Entry::Cancellation { request })
    }

    fn replace(&mut self, request: RequestId) -> Result<(), Error> {
        let supersedes = self.state.may_replace(&request, self.now)?;
        if !self.has_room(&request) {
            return Err(Error::NoRoom(request));
        }
        self.note_down(
            request,
            Entry::Replacement {
                request,
                supersedes,
            },
        )
    }

    /// Whether the approved bounds allow a transaction that outbids the signed ones.
    fn has_room(&self, request: &RequestId) -> bool {
        let Some(intent) = self.state.intent_for(request, Purpose::Payment) else {
            return false;
        };
        let Intent::EvmTransfer(transfer) = &intent;
        let least = FeeQuote {
            base_fee_per_gas: 0,
            tip: 0,
        };
        let signed = self.signed_fees(request, Purpose::Payment, &intent);
        signed.is_none_or(|fees| fees.replacement(least, transfer.terms().bounds).is_ok())
    }

    fn note(&mut self, request: RequestId, text: String) -> Result<(), Error> {
        check_words("the note", &text)?;
        if self.state.request_state(&request, self.now).is_none() {
            return Err(crate::fold::Denied::UnknownRequest.into());
        }
        self.note_down(request, Entry::Note { request, text })
    }

    fn note_down(&mut self, request: RequestId, entry: Entry) -> Result<(), Error> {
        self.append(entry)?;
        self.out.done(Outcome::Noted(request));
        Ok(())
    }
}

fn check_words(what: &'static str, words: &str) -> Result<(), Error> {
    if words.len() > MAX_NOTE_BYTES {
        return Err(Error::TooLong {
            what,
            bytes: words.len(),
            limit: MAX_NOTE_BYTES,
        });
    }
    Ok(())
}
