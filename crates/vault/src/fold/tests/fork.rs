//! One member signs two versions of its log, shows one to each of the others, and signs with whoever will.

use proptest::prelude::{Strategy, any, prop_assert, prop_oneof, proptest};
use quorate_chain::evm::{Transfer, TransferTerms, Wei};
use quorate_chain::{Intent, SignedTx};

use crate::entry::{Entry, Purpose, Receipt, Seen, SessionResult};
use crate::fold::{State, intent_digest};
use crate::ids::RequestId;
use crate::testing::{CHAIN, World, sign};

/// Alice and bob are honest.
const HONEST: usize = 2;
const CAROL: usize = 2;
/// Both of them are shown it.
const BOTH: u8 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// The first honest member hears all that the other one holds.
    Hear(usize),
    Ask(usize),
    /// An honest member's machine asks again for what lost its slot.
    AskAgain(usize),
    /// Carol withdraws her request and asks again, so many slots above, in the versions that the mask names.
    Fork(usize, u64, u8),
    Approve(usize, usize),
    /// An honest member and carol approve and sign; she may keep the signature and every trace to herself.
    PayWithCarol(usize, usize, bool),
    /// The honest sign with each other.
    Sign(usize),
    /// The chain takes a transaction for its next slot.
    Mine(usize),
    /// An honest member looks at the chain.
    Look(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let honest = || 0..HONEST;
    let request = || 0usize..6;
    prop_oneof![
        4 => honest().prop_map(Step::Hear),
        2 => (0..3usize).prop_map(Step::Ask),
        2 => honest().prop_map(Step::AskAgain),
        3 => (request(), 0u64..2, 1u8..4).prop_map(|(r, ahead, mask)| Step::Fork(r, ahead, mask)),
        2 => (0..3usize, request()).prop_map(|(i, r)| Step::Approve(i, r)),
        8 => (honest(), 0usize..4, any::<bool>()).prop_map(|(i, r, shown)| Step::PayWithCarol(i, r, shown)),
        2 => request().prop_map(Step::Sign),
        2 => any::<usize>().prop_map(Step::Mine),
        3 => honest().prop_map(Step::Look),
    ]
}

/// A transaction that exists, whoever knows of it.
struct Signed {
    request: RequestId,
    purpose: Purpose,
    slot: u64,
    tx: SignedTx,
}

struct Forked {
    world: World,
    /// For every entry, to whom it is shown; only carol's are not shown to both.
    shown: Vec<u8>,
    /// How much of the other honest member's log each has heard.
    heard: [usize; HONEST],
    asked: Vec<(usize, RequestId)>,
    signed: Vec<Signed>,
    /// What the chain took, by slot: places in `signed`.
    chain: Vec<usize>,
    looked: [usize; HONEST],
}

impl Forked {
    fn new() -> Self {
        let world = World::active(2, 3);
        let heard = world.entries.iter().filter(|(author, _)| *author == 0);
        let mut forked = Self {
            heard: [heard.count(); HONEST],
            shown: vec![BOTH; world.entries.len()],
            world,
            asked: Vec::new(),
            signed: Vec::new(),
            chain: Vec::new(),
            looked: [0; HONEST],
        };
        // Carol and alice ask for the same slot.
        for i in [CAROL, 0] {
            forked.ask(i, 0);
        }
        forked
    }

    /// What an honest member makes of what it is shown.
    fn state(&self, me: usize) -> State {
        let mut of_other = 0;
        let visible = |at: &usize| match self.world.entries[*at].0 {
            CAROL => self.shown[*at] & (1 << me) != 0,
            author if author == me => true,
            _ => {
                of_other += 1;
                of_other <= self.heard[me]
            }
        };
        let order: Vec<usize> = (0..self.world.entries.len()).filter(visible).collect();
        self.world.state_in(me, &order)
    }

