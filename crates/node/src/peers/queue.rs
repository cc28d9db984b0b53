//! What waits to be sent to one peer: bounded in messages and in bytes, so that a slow peer costs little and blocks
//! nobody. What does not fit is dropped; the vault says again what must arrive.

use std::sync::Arc;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Messages that wait for one peer at the most.
const MAX_WAITING: usize = 1024;
/// Bytes that wait for one peer at the most, in units of [`UNIT`].
const MAX_UNITS: usize = 16 * 1024;
/// Bytes of one unit.
const UNIT: usize = 1024;

/// The end that puts in.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    sender: Sender<Waiting>,
    room: Arc<Semaphore>,
}

/// One frame with the room it takes.
pub(super) struct Waiting {
    /// The frame's bytes.
    pub(super) frame: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

/// A fresh queue.
pub(super) fn queue() -> (Outbox, Receiver<Waiting>) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    (
        Outbox {
            sender,
            room: Arc::new(Semaphore::new(MAX_UNITS)),
        },
        receiver,
    )
}

impl Outbox {
    /// Puts a frame in, if there is room. Tells whether it did.
    pub(super) fn offer(&self, frame: Vec<u8>) -> bool {
        let units = u32::try_from(frame.len() / UNIT + 1).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(units) else {
            return false;
        };
        self.sender.try_send(Waiting { frame, _room: room }).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_WAITING, queue};

    #[test]
    fn a_full_queue_drops_and_does_not_block() {
        let (outbox, mut waiting) = queue();
        assert!((0..MAX_WAITING).all(|_| outbox.offer(vec![1])));
        assert!(!outbox.offer(vec![1]));
        assert!(waiting.try_recv().is_ok());
        assert!(outbox.offer(vec![1]));
    }

    #[test]
    fn bytes_are_bounded_too_and_come_free_again() {
        let (outbox, mut waiting) = queue();
        let large = || vec![0; 1024 * 1024];
        let taken = (0..100).take_while(|_| outbox.offer(large())).count();
        assert!((8..=16).contains(&taken), "{taken}");
        drop(waiting.try_recv().unwrap());
        assert!(outbox.offer(large()));
    }
}
