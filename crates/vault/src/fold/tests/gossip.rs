//! Honest members who hear of each other late, in part, or not at all for a while.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use crate::State;
use crate::entry::{Entry, Purpose};
use crate::ids::{RequestId, SessionId};
use crate::testing::{CHAIN, World};

const MEMBERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// The first hears everything that the second holds.
    Hear(usize, usize),
    Ask(usize),
    Approve(usize, usize),
    /// The member carries out its moves.
    Move(usize),
    Cancel(usize),
    /// The first opens a session with the second; the second may be dead before it answers.
    Open(usize, usize, usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let member = 0..MEMBERS;
    let request = 0usize..4;
    prop_oneof![
        6 => (member.clone(), member.clone()).prop_map(|(i, j)| Step::Hear(i, j)),
        2 => member.clone().prop_map(Step::Ask),
        5 => (member.clone(), request.clone()).prop_map(|(i, r)| Step::Approve(i, r)),
        2 => member.clone().prop_map(Step::Move),
        1 => request.clone().prop_map(Step::Cancel),
        4 => (member.clone(), member, request, proptest::bool::weighted(0.8)).prop_map(|(i, j, r, answers)| Step::Open(i, j, r, answers)),
    ]
}

/// The members' logs and how much of each log each member holds.
struct Gossip {
    world: World,
    seen: [[usize; MEMBERS]; MEMBERS],
    asked: Vec<(usize, RequestId)>,
    /// Sessions that all their signers entered: a signature may exist.
    complete: Vec<(RequestId, Purpose, SessionId)>,
}

impl Gossip {
    fn new() -> Self {
        let world = World::active(2, 3);
        let mut held = [0; MEMBERS];
        world.entries.iter().for_each(|(author, _)| held[*author] += 1);
        Self { world, seen: [held; MEMBERS], asked: Vec::new(), complete: Vec::new() }
    }

    fn state(&self, me: usize) -> State {
        let mut heads = [0; MEMBERS];
        let order: Vec<usize> = (0..self.world.entries.len())
            .filter(|at| {
                let author = self.world.entries[*at].0;
                heads[author] += 1;
                heads[author] <= self.seen[me][author]
            })
            .collect();
        self.world.state_in(me, &order)
    }

    fn say(&mut self, i: usize, entry: Entry) {
        self.world.say(i, entry);
        self.seen[i][i] += 1;
    }

    fn carry_out(&mut self, step: &Step) {
        match *step {
            Step::Hear(i, j) => {
                for author in 0..MEMBERS {
                    self.seen[i][author] = self.seen[i][author].max(self.seen[j][author]);
                }
            }
            Step::Ask(i) => {
                let slot = self.state(i).next_slot(CHAIN, self.world.now);
                let id = self.world.request(i, slot);
                self.seen[i][i] += 1;
                self.asked.push((i, id));
            }
            Step::Approve(i, request) => self.approve(i, request),
            Step::Move(i) => {
                for (request, slot) in self.state(i).must_reslot(self.world.now) {
                    self.say(i, Entry::Reslot { request, slot });
                }
            }
            Step::Cancel(request) => {
                if let Some((author, request)) = self.asked.get(request).copied() {
                    self.say(author, Entry::Cancellation { request });
                }
            }
            Step::Open(i, j, request, answers) => self.open(i, j, request, answers),
        }
    }

    fn approve(&mut self, i: usize, request: usize) {
        let Some((_, id)) = self.asked.get(request).copied() else { return };
        let state = self.state(i);
        let Some(standing) = state.standing(&id, self.world.now) else { return };
        let approval = self.world.approval_of(i, id, &standing.intent, &standing.request);
        if state.may_approve(&approval, self.world.now).is_ok() {
            self.say(i, Entry::Approval(approval));
        }
    }

    fn open(&mut self, i: usize, j: usize, request: usize, answers: bool) {
        let Some((_, id)) = self.asked.get(request).copied() else { return };
        let (mine, theirs) = (self.state(i), self.state(j));
        let now = self.world.now;
        let purpose = mine.fill_needed(&id, now).map_or(Purpose::Payment, |slot| Purpose::Fill { slot });
        if i == j || mine.may_sign(&id, purpose, now).is_err() {
            return;
        }
        let intent = mine.intent_for(&id, purpose).unwrap();
        let quorate_chain::Intent::EvmTransfer(transfer) = &intent;
        let unsigned = intent.build(transfer.terms().bounds).unwrap();
        let agrees = theirs.may_sign(&id, purpose, now).is_ok()
            && theirs.intent_for(&id, purpose).is_some_and(|intent| intent.check(&unsigned).is_ok());
        let members = if answers && agrees { vec![i, j] } else { vec![i] };
        let digest = intent.check(&unsigned).unwrap().digest();
        let session = self.world.open_bytes(&members, id, purpose, 1, unsigned, digest);
        members.iter().for_each(|member| self.seen[*member][*member] += 1);
        if members.len() == 2 {
            self.complete.push((id, purpose, session));
        }
    }

    /// Everybody hears everything and carries out its moves, until nothing moves.
    fn settle(&mut self) -> bool {
        (0..20).any(|_| {
            for (i, j) in (0..MEMBERS).flat_map(|i| (0..MEMBERS).map(move |j| (i, j))) {
                self.carry_out(&Step::Hear(i, j));
            }
            let before = self.world.entries.len();
            (0..MEMBERS).for_each(|i| self.carry_out(&Step::Move(i)));
            self.world.entries.len() == before
        })
    }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, ..Default::default() })]

    /// At most one payment a request: over all quorums and retries, and whoever had heard of what, a request is signed
    /// for one slot only; and no member enters one slot for two payments.
    #[test]
    fn a_request_is_signed_for_one_slot_only(steps in proptest::collection::vec(step(), 10..60)) {
        let mut gossip = Gossip::new();
        for step in &steps {
            gossip.carry_out(step);
        }
        let state = gossip.world.state(0);
        let mut slots: BTreeMap<RequestId, BTreeSet<u64>> = BTreeMap::new();
        for (id, purpose, session) in &gossip.complete {
            if *purpose == Purpose::Payment {
                let facts = state.session(session).unwrap();
                slots.entry(*id).or_default().extend(facts.records.values().map(|recorded| recorded.transfer.nonce));
            }
        }
        for (id, slots) in &slots {
            prop_assert_eq!(slots.len(), 1, "{:?} at {:?}", id, slots);
        }
        let mut entered: BTreeMap<(usize, u64), RequestId> = BTreeMap::new();
        for (author, logged) in &gossip.world.entries {
            let Entry::SessionRecord(record) = &logged.entry else { continue };
            if record.purpose == Purpose::Payment {
                let slot = quorate_chain::evm::decode_unsigned(&record.unsigned).unwrap().nonce;
                prop_assert_eq!(*entered.entry((*author, slot)).or_insert(record.request), record.request);
            }
        }
    }

    /// When members hear each other again they agree, and stay where they are.
    #[test]
    fn members_come_to_agree_and_to_rest(steps in proptest::collection::vec(step(), 10..40)) {
        let mut gossip = Gossip::new();
        for step in &steps {
            gossip.carry_out(step);
        }
        prop_assert!(gossip.settle(), "moves must come to an end");
        let now = gossip.world.now;
        let views: Vec<Vec<String>> = (0..MEMBERS)
            .map(|i| {
                let state = gossip.state(i);
                state.requests().map(|id| format!("{:?}", state.standing(&id, now))).collect()
            })
            .collect();
        prop_assert_eq!(&views[0], &views[1]);
        prop_assert_eq!(&views[1], &views[2]);
    }
}