    fn say(&mut self, i: usize, entry: Entry, shown: u8) {
        self.world.say(i, entry);
        self.shown.push(shown);
    }

    fn carry_out(&mut self, step: &Step) {
        match *step {
            Step::Hear(i) => {
                let of_other = |(author, _): &&(usize, _)| *author == 1 - i;
                self.heard[i] = self.world.entries.iter().filter(of_other).count();
            }
            Step::Ask(i) => {
                let slot = self.state(i % HONEST).next_slot(CHAIN, self.world.now);
                self.ask(i, slot);
            }
            Step::AskAgain(i) => {
                let lost = self.state(i).must_ask_again(self.world.now);
                lost.into_iter()
                    .for_each(|(lost, slot)| self.ask_instead(i, lost, slot, BOTH));
            }
            Step::Fork(r, ahead, mask) => self.fork(r, ahead, mask),
            Step::Approve(i, r) => self.approve(i, r),
            Step::PayWithCarol(i, r, shown) => {
                self.approve(i, r);
                self.approve(CAROL, r);
                self.sign(&[i], r, shown);
            }
            Step::Sign(r) => self.sign(&[0, 1], r, true),
            Step::Mine(choice) => {
                self.mine(choice);
            }
            Step::Look(i) => self.look(i),
        }
    }

    /// No two say the same to the byte: it could not be told which of them a transaction pays.
    fn ask(&mut self, i: usize, slot: u64) {
        let mut request = self.world.draft(slot);
        let value = Wei::from(1 + self.asked.len() as u128);
        let terms = TransferTerms {
            value,
            ..self.world.transfer(slot)
        };
        request.intent = Intent::EvmTransfer(Transfer::new(terms).unwrap());
        let id = self.world.ask(i, request);
        self.shown.push(BOTH);
        self.asked.push((i, id));
    }

    fn ask_instead(&mut self, i: usize, earlier: RequestId, slot: u64, shown: u8) {
        let nonce = [100 + self.asked.len() as u8; 32];
        let draft = |me| self.state(me).draft_again(&earlier, slot, nonce);
        if let Some(again) = draft(0).or_else(|| draft(1)) {
            self.say(i, Entry::Cancellation { request: earlier }, shown);
            let id = self.world.ask(i, again);
            self.shown.push(shown);
            self.asked.push((i, id));
        }
    }

    fn fork(&mut self, r: usize, ahead: u64, mask: u8) {
        let carols = self.asked.iter().filter(|(author, _)| *author == CAROL);
        let Some((_, id)) = carols.copied().nth(r % 3) else {
            return;
        };
        if let Some(slot) = self.slot(&id) {
            self.ask_instead(CAROL, id, slot + 1 + ahead, mask);
        }
    }

    fn slot(&self, id: &RequestId) -> Option<u64> {
        let seen = |me| self.state(me).standing(id, self.world.now);
        Some(seen(0).or_else(|| seen(1))?.slot.slot)
    }

    fn approve(&mut self, i: usize, r: usize) {
        let Some((_, id)) = self.asked.get(r).copied() else {
            return;
        };
        let now = self.world.now;
        for me in if i == CAROL { vec![0, 1] } else { vec![i] } {
            let state = self.state(me);
            let Some(standing) = state.standing(&id, now) else {
                continue;
            };
            let request = &standing.request;
            let approval = self.world.approval_of(i, id, &request.intent, request);
            assert_eq!(approval.intent_digest, intent_digest(&request.intent));
            if i == CAROL || state.may_approve(&approval, now).is_ok() {
                self.say(i, Entry::Approval(approval), BOTH);
                return;
            }
        }
    }

