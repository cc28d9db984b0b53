//! Honest members who hear of each other late, in part, or not at all for a while.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

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
    /// The member's machine asks again for what lost its slot.
    AskAgain(usize),
    Cancel(usize),
    /// The first opens a session with the second; the second may be dead before it answers.
    Open(usize, usize, usize, bool),
    /// Two members alone with each other hear, approve and sign a request.
    Agree(usize, usize, usize),
}

/// Weighted towards what makes trouble: two members that get on with it while the third has not heard.
fn step() -> impl Strategy<Value = Step> {
    let member = || 0..MEMBERS;
    let two = || (0..MEMBERS, 1..MEMBERS).prop_map(|(i, ahead)| (i, (i + ahead) % MEMBERS));
    let request = || prop_oneof![4 => 0usize..2, 1 => 2usize..4];
    prop_oneof![
        8 => two().prop_map(|(i, j)| Step::Hear(i, j)),
        1 => member().prop_map(Step::Ask),
        3 => (member(), request()).prop_map(|(i, r)| Step::Approve(i, r)),
        3 => member().prop_map(Step::AskAgain),
        1 => (2usize..4).prop_map(Step::Cancel),
        6 => (two(), request()).prop_map(|((i, j), r)| Step::Agree(i, j, r)),
        2 => (two(), request(), any::<bool>()).prop_map(|((i, j), r, answers)| Step::Open(i, j, r, answers)),
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
        world
            .entries
            .iter()
            .for_each(|(author, _)| held[*author] += 1);
        let mut gossip = Self {
            world,
            seen: [held; MEMBERS],
            asked: Vec::new(),
            complete: Vec::new(),
        };
        // Two that clash, which their authors have not heard yet.
        gossip.carry_out(&Step::Ask(0));
        gossip.carry_out(&Step::Ask(1));
        gossip
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
            Step::AskAgain(i) => self.ask_again(i),
            Step::Cancel(request) => {
                if let Some((author, request)) = self.asked.get(request).copied() {
                    self.say(author, Entry::Cancellation { request });
                }
            }
            Step::Open(i, j, request, answers) => self.open(i, j, request, answers),
            Step::Agree(i, j, request) => {
                let hear = [Step::Hear(i, j), Step::Hear(j, i)];
                hear.iter().for_each(|step| self.carry_out(step));
                self.approve(i, request);
                self.approve(j, request);
                hear.iter().for_each(|step| self.carry_out(step));
                self.open(i, j, request, true);
            }
        }
    }

    fn ask_again(&mut self, i: usize) {
        let state = self.state(i);
        for (lost, slot) in state.must_ask_again(self.world.now) {
            let nonce = [self.asked.len() as u8 + 100; 32];
            let again = state.draft_again(&lost, slot, nonce).unwrap();
            self.say(i, Entry::Cancellation { request: lost });
            let id = self.world.ask(i, again);
            self.seen[i][i] += 1;
            self.asked.push((i, id));
        }
    }

    /// What member `i` knows to stand for a request.
    fn known_as(&self, i: usize, request: usize) -> Option<RequestId> {
        let (_, id) = self.asked.get(request)?;
        Some(self.state(i).latest(id))
    }

    fn approve(&mut self, i: usize, request: usize) {
        let Some(id) = self.known_as(i, request) else {
            return;
        };
        let state = self.state(i);
        let Some(standing) = state.standing(&id, self.world.now) else {
            return;
        };
        let approval = self
            .world
            .approval_of(i, id, &standing.request.intent, &standing.request);
        if state.may_approve(&approval, self.world.now).is_ok() {
            self.say(i, Entry::Approval(approval));
        }
    }

    fn open(&mut self, i: usize, j: usize, request: usize, answers: bool) {
        let Some(id) = self.known_as(i, request) else {
            return;
        };
        let (mine, theirs) = (self.state(i), self.state(j));
        let now = self.world.now;
        let purpose = mine
            .fill_needed(&id, now)
            .map_or(Purpose::Payment, |slot| Purpose::Fill { slot });
        if i == j || mine.may_sign(&id, purpose, now).is_err() {
            return;
        }
        let intent = mine.intent_for(&id, purpose).unwrap();
        let quorate_chain::Intent::EvmTransfer(transfer) = &intent;
        let unsigned = intent.build(transfer.terms().bounds).unwrap();
        let agrees = theirs.may_sign(&id, purpose, now).is_ok()
            && theirs
                .intent_for(&id, purpose)
                .is_some_and(|intent| intent.check(&unsigned).is_ok());
        let members = if answers && agrees {
            vec![i, j]
        } else {
            vec![i]
        };
        let digest = intent.check(&unsigned).unwrap().digest();
        let session = self
            .world
            .open_bytes(&members, id, purpose, 1, unsigned, digest);
        members
            .iter()
            .for_each(|member| self.seen[*member][*member] += 1);
        if members.len() == 2 {
            self.complete.push((id, purpose, session));
            self.world.signed(&[j], session);
            self.seen[j][j] += 1;
        }
    }

    /// Everybody hears everything and asks again, until nobody does.
    fn settle(&mut self) -> bool {
        (0..20).any(|_| {
            for (i, j) in (0..MEMBERS).flat_map(|i| (0..MEMBERS).map(move |j| (i, j))) {
                self.carry_out(&Step::Hear(i, j));
            }
            let before = self.world.entries.len();
            (0..MEMBERS).for_each(|i| self.carry_out(&Step::AskAgain(i)));
            self.world.entries.len() == before
        })
    }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 32, ..Default::default() })]

    /// At most one payment of what was asked once, over all quorums, retries and successors, whoever had heard of what,
    /// while members are honest: of a request and all that are asked in its place at most one is signed, unless the
    /// chain gave the slot of the other away.
    #[test]
    fn what_is_asked_once_is_signed_once(steps in proptest::collection::vec(step(), 20..80)) {
        let mut gossip = Gossip::new();
        for step in &steps {
            gossip.carry_out(step);
        }
        let state = gossip.world.state(0);
        let root = |id: &RequestId| {
            let before = |id: &RequestId| state.standing(id, gossip.world.now)?.request.instead_of;
            std::iter::successors(Some(*id), before).last().unwrap()
        };
        let mut signed: BTreeMap<RequestId, BTreeSet<RequestId>> = BTreeMap::new();
        for (id, purpose, _) in &gossip.complete {
            if *purpose == Purpose::Payment {
                signed.entry(root(id)).or_default().insert(*id);
            }
        }
        for (id, all) in &signed {
            prop_assert_eq!(all.len(), 1, "{:?} as {:?}", id, all);
        }
    }

    /// When members hear each other again they agree, and stay where they are.
    #[test]
    fn members_come_to_agree_and_to_rest(steps in proptest::collection::vec(step(), 10..40)) {
        let mut gossip = Gossip::new();
        for step in &steps {
            gossip.carry_out(step);
        }
        prop_assert!(gossip.settle(), "asking again must come to an end");
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

/// The author has not heard that others approved and signed its request: it asks again, and the same two people are
/// asked to pay a second time.
#[test]
fn an_author_who_has_not_heard_of_the_session_asks_again() {
    let mut gossip = Gossip::new();
    let (first, second) = (gossip.asked[0].1, gossip.asked[1].1);
    let (loser, author, other) = if first < second { (1, 1, 0) } else { (0, 0, 1) };
    let id = gossip.asked[loser].1;
    for step in [
        Step::Hear(author, other),
        Step::Hear(other, author),
        Step::Agree(other, 2, loser),
        Step::AskAgain(author),
        Step::Hear(other, author),
        Step::Hear(2, author),
    ] {
        gossip.carry_out(&step);
    }
    assert_eq!(gossip.complete.len(), 1);
    let again = gossip.asked[2].1;
    let state = gossip.state(other);
    assert_eq!(state.successor(&id), Some(again));
    assert_eq!(state.latest(&id), again);
    let standing = state.standing(&again, gossip.world.now).unwrap();
    let request = &standing.request;
    let approval = gossip
        .world
        .approval_of(other, again, &request.intent, request);
    assert_eq!(
        state.may_approve(&approval, gossip.world.now),
        Ok(()),
        "signing it waits for the chain"
    );
    gossip.carry_out(&Step::Hear(other, 2));
    let latest = gossip.state(other).latest(&id);
    assert_eq!(latest, id, "it is signed after all");
}
