//! The people: each looks at their own screen now and then and does what a patient person would.

use ed25519_dalek::{Signer, SigningKey};
use quorate_chain::{ChainId, evm};
use quorate_vault::entry::Approval;
use quorate_vault::fold::{Act0, RequestState, approval_hash};
use quorate_vault::io::{Amount, Proposal};
use quorate_vault::{Command, PartyId, RequestId, Time, Vault};

/// How long requests stay open: longer than any run.
const OPEN_MS: u64 = 24 * 3600 * 1000;

/// One person in front of one member's screen.
pub struct Person {
    pub(crate) party: PartyId,
    credential: SigningKey,
    /// Payments this person still has to ask for: recipient and amount.
    to_ask: Vec<(evm::Address, u64)>,
    /// How often each of them was asked for after the first time, because another transaction took its slot.
    again: Vec<u32>,
    /// The roster's words, read off the screen once.
    words: Option<String>,
}

impl Person {
    /// A person who will ask for these payments once the vault is active.
    pub fn new(party: PartyId, credential: SigningKey, to_ask: Vec<(evm::Address, u64)>) -> Self {
        Self {
            party,
            credential,
            to_ask,
            again: Vec::new(),
            words: None,
        }
    }

    /// What the person does now, given what the screen shows. Asking twice for one payment is prevented as a careful
    /// person would: by an idempotency key, kept on paper, and by asking anew only when the chain's word is final.
    pub fn act(&mut self, vault: &Vault, chain: ChainId, now: Time) -> Vec<Command> {
        let state = vault.state();
        match state.act0() {
            Act0::Confirming { .. } if !state.has_founded(&self.party) => {
                let words = self
                    .words
                    .get_or_insert_with(|| vault.charter().fingerprint().to_string());
                vec![Command::Confirm {
                    words: words.clone(),
                }]
            }
            Act0::Active { .. } => {
                let mut commands = self.approvals(vault, now);
                commands.extend(self.next_request(vault, chain, now));
                commands
            }
            _ => Vec::new(),
        }
    }

    /// Consents to everything that waits for consent.
    fn approvals(&self, vault: &Vault, now: Time) -> Vec<Command> {
        let state = vault.state();
        let waiting = state.requests().filter_map(|id| state.standing(&id, now));
        let mine = waiting.filter(|standing| {
            let undecided = !standing
                .approvals
                .iter()
                .any(|decision| decision.party == self.party);
            undecided
                && matches!(
                    standing.state,
                    RequestState::WaitingForApprovals | RequestState::Ready
                )
        });
        mine.map(|standing| {
            let version = vault.charter().version;
            let (expires, nonce) = (standing.request.expires, standing.request.nonce);
            let hash = approval_hash(
                &vault.charter().vault_id(),
                version,
                &standing.digest,
                expires,
                &nonce,
            );
            Command::Approve(Approval {
                request: standing.id,
                charter_version: version,
                intent_digest: standing.digest,
                expires,
                nonce,
                signature: self.credential.sign(&hash).to_bytes().to_vec(),
            })
        })
        .collect()
    }

    fn next_request(&mut self, vault: &Vault, chain: ChainId, now: Time) -> Option<Command> {
        let number = self.next_number(vault, now)?;
        let (to, wei) = self.to_ask.get(number).copied()?;
        Some(Command::Propose(Box::new(Proposal {
            chain,
            to,
            amount: Amount::Exact(evm::Wei::from(u128::from(wei))),
            bounds: evm::Fees {
                max_fee_per_gas: 200_000_000_000,
                max_priority_fee_per_gas: 50_000_000_000,
            },
            expires: now.plus_ms(OPEN_MS),
            note: String::new(),
            idempotency_key: self.key(number),
        })))
    }

    /// Which payment to ask for: one whose answer never came because the node died in between, where the key makes asking
    /// again harmless; one that is lost for good; or the next.
    fn next_number(&mut self, vault: &Vault, now: Time) -> Option<usize> {
        for number in 0..self.again.len() {
            let Some(id) = self.asked_as(vault, number, now) else {
                return Some(number);
            };
            if is_lost(vault, &id, now) {
                *self.again.get_mut(number)? += 1;
                return Some(number);
            }
        }
        let next = self.again.len();
        self.to_ask.get(next)?;
        self.again.push(0);
        Some(next)
    }

    /// The request that stands for a payment now.
    fn asked_as(&self, vault: &Vault, number: usize, now: Time) -> Option<RequestId> {
        let (state, key) = (vault.state(), self.key(number));
        let mut all = state.requests();
        let first = all.find(|id| {
            let standing = state.standing(id, now);
            standing.is_some_and(|standing| standing.request.idempotency_key == key)
        })?;
        Some(state.latest(&first))
    }

    fn key(&self, number: usize) -> String {
        let again = self.again.get(number).copied().unwrap_or_default();
        format!("{:?}/{number}/{again}", self.party)
    }
}

fn is_lost(vault: &Vault, id: &RequestId, now: Time) -> bool {
    let state = vault.state();
    let standing = state.standing(id, now);
    let lost = standing.filter(|standing| standing.state == RequestState::Lost);
    lost.and_then(|standing| state.consumed(&standing.slot))
        .is_some_and(|seen| seen.finalised)
}
