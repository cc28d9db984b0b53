//! What people may want to hear, told apart from what was so before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quorate_api::EventKind;
use quorate_chain::ChainId;
use quorate_driver::Answer;
use quorate_vault::fold::RequestState;
use quorate_vault::machine::{Phase, RequestView};
use quorate_vault::{ChainFact, Charter, Input, Outcome, RequestId, Vault};

use crate::events::{Events, News};

/// How often requests are looked over that changed by time alone.
const SWEEP: Duration = Duration::from_secs(5);

/// Turns what a vault does into events.
pub(super) struct Reporter {
    name: String,
    events: Arc<Events>,
    known: BTreeMap<RequestId, Known>,
    phase: Phase,
    troubled: BTreeSet<ChainId>,
    online: BTreeSet<quorate_vault::PartyId>,
    swept: Instant,
}

/// What was told of a request.
struct Known {
    state: RequestState,
    approved: BTreeSet<String>,
    rejected: BTreeSet<String>,
    sessions: BTreeMap<String, &'static str>,
}

impl Known {
    fn of(view: &RequestView) -> Self {
        let names = |all: &[quorate_vault::machine::DecisionView]| {
            all.iter().map(|one| one.member.clone()).collect()
        };
        Self {
            state: view.state.clone(),
            approved: names(&view.approvals),
            rejected: names(&view.rejections),
            sessions: view
                .sessions
                .iter()
                .map(|session| (session.id.clone(), session.outcome))
                .collect(),
        }
    }
}

impl Reporter {
    /// A reporter to whom all that is in `vault` now is old.
    pub(super) fn new(name: String, events: Arc<Events>, vault: &Vault) -> Self {
        let all = vault.state().requests();
        let known = all
            .filter_map(|id| Some((id, Known::of(&vault.request(&id)?))))
            .collect();
        let phase = vault.view().phase;
        let (troubled, online) = (BTreeSet::new(), BTreeSet::new());
        Self {
            name,
            events,
            known,
            phase,
            troubled,
            online,
            swept: Instant::now(),
        }
    }

    /// Tells what an input says by itself.
    pub(super) fn hear(&mut self, input: &Input, charter: &Charter) {
        match input {
            Input::Connected(party)
                if charter.member(party).is_some() && self.online.insert(*party) =>
            {
                self.tell(
                    EventKind::MemberOnline,
                    None,
                    format!("{} came online", charter.name_of(party)),
                );
            }
            Input::Disconnected(party) if self.online.remove(party) => {
                self.tell(
                    EventKind::MemberOffline,
                    None,
                    format!("{} went offline", charter.name_of(party)),
                );
            }
            Input::Observed(fact) => self.hear_chain(fact),
            _ => {}
        }
    }

    fn hear_chain(&mut self, fact: &ChainFact) {
        match fact {
            ChainFact::Unreachable { chain, why } => {
                if self.troubled.insert(*chain) {
                    self.tell(EventKind::Chain, None, format!("{chain}: {why}"));
                }
            }
            ChainFact::Fees { chain, .. } | ChainFact::Slot { chain, .. } => {
                if self.troubled.remove(chain) {
                    self.tell(EventKind::Chain, None, format!("{chain} answers again"));
                }
            }
            ChainFact::Broadcast {
                hash,
                result: Ok(()),
                ..
            } => {
                let summary = format!("the endpoint took transaction 0x{}", hex::encode(hash));
                self.tell(EventKind::Broadcast, None, summary);
            }
            ChainFact::Broadcast {
                chain,
                result: Err(why),
                ..
            } => {
                tracing::warn!(%chain, why, "the endpoint refused a transaction");
            }
        }
    }

    /// Tells what a step has changed.
    pub(super) fn report(&mut self, vault: &Vault, done: &[Answer]) {
        let mut changed: BTreeSet<RequestId> = BTreeSet::new();
        for answer in done {
            match &answer.outcome {
                Outcome::Requested(id) | Outcome::Noted(id) | Outcome::Changed(id) => {
                    changed.insert(*id);
                }
                Outcome::Misbehaved { culprit, offence } => {
                    let summary = format!("{}: {offence}", vault.charter().name_of(culprit));
                    self.tell(EventKind::Fault, None, summary);
                }
                Outcome::RolledBack => {
                    let summary = "this member was put back to an earlier copy of its folder and signs nothing";
                    self.tell(EventKind::Fault, None, summary.to_owned());
                }
                Outcome::Confirmed | Outcome::Duplicate(_) | Outcome::Active => {}
            }
        }
        if self.swept.elapsed() >= SWEEP {
            self.swept = Instant::now();
            changed.extend(self.changed_by_time(vault));
        }
        for id in changed {
            self.report_request(vault, id);
        }
        if !done.is_empty() || self.phase != Phase::Active {
            self.report_phase(vault);
        }
    }

