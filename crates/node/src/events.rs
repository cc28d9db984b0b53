//! What happened lately: a ring in memory, numbered, that long polls wait on.

use std::collections::VecDeque;
use std::sync::Mutex;

use quorate_api::{EventKind, EventPage, EventView};
use tokio::sync::watch;

use crate::process::now_ms;
use crate::shared::lock;

/// Events that are remembered.
const MAX_EVENTS: usize = 1024;

/// The ring. Numbers begin at 1 with every start of the daemon.
pub(crate) struct Events {
    ring: Mutex<VecDeque<EventView>>,
    newest: watch::Sender<u64>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            ring: Mutex::default(),
            newest: watch::Sender::new(0),
        }
    }
}

/// An event before it has a number.
pub(crate) struct News {
    /// What.
    pub(crate) kind: EventKind,
    /// Local name of the vault.
    pub(crate) vault: Option<String>,
    /// Request, hex.
    pub(crate) request: Option<String>,
    /// One sentence.
    pub(crate) summary: String,
}

impl Events {
    /// Adds one, and wakes whoever waits.
    pub(crate) fn tell(&self, news: News) {
        let mut ring = lock(&self.ring);
        let seq = *self.newest.borrow() + 1;
        let News {
            kind,
            vault,
            request,
            summary,
        } = news;
        if ring.len() == MAX_EVENTS {
            ring.pop_front();
        }
        ring.push_back(EventView {
            seq,
            at_ms: now_ms(),
            kind,
            vault,
            request,
            summary,
        });
        self.newest.send_replace(seq);
    }

    /// The events after `since`; of one vault, if named.
    pub(crate) fn page(&self, since: u64, vault: Option<&str>) -> EventPage {
        let ring = lock(&self.ring);
        let next = *self.newest.borrow();
        let oldest = ring.front().map_or(next + 1, |event| event.seq);
        let wanted = |event: &&EventView| {
            event.seq > since && vault.is_none_or(|vault| event.vault.as_deref() == Some(vault))
        };
        let events = ring.iter().filter(wanted).cloned().collect();
        // A number from an earlier run of the daemon lies ahead of ours: that is a gap, too.
        let gap = since > next || since.saturating_add(1) < oldest;
        EventPage { next, gap, events }
    }

    /// Tells when the newest number changes.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use quorate_api::EventKind;

    use super::{Events, MAX_EVENTS, News};

    fn news(vault: &str) -> News {
        News {
            kind: EventKind::Requested,
            vault: Some(vault.into()),
            request: None,
            summary: "a request".into(),
        }
    }

    #[test]
    fn pages_go_on_where_the_last_one_ended() {
        let events = Events::default();
        events.tell(news("a"));
        events.tell(news("b"));
        let page = events.page(0, None);
        assert_eq!((page.next, page.gap, page.events.len()), (2, false, 2));
        assert_eq!(events.page(0, Some("b")).events.len(), 1);
        let rest = events.page(page.next, None);
        assert_eq!((rest.gap, rest.events.len()), (false, 0));
    }

    #[test]
    fn what_was_forgotten_is_told_as_a_gap() {
        let events = Events::default();
        for _ in 0..MAX_EVENTS + 5 {
            events.tell(news("a"));
        }
        assert!(events.page(3, None).gap);
        assert!(!events.page(5, None).gap);
        assert!(events.page(9999, None).gap);
    }
}
