//! What one answer collects: outputs in order, and what to do once something is durable.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{PartyId, RequestId, SessionId, Ticket};
use crate::io::{Mutation, Outcome, Output};
use crate::message::Message;

/// What waits for a mutation to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The record of this keygen attempt: its round one may start.
    StartKeygen(u32),
    /// The shares of this keygen attempt: PREPARED may be said.
    Prepare(u32),
    /// The record of this session: its round one may start.
    StartSession(SessionId),
}

/// Outputs on their way, and the tickets that are not durable yet.
#[derive(Default)]
pub(super) struct Outbox {
    outputs: Vec<Output>,
    last_ticket: u64,
    waiting: BTreeMap<Ticket, Vec<After>>,
    /// Waits for the entries appended in this answer; bound to the ticket of the checkpoint that covers them.
    after_own: Vec<After>,
    changed: BTreeSet<RequestId>,
}

impl Outbox {
    pub(super) fn push(&mut self, output: Output) {
        self.outputs.push(output);
    }

    pub(super) fn send(&mut self, to: PartyId, message: Message) {
        self.push(Output::Send(to, message));
    }

    pub(super) fn done(&mut self, outcome: Outcome) {
        self.push(Output::Done(outcome));
    }

    /// A person may want to look at this request again; told once an answer.
    pub(super) fn changed(&mut self, request: RequestId) {
        self.changed.insert(request);
    }

    /// Makes something durable, and then does `after`.
    pub(super) fn persist(&mut self, mutation: Mutation, after: Vec<After>) {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        if !after.is_empty() {
            self.waiting.insert(ticket, after);
        }
        self.push(Output::Persist(ticket, mutation));
    }

    /// Does `after` once the entries appended in this answer are durable.
    pub(super) fn after_own(&mut self, after: After) {
        self.after_own.push(after);
    }

    /// What waited for the entries appended so far.
    pub(super) fn take_after_own(&mut self) -> Vec<After> {
        std::mem::take(&mut self.after_own)
    }

    /// What waited for this ticket; empty for a ticket that is unknown or was answered before.
    pub(super) fn redeem(&mut self, ticket: Ticket) -> Vec<After> {
        self.waiting.remove(&ticket).unwrap_or_default()
    }

    /// Ends the answer.
    pub(super) fn finish(&mut self) -> Vec<Output> {
        let changed = std::mem::take(&mut self.changed);
        let mut outputs = std::mem::take(&mut self.outputs);
        outputs.extend(
            changed
                .into_iter()
                .map(|request| Output::Done(Outcome::Changed(request))),
        );
        outputs
    }
}
