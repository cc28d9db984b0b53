//! ECDSA signing by exactly `t` members in three rounds.
//!
//! DKLs23 (Doerner, Kondi, Lee, shelat; ePrint 2023/765), protocol 3.6, as `dkls23-core` has it:
//!
//! | round | to each | broadcast | library | file |
//! |---|---|---|---|---|
//! | 1 | commitment to the instance point, OT extension | | phase 1, steps 4 to 6 | `commit.rs` |
//! | 2 | opening, multiplication | | phase 2, step 7 | `multiply.rs` |
//! | 3 | | `u`, `w` | phase 3, steps 8 and 9; phase 4, step 10 | `combine.rs` |
//!
//! Session id, suite, epoch, ordered members, public keys and message are bound from round one: each envelope
//! carries their hash (`params.rs`), and the library hashes the same into each check. The library's
//! indices are those of the whole committee; a quorum is its sender and the list of its counterparties.
//!
//! Deviations from the paper:
//! - The library extends OTs with KOS (ePrint 2015/546, the corrected figure 10) where the paper suggests
//!   SoftSpokenOT (ePrint 2022/192).
//! - The last round's broadcast is not echoed: a wrong `u` or `w` makes a signature that does not verify, and
//!   nothing but a verified, low-`s` signature leaves the session.
//! - The library draws its randomness itself; it is reseeded from the operating system before each phase.
//!
//! A failed OT check leaks about the pair's reusable correlations, so it ends in a ban of the pair, on one
//! condition: this member's own state has just passed its MAC. Sessions over one loaded state run their
//! checks one at a time, and none with a member that a check has already failed with.
//!
//! What the checks tell an attacker: it may guess some of the 256 bits of the pair's secret correlation by deviating
//! in a session, and learns whether the check passed. A passed guess costs it nothing and is not seen; that is so in
//! every protocol with such a check, and the failed one is what ends it. Whatever it asks, all that it gets out of `k`
//! sessions is a string of passes with at most `b` failures among them, and there are at most
//! `N = sum of C(k, i) for i <= b` such strings. A best guess at the correlation after that is right with a
//! probability of at most `N * 2^-256`: the correlation keeps `256 - log2 N` bits. With the ban durable before any
//! answer `b` is 1. A process that is killed between a check and its ban forgets one failure, so its owner has to bound
//! the number of restarts that could hide one; over `2^20` sessions 8 of them leave 256 - 145 = 111 bits.

mod combine;
mod commit;
mod context;
mod multiply;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::channel::Channel;
use crate::codec::Format;
use crate::error::Error;
use crate::machine;
use crate::secrets::EpochSecrets;
use crate::session::{SignParams, Started};
use crate::signature::EcdsaSignature;
use crate::subject::Subject;

use context::Context;

/// Largest message body of signing; round 2's multiplication is the largest, about 54 kB.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Starts a signature.
pub(crate) fn start(
    params: SignParams,
    secrets: &EpochSecrets,
) -> Result<Started<EcdsaSignature>, Error> {
    let share = params.check(secrets)?;
    let Subject::Ecdsa(digest) = params.subject else {
        return Err(Error::WrongSecrets { what: "suite" });
    };
    let context = Context::new(&params, secrets, &share, digest)?;
    let tag = params.tag();
    let SignParams {
        me,
        quorum,
        committee,
        identity,
        ..
    } = params;
    let channel = Channel::new(tag, me, quorum, committee, identity)?;
    let (first, output) = commit::begin(&channel, context)?;
    Ok(machine::start(channel, Box::new(first), output))
}

/// Whether a broadcast of `round` breaks a rule that it alone decides.
pub(crate) fn broadcast_is_bad(round: u8, body: &[u8]) -> bool {
    let broken = |error| !matches!(error, Error::Version { .. });
    round == 3 && decode::<combine::Round3Broadcast>(body).is_err_and(broken)
}

const fn format() -> Format {
    Format {
        what: "signing message",
        version: 1,
        limit: MAX_BODY_BYTES,
    }
}

fn encode<T: Serialize>(message: &T) -> Zeroizing<Vec<u8>> {
    format().encode(message)
}

fn decode<T: Serialize + for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Error> {
    format().decode(bytes)
}