    fn changed_by_time(&self, vault: &Vault) -> Vec<RequestId> {
        let other = |(id, known): (&RequestId, &Known)| {
            let moved = !known.state.is_final()
                && vault
                    .state()
                    .request_state(id, vault.now())
                    .is_some_and(|state| state != known.state);
            moved.then_some(*id)
        };
        self.known.iter().filter_map(other).collect()
    }

    fn report_phase(&mut self, vault: &Vault) {
        let phase = vault.view().phase;
        if phase == self.phase {
            return;
        }
        self.phase = phase;
        let summary = match phase {
            Phase::Confirming => "the six words wait to be confirmed",
            Phase::Keygen => "everybody confirmed; the keys are being made",
            Phase::Active => "the vault is active",
            Phase::Failed => {
                "a member confirmed another roster; there will be no vault with this one"
            }
        };
        self.tell(EventKind::VaultPhase, None, summary.to_owned());
    }

    fn report_request(&mut self, vault: &Vault, id: RequestId) {
        let Some(view) = vault.request(&id) else {
            return;
        };
        let now = Known::of(&view);
        let before = self.known.insert(id, Known::of(&view));
        let mut news = Vec::new();
        if before.is_none() {
            let what = view
                .intent
                .lines
                .iter()
                .take(3)
                .map(|line| format!("{} {}", line.label, line.value));
            news.push((
                EventKind::Requested,
                format!(
                    "{} asks: {}",
                    view.requester,
                    what.collect::<Vec<_>>().join(", ")
                ),
            ));
        }
        let empty = BTreeSet::new();
        let fresh = |now: &BTreeSet<String>, before: Option<&BTreeSet<String>>| -> Vec<String> {
            now.difference(before.unwrap_or(&empty)).cloned().collect()
        };
        for name in fresh(&now.approved, before.as_ref().map(|known| &known.approved)) {
            news.push((EventKind::Approved, format!("{name} approved")));
        }
        for name in fresh(&now.rejected, before.as_ref().map(|known| &known.rejected)) {
            news.push((EventKind::Rejected, format!("{name} rejected")));
        }
        news.extend(session_news(&view, before.as_ref()));
        if before.as_ref().map(|known| &known.state) != Some(&now.state)
            && let Some(kind) = state_kind(&now.state)
        {
            news.push((kind, view.sentence.clone()));
        }
        for (kind, summary) in news {
            self.tell(kind, Some(view.id.clone()), summary);
        }
    }

    fn tell(&self, kind: EventKind, request: Option<String>, summary: String) {
        self.events.tell(News {
            kind,
            vault: Some(self.name.clone()),
            request,
            summary,
        });
    }
}

fn session_news(view: &RequestView, before: Option<&Known>) -> Vec<(EventKind, String)> {
    let mut news = Vec::new();
    for session in &view.sessions {
        let told = before.and_then(|known| known.sessions.get(&session.id).copied());
        if told.is_none() {
            let quorum = session.quorum.join(", ");
            news.push((
                EventKind::SessionStarted,
                format!("attempt {} by {quorum}", session.attempt),
            ));
        }
        if session.outcome == "failed" && told != Some("failed") {
            let why = session.reason.clone().unwrap_or_default();
            news.push((
                EventKind::SessionAborted,
                format!("attempt {} failed: {why}", session.attempt),
            ));
        }
    }
    news
}

/// The event of a request that came into this state; none for states that other events tell.
fn state_kind(state: &RequestState) -> Option<EventKind> {
    match state {
        RequestState::WaitingForApprovals | RequestState::Ready | RequestState::Signing => None,
        RequestState::Signed => Some(EventKind::Signed),
        RequestState::Mined { success: true, .. } => Some(EventKind::Mined),
        RequestState::Mined { success: false, .. }
        | RequestState::Lost
        | RequestState::PaidBefore { .. } => Some(EventKind::Failed),
        RequestState::Rejected | RequestState::Invalid(_) => Some(EventKind::Rejected),
        RequestState::Cancelled => Some(EventKind::Cancelled),
        RequestState::Expired => Some(EventKind::Expired),
    }
}
