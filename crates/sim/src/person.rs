//! The people: each looks at their own screen now and then and does what a patient person would.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey};
use quorate_chain::{ChainId, evm};
use quorate_vault::entry::Approval;
use quorate_vault::fold::{Act0, RequestState, Standing, State, approval_hash};
use quorate_vault::io::{Amount, Proposal};
use quorate_vault::{Command, PartyId, Time, Vault};

/// How long requests stay open: longer than any run.
const OPEN_MS: u64 = 24 * 3600 * 1000;

/// One person in front of one member's screen.
pub struct Person {
    pub(crate) party: PartyId,
    credential: SigningKey,
    /// Payments this person still has to ask for: recipient and amount.
    to_ask: Vec<(evm::Address, u64)>,
    asked: u64,
    /// How often a payment had to be asked for anew, by number.
    again: BTreeMap<u64, u32>,
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
            asked: 0,
            again: BTreeMap::new(),
            words: None,
        }
    }

    /// What the person does now, given what the screen shows. Asking twice for one payment is prevented as a careful
    /// person would: by an idempotency key, kept on paper.
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
        let state = vault.state();
        let lost = (0..self.asked).find(|number| self.is_lost(*number, state, now));
        if let Some(number) = lost {
            *self.again.entry(number).or_default() += 1;
            return self.ask(number, chain, now);
        }
        if self.asked > 0 && self.newest(self.asked - 1, state, now).is_none() {
            // The answer never came: the node died in between. The key makes asking again harmless.
            self.asked -= 1;
        }
        let command = self.ask(self.asked, chain, now)?;
        self.asked += 1;
        Some(command)
    }

    /// Whether the chain gave the slot of a payment to another for good, so that a patient person asks anew.
    fn is_lost(&self, number: u64, state: &State, now: Time) -> bool {
        self.newest(number, state, now).is_some_and(|standing| {
            standing.state == RequestState::Lost
                && state
                    .consumed(&standing.slot)
                    .is_some_and(|seen| seen.finalised)
        })
    }

    fn newest(&self, number: u64, state: &State, now: Time) -> Option<Standing> {
        let key = self.key(number);
        let mut all = state.requests().filter_map(|id| state.standing(&id, now));
        all.find(|standing| standing.request.idempotency_key == key)
    }

    fn key(&self, number: u64) -> String {
        let again = self.again.get(&number).copied().unwrap_or_default();
        format!("{:?}/{number}/{again}", self.party)
    }

    fn ask(&self, number: u64, chain: ChainId, now: Time) -> Option<Command> {
        let (to, wei) = self.to_ask.get(usize::try_from(number).ok()?).copied()?;
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
}
