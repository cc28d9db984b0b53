//! One batch of outputs, sorted by what has to happen first.

use quorate_vault::io::{ChainId, Query};
use quorate_vault::{Message, Outcome, Output, PartyId, Ticket, Time};

use crate::seams::Write;

/// Something that others can see, and that therefore waits for the commit.
pub(crate) enum Release {
    Send(PartyId, Message),
    Ask(Query),
    Broadcast {
        chain: ChainId,
        raw: Vec<u8>,
        hash: [u8; 32],
    },
}

/// What a batch of inputs led to. Writes keep their order, and so do releases.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) writes: Vec<Write>,
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) releases: Vec<Release>,
    /// Outcomes with the index of the input that brought them.
    pub(crate) done: Vec<(Option<usize>, Outcome)>,
    pub(crate) wake_at: Option<Time>,
}

impl Effects {
    /// Sorts in what the input at `index` led to.
    pub(crate) fn take(&mut self, index: Option<usize>, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Append { position, entry } => {
                    self.writes.push(Write::Append { position, entry })
                }
                Output::Persist(ticket, mutation) => {
                    self.writes.push(Write::Mutate(mutation));
                    self.tickets.push(ticket);
                }
                Output::Send(to, message) => self.releases.push(Release::Send(to, message)),
                Output::Query(query) => self.releases.push(Release::Ask(query)),
                Output::Broadcast { chain, raw, hash } => {
                    self.releases.push(Release::Broadcast { chain, raw, hash });
                }
                Output::WakeAt(time) => self.wake_at = Some(time),
                Output::Done(outcome) => self.done.push((index, outcome)),
            }
        }
    }
}
