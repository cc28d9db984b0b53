//! Fixtures for tests: members with known keys, keys without a ceremony, and logs written by hand.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::LazyLock;

use ed25519_dalek::{Signer, SigningKey};
use k256::ecdsa::{RecoveryId, Signature};
use quorate_chain::evm::{Address, Fees, TRANSFER_GAS, Transfer, TransferTerms, Wei};
use quorate_chain::{ChainId, Intent};
use quorate_log::{Log, Origin};
use quorate_threshold::{
    EcdsaSignature, KeyShare, Parameters, PartyIndex, Point, PublicKeys, RawKeyShare, Suite,
};

use crate::audit::Bundle;
use crate::charter::{Charter, Member, Role, Rule};
use crate::entry::{
    Approval, Entry, Logged, Prepared, Purpose, Receipt, Request, Seen, SessionRecord,
    SessionResult,
};
use crate::fold::{State, approval_hash, evm_address, intent_digest, prepared_hash, request_id};
use crate::ids::{PartyId, RequestId, SessionId, Time};

/// The chain of all tests.
pub(crate) const CHAIN: ChainId = ChainId::Eip155(31337);
/// When tests begin.
pub(crate) const START: Time = Time(1_800_000_000_000);
const HOUR_MS: u64 = 3_600_000;
/// The coefficients of the group's polynomial; the first is the secret key.
const COEFFICIENTS: [u128; 16] = [
    7_919, 104_729, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47,
];

pub(crate) fn identity(i: usize) -> SigningKey {
    SigningKey::from_bytes(&[u8::try_from(i).unwrap() + 1; 32])
}

pub(crate) fn credential(i: usize) -> SigningKey {
    SigningKey::from_bytes(&[u8::try_from(i).unwrap() + 101; 32])
}

/// `n` members with keys known to tests.
pub(crate) fn founders(n: usize) -> Vec<Member> {
    let names = ["alice", "bob", "carol", "dave", "erin"];
    let member = |i: usize| {
        let identity = identity(i).verifying_key().to_bytes();
        let endpoint = SigningKey::from_bytes(&[u8::try_from(i).unwrap() + 201; 32]);
        Member {
            party: PartyId::of_identity(&identity),
            name: names
                .get(i)
                .map_or_else(|| format!("member-{i}"), |name| (*name).to_owned()),
            identity,
            endpoint: endpoint.verifying_key().to_bytes(),
            credential: credential(i).verifying_key().to_bytes(),
            controller: "owner".to_owned(),
            domains: vec![format!("device-{i}")],
            role: Role::Signer,
            nonce: [u8::try_from(i).unwrap(); 32],
        }
    };
    (0..n).map(member).collect()
}

/// A charter of `n` members in which `t` sign and `t` approve.
pub(crate) fn charter(t: u8, n: usize) -> Charter {
    Charter {
        version: 1,
        name: "family".to_owned(),
        nonce: [42; 32],
        threshold: t,
        rule: Rule::Approvals { k: t },
        members: founders(n),
    }
}

/// Shares of a small polynomial, the same for all three suites.
fn share(suite: Suite, parameters: Parameters, index: PartyIndex) -> KeyShare {
    let value = |x: u8| {
        let terms = COEFFICIENTS
            .iter()
            .take(usize::from(parameters.threshold().get()));
        terms.rev().fold(0u128, |sum, c| sum * u128::from(x) + c)
    };
    let scalar = |x: u8| {
        let mut bytes = [0; 32];
        match suite {
            Suite::EddsaEd25519 => bytes[..16].copy_from_slice(&value(x).to_le_bytes()),
            _ => bytes[16..].copy_from_slice(&value(x).to_be_bytes()),
        }
        bytes
    };
    let point = |x: u8| Point::of_secret(suite, &scalar(x)).unwrap();
    let raw = RawKeyShare {
        suite,
        epoch: 1,
        index,
        parameters,
        group_key: point(0),
        verification_shares: parameters.indices().map(|i| point(i.get())).collect(),
        chain_code: [9; 32],
        secret: scalar(index.get()),
    };
    KeyShare::from_raw_parts_holding_a_secret(&raw).unwrap()
}

/// Public keys of the charter's committee, whose secret is known; `transcript` tells ceremonies apart.
pub(crate) fn public_keys(charter: &Charter, transcript: u8) -> PublicKeys {
    let committee = charter.committee().unwrap();
    let first = PartyIndex::new(1).unwrap();
    let shares = Suite::ALL.map(|suite| share(suite, committee.parameters(), first));
    PublicKeys::from_shares(&shares, &committee, [transcript; 32]).unwrap()
}