    /// These honest members sign, with carol if it is one alone; `shown` tells whether they keep the signature.
    fn sign(&mut self, members: &[usize], r: usize, shown: bool) {
        let Some((_, id)) = self.asked.get(r).copied() else {
            return;
        };
        let now = self.world.now;
        let state = self.state(members[0]);
        let fill = state.fill_needed(&id, now);
        let purpose = fill.map_or(Purpose::Payment, |slot| Purpose::Fill { slot });
        let willing = |i: &usize| self.state(*i).may_sign(&id, purpose, now).is_ok();
        if !members.iter().all(willing) {
            return;
        }
        let intent = state.intent_for(&id, purpose).unwrap();
        let Intent::EvmTransfer(transfer) = &intent;
        let unsigned = intent.build(transfer.terms().bounds).unwrap();
        let signable = intent.check(&unsigned).unwrap();
        let digest = signable.digest();
        let session = self
            .world
            .open_bytes(members, id, purpose, 1, unsigned, digest);
        let signature = sign(&digest);
        if shown {
            let result = SessionResult::Signed(signature);
            self.world
                .say(members[0], Entry::SessionOutcome { session, result });
        }
        self.shown.resize(self.world.entries.len(), BOTH);
        let tx = signable.assemble(signature.r, signature.s, signature.recovery_id);
        self.signed.push(Signed {
            request: id,
            purpose,
            slot: transfer.terms().nonce,
            tx: tx.unwrap(),
        });
    }

    /// The chain is everybody's worst luck: it takes a payment of what was paid under another name, if there is one.
    fn mine(&mut self, choice: usize) -> bool {
        let next = self.chain.len() as u64;
        let all: Vec<usize> = (0..self.signed.len())
            .filter(|at| self.signed[*at].slot == next)
            .collect();
        let again = all.iter().copied().find(|at| {
            let mut chain = self.chain.clone();
            chain.push(*at);
            self.paid_twice(&chain).is_some()
        });
        let taken = again.or_else(|| all.get(choice % all.len().max(1)).copied());
        self.chain.extend(taken);
        taken.is_some()
    }

    fn look(&mut self, i: usize) {
        for slot in self.looked[i]..self.chain.len() {
            let Signed { request, tx, .. } = &self.signed[self.chain[slot]];
            let seen = Seen::Mined {
                hash: tx.hash,
                raw: tx.raw.clone(),
                block_number: slot as u64,
                block_hash: [3; 32],
                success: true,
                gas_used: 21_000,
                effective_gas_price: 1,
                finalised: true,
            };
            let receipt = Receipt {
                request: *request,
                slot: slot as u64,
                seen,
            };
            self.say(i, Entry::Receipt(Box::new(receipt)), BOTH);
        }
        self.looked[i] = self.chain.len();
    }

    /// A request that was paid, and one before it in whose place it was asked.
    fn paid_twice(&self, chain: &[usize]) -> Option<(RequestId, RequestId)> {
        let payments = chain.iter().map(|at| &self.signed[*at]);
        let paid: Vec<RequestId> = payments
            .filter(|one| one.purpose == Purpose::Payment)
            .map(|one| one.request)
            .collect();
        let states = [self.state(0), self.state(1)];
        let before = |id: &RequestId| {
            let seen = |state: &State| state.standing(id, self.world.now);
            states.iter().find_map(seen)?.request.instead_of
        };
        paid.iter().find_map(|id| {
            let mut earlier = std::iter::successors(before(id), before);
            Some((*id, earlier.find(|earlier| paid.contains(earlier))?))
        })
    }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 32, ..Default::default() })]

    /// A request and what is asked in its place are never both paid, whatever carol shows to whom and hides, and whatever
    /// the chain takes. (Two that stand in place of the same one, one in each version of her log, can be.)
    #[test]
    fn what_stands_in_place_of_another_is_not_paid_beside_it(steps in proptest::collection::vec(step(), 20..70)) {
        let mut forked = Forked::new();
        for step in &steps {
            forked.carry_out(step);
        }
        while forked.mine(0) {}
        let twice = forked.paid_twice(&forked.chain);
        prop_assert!(twice.is_none(), "{:?}", twice);
    }
}
