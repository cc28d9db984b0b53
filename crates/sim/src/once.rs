//! One-time values, as the wire shows them: nobody says two things in one place of one session, and nothing fresh
//! comes a second time.
//!
//! What a member commits to and reveals in the first rounds of a keygen or a signature is made of randomness drawn for
//! that session alone. The same bytes in another session are randomness used twice, whatever brought it about: a
//! restored state, a generator that repeats itself, a session that went on after its member died.

use std::collections::BTreeMap;

use quorate_threshold::envelope::{Envelope, body_hash};
use quorate_vault::PartyId;

/// Rounds whose messages carry fresh values; later ones confirm what was said.
const FRESH_ROUNDS: u8 = 2;
/// Shorter parts (counters, empty parts) repeat by nature.
const FRESH_BYTES: usize = 32;

/// Where a member said something: session, round, receiver.
type Place = (usize, [u8; 32], u8, PartyId);

/// Everything that members said in their sessions, by hash.
#[derive(Default)]
pub(crate) struct OneTime {
    said: BTreeMap<Place, [u8; 32]>,
    sessions: BTreeMap<(usize, [u8; 32]), [u8; 32]>,
}

impl OneTime {
    /// Member `i` lets go of an envelope; says which one-time value is used twice by it, if one is.
    pub(crate) fn said(&mut self, i: usize, to: PartyId, bytes: &[u8]) -> Option<String> {
        let Ok(envelope) = Envelope::from_bytes(bytes) else {
            return Some(format!("member {i} sends what is no envelope"));
        };
        let (session, round) = (envelope.header.tag.session, envelope.header.round);
        let whole = body_hash(bytes);
        if *self.said.entry((i, session, round, to)).or_insert(whole) != whole {
            return Some(format!("member {i} says two things in round {round}"));
        }
        if round > FRESH_ROUNDS {
            return None;
        }
        let broadcast = envelope.broadcast.as_ref();
        let broadcast = broadcast.map_or(&[][..], |body| body.body.as_slice());
        let parts = [broadcast, envelope.direct.as_slice()];
        let fresh = parts.into_iter().filter(|part| part.len() >= FRESH_BYTES);
        let sessions = &mut self.sessions;
        fresh
            .filter(|part| *sessions.entry((i, body_hash(part))).or_insert(session) != session)
            .map(|_| format!("member {i} uses a one-time value twice, now in round {round}"))
            .next()
    }
}