/// A signature under [`public_keys`].
pub(crate) fn sign(digest: &[u8; 32]) -> EcdsaSignature {
    let mut secret = [0; 32];
    secret[16..].copy_from_slice(&COEFFICIENTS[0].to_be_bytes());
    let key = k256::ecdsa::SigningKey::from_slice(&secret).unwrap();
    let (signature, id): (Signature, RecoveryId) = key.sign_prehash_recoverable(digest).unwrap();
    let (r, s) = signature.split_bytes();
    EcdsaSignature {
        r: r.into(),
        s: s.into(),
        recovery_id: id.to_byte(),
    }
}

/// What the members' logs say, as they grow.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) charter: Charter,
    pub(crate) public: PublicKeys,
    /// Every entry with its author's place in the charter, in the order it was written.
    pub(crate) entries: Vec<(usize, Logged)>,
    pub(crate) now: Time,
    sessions: u8,
    requests: u8,
}

impl World {
    /// Nobody has said anything.
    pub(crate) fn silent(t: u8, n: usize) -> Self {
        let charter = charter(t, n);
        let public = public_keys(&charter, 5);
        Self {
            charter,
            public,
            entries: Vec::new(),
            now: START,
            sessions: 0,
            requests: 0,
        }
    }

    /// Everybody confirmed, prepared and acknowledged.
    pub(crate) fn active(t: u8, n: usize) -> Self {
        static TWO_OF_THREE: LazyLock<World> = LazyLock::new(|| World::activate(2, 3));
        if (t, n) == (2, 3) {
            TWO_OF_THREE.clone()
        } else {
            Self::activate(t, n)
        }
    }

    fn activate(t: u8, n: usize) -> Self {
        let mut world = Self::silent(t, n);
        let all = 0..n;
        all.clone().for_each(|i| world.found(i));
        all.clone()
            .for_each(|i| world.say(i, Entry::CeremonyStarted { act: 0, attempt: 1 }));
        all.clone().for_each(|i| world.prepare(i, 1));
        all.for_each(|i| world.acknowledge(i, 1));
        world
    }

    pub(crate) fn say(&mut self, i: usize, entry: Entry) {
        self.now = self.now.plus_ms(1000);
        self.entries.push((
            i,
            Logged {
                at: self.now,
                entry,
            },
        ));
    }

    pub(crate) fn found(&mut self, i: usize) {
        self.say(i, Entry::Founded(Box::new(self.charter.clone())));
    }

    pub(crate) fn prepared(&self, i: usize, attempt: u32, public: PublicKeys) -> Prepared {
        let hash = prepared_hash(&self.charter.vault_id(), 0, attempt, &public);
        let signature = identity(i).sign(&hash).to_bytes().to_vec();
        Prepared {
            act: 0,
            attempt,
            public,
            signature,
        }
    }

    pub(crate) fn prepare(&mut self, i: usize, attempt: u32) {
        let prepared = self.prepared(i, attempt, self.public.clone());
        self.say(i, Entry::Prepared(Box::new(prepared)));
    }

    pub(crate) fn acknowledge(&mut self, i: usize, attempt: u32) {
        let public = self.public.hash();
        self.say(
            i,
            Entry::Acknowledged {
                act: 0,
                attempt,
                public,
            },
        );
    }

    pub(crate) fn party(&self, i: usize) -> PartyId {
        self.charter.members[i].party
    }

    pub(crate) fn address(&self) -> Address {
        evm_address(&self.public).unwrap()
    }

    pub(crate) fn transfer(&self, slot: u64) -> TransferTerms {
        TransferTerms {
            chain: CHAIN,
            from: self.address(),
            to: Address::new([0xbb; 20]),
            value: Wei::from(1_000_000_000_000_000u128),
            nonce: slot,
            gas_limit: TRANSFER_GAS,
            bounds: Fees {
                max_fee_per_gas: 1_000_000_000_000,
                max_priority_fee_per_gas: 100_000_000_000,
            },
            fills_dead_slots_below: true,
        }
    }

