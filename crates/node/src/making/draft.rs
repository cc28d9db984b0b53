//! Committing first and revealing afterwards, so that nobody can look for a roster that has the words of another.
//!
//! Every member draws a nonce when it takes its seat and says only its [`commitment`]. The creator tells all of them the
//! [`Draft`]: the whole roster, with every commitment. Each takes one draft and only then reveals its nonce; the
//! charter is the draft opened. Whoever has heard somebody's nonce can therefore change nothing any more that its words
//! are made of.

use quorate_threshold::Transcript;
use quorate_vault::Charter;
use serde::{Deserialize, Serialize};

/// What a member says of its nonce before it reveals it: bound to it and to the vault, so that nobody else can say the
/// same.
pub(crate) fn commitment(vault: &[u8; 32], identity: &[u8; 32], nonce: &[u8; 32]) -> [u8; 32] {
    let mut transcript = Transcript::new("quorate/roster-commitment/v1");
    for part in [vault, identity, nonce] {
        transcript.append(part);
    }
    transcript.finish()
}

/// A roster before anybody's nonce is known: a charter in which commitments stand where the nonces will.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Draft(Charter);

impl Draft {
    /// The draft that these members and commitments make.
    pub(crate) fn of_commitments(roster: Charter) -> Self {
        Self(roster)
    }

    /// Members and terms; every member's `nonce` is its commitment.
    pub(crate) fn roster(&self) -> &Charter {
        &self.0
    }

    /// Whether `charter` is this draft with every commitment opened, and nothing else changed.
    pub(crate) fn is_opened_by(&self, charter: &Charter) -> bool {
        let mut closed = charter.clone();
        for member in &mut closed.members {
            member.nonce = commitment(&charter.nonce, &member.identity, &member.nonce);
        }
        closed == self.0
    }
}