    pub(crate) fn draft(&mut self, slot: u64) -> Request {
        self.requests = self.requests.wrapping_add(1);
        Request {
            nonce: [self.requests; 32],
            intent: Intent::EvmTransfer(Transfer::new(self.transfer(slot)).unwrap()),
            expires: self.now.plus_ms(24 * HOUR_MS),
            note: "rent".to_owned(),
            idempotency_key: String::new(),
            instead_of: None,
        }
    }

    pub(crate) fn request(&mut self, i: usize, slot: u64) -> RequestId {
        let request = self.draft(slot);
        self.ask(i, request)
    }

    pub(crate) fn ask(&mut self, i: usize, request: Request) -> RequestId {
        let id = request_id(&self.charter.vault_id(), &self.party(i), &request);
        self.say(i, Entry::Request(Box::new(request)));
        id
    }

    /// The approval that member `i` would give of the request as it stands.
    pub(crate) fn approval(&self, i: usize, id: RequestId) -> Approval {
        let standing = self.state(i).standing(&id, self.now).unwrap();
        self.approval_of(i, id, &standing.request.intent, &standing.request)
    }

    pub(crate) fn approval_of(
        &self,
        i: usize,
        id: RequestId,
        intent: &Intent,
        request: &Request,
    ) -> Approval {
        let mut approval = Approval {
            request: id,
            charter_version: 1,
            intent_digest: intent_digest(intent),
            expires: request.expires,
            nonce: request.nonce,
            signature: Vec::new(),
        };
        self.sign_approval(i, &mut approval);
        approval
    }

    pub(crate) fn sign_approval(&self, i: usize, approval: &mut Approval) {
        let hash = approval_hash(
            &self.charter.vault_id(),
            approval.charter_version,
            &approval.intent_digest,
            approval.expires,
            &approval.nonce,
        );
        approval.signature = credential(i).sign(&hash).to_bytes().to_vec();
    }

    pub(crate) fn approve(&mut self, members: &[usize], id: RequestId) {
        for i in members {
            let approval = self.approval(*i, id);
            self.say(*i, Entry::Approval(approval));
        }
    }

    pub(crate) fn reject(&mut self, i: usize, id: RequestId) {
        self.say(
            i,
            Entry::Rejection {
                request: id,
                reason: "not now".to_owned(),
            },
        );
    }

    /// Member `i` carries out what its machine would: withdraws what lost its slot, and asks again.
    pub(crate) fn ask_again(&mut self, i: usize) -> Vec<RequestId> {
        let state = self.state(i);
        let lost = state.must_ask_again(self.now);
        let asked = lost.into_iter().map(|(lost, slot)| {
            self.requests = self.requests.wrapping_add(1);
            let again = state.draft_again(&lost, slot, [self.requests; 32]).unwrap();
            self.cancel(i, lost);
            self.ask(i, again)
        });
        asked.collect()
    }

    pub(crate) fn cancel(&mut self, i: usize, id: RequestId) {
        self.say(i, Entry::Cancellation { request: id });
    }

    pub(crate) fn ask_to_replace(&mut self, i: usize, request: RequestId, supersedes: SessionId) {
        self.say(
            i,
            Entry::Replacement {
                request,
                supersedes,
            },
        );
    }

    /// Final bytes for a request and purpose, at fees that grow with `raise`.
    pub(crate) fn bytes(&self, id: RequestId, purpose: Purpose, raise: u128) -> Vec<u8> {
        let intent = self.state(0).intent_for(&id, purpose).unwrap();
        let fees = Fees {
            max_fee_per_gas: 10_000_000_000 * (raise + 1),
            max_priority_fee_per_gas: 1_000_000_000 * (raise + 1),
        };
        intent.build(fees).unwrap()
    }

    /// Records of one session in the logs of `members`, who are its quorum.
    pub(crate) fn open(&mut self, members: &[usize], id: RequestId, purpose: Purpose) -> SessionId {
        let attempt = self.state(0).attempts(&id, purpose) + 1;
        let unsigned = self.bytes(id, purpose, u128::from(attempt));
        self.open_with(members, id, purpose, attempt, unsigned)
    }

    pub(crate) fn open_with(
        &mut self,
        members: &[usize],
        id: RequestId,
        purpose: Purpose,
        attempt: u32,
        unsigned: Vec<u8>,
    ) -> SessionId {
        let digest = self.digest(id, purpose, &unsigned);
        self.open_bytes(members, id, purpose, attempt, unsigned, digest)
    }

    pub(crate) fn open_bytes(
        &mut self,
        members: &[usize],
        id: RequestId,
        purpose: Purpose,
        attempt: u32,
        unsigned: Vec<u8>,
        digest: [u8; 32],
    ) -> SessionId {
        self.sessions += 1;
        let session = SessionId([self.sessions; 32]);
        let mut quorum = members.to_vec();
        quorum.sort_unstable();
        let record = SessionRecord {
            session,
            request: id,
            purpose,
            attempt,
            opener: self.party(members[0]),
            quorum: quorum.iter().map(|i| self.party(*i)).collect(),
            unsigned,
            digest,
        };
        for i in members {
            self.say(*i, Entry::SessionRecord(Box::new(record.clone())));
        }
        session
    }

    fn digest(&self, id: RequestId, purpose: Purpose, unsigned: &[u8]) -> [u8; 32] {
        let intent = self.state(0).intent_for(&id, purpose).unwrap();
        intent
            .check(unsigned)
            .map_or([0; 32], |signable| signable.digest())
    }

    pub(crate) fn signed(&mut self, members: &[usize], session: SessionId) {
        let state = self.state(0);
        let (_, recorded) = state
            .session(&session)
            .unwrap()
            .records
            .iter()
            .next()
            .unwrap();
        let result = SessionResult::Signed(sign(&recorded.said.what.digest));
        for i in members {
            self.say(
                *i,
                Entry::SessionOutcome {
                    session,
                    result: result.clone(),
                },
            );
        }
    }

    pub(crate) fn failed(&mut self, members: &[usize], session: SessionId) {
        for i in members {
            let result = SessionResult::Failed {
                reason: "carol was silent".to_owned(),
            };
            self.say(*i, Entry::SessionOutcome { session, result });
        }
    }

    /// A session from record to outcome.
    pub(crate) fn sign(&mut self, members: &[usize], id: RequestId, purpose: Purpose) -> SessionId {
        let session = self.open(members, id, purpose);
        self.signed(members, session);
        session
    }

    pub(crate) fn mined(
        &self,
        id: RequestId,
        slot: u64,
        session: SessionId,
        finalised: bool,
    ) -> Receipt {
        let tx = self.state(0).signed_tx(&session).unwrap();
        let seen = Seen::Mined {
            hash: tx.hash,
            raw: tx.raw,
            block_number: 12,
            block_hash: [3; 32],
            success: true,
            gas_used: 21_000,
            effective_gas_price: 9_000_000_000,
            finalised,
        };
        Receipt {
            request: id,
            slot,
            seen,
        }
    }

    pub(crate) fn mine(&mut self, i: usize, id: RequestId, slot: u64, session: SessionId) {
        let receipt = self.mined(id, slot, session, true);
        self.say(i, Entry::Receipt(Box::new(receipt)));
    }

    /// Member `i`'s log, with a checkpoint over all of it.
    pub(crate) fn log(&self, i: usize) -> Log {
        let party = self.party(i);
        let vault = self.charter.vault_id();
        let origin = Origin {
            vault: *vault.as_bytes(),
            author: *party.as_bytes(),
            incarnation: 0,
        };
        let key = identity(i);
        let mut log = Log::new(origin, key.verifying_key());
        for (_, logged) in self.entries.iter().filter(|(author, _)| *author == i) {
            log.append(logged.encode()).unwrap();
        }
        log.sign_checkpoint(&key).unwrap();
        log
    }

    /// Everybody's log, as `log export` would write them.
    pub(crate) fn bundle(&self) -> Bundle {
        let logs: Vec<Log> = (0..self.charter.members.len())
            .map(|i| self.log(i))
            .collect();
        Bundle::of(&self.charter.vault_id(), &logs)
    }

    /// What member `i` makes of it all, in the order it was written.
    pub(crate) fn state(&self, i: usize) -> State {
        let order: Vec<usize> = (0..self.entries.len()).collect();
        self.state_in(i, &order)
    }

    /// What member `i` makes of the entries at these places, each author's in the order of its log.
    pub(crate) fn state_in(&self, me: usize, order: &[usize]) -> State {
        let mut state = State::new(self.charter.clone(), self.party(me)).unwrap();
        let mut heads = vec![0; self.charter.members.len()];
        for at in order {
            let (author, logged) = &self.entries[*at];
            state.absorb(self.party(*author), 0, heads[*author], logged);
            heads[*author] += 1;
        }
        state
    }
}
