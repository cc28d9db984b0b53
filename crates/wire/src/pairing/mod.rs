//! Pairing by a spoken code.
//!
//! SPAKE2 (RFC 9382, in the form of `spake2` 0.4 over the Ed25519 group) turns a code of 35 bits into a
//! strong key that only the two who know the code have: who sits between them can try one code a
//! run, and after [`MAX_TRIES`] the code is dead. Then both prove that they have the key, and only then
//! anything else is said.
//!
//! | | joiner | inviter |
//! |---|---|---|
//! | 1 | [`Joiner::start`]: invitation id, SPAKE2 | |
//! | 2 | | [`Inviter::answer`]: SPAKE2 |
//! | 3 | [`Joiner::confirm`]: MAC | |
//! | 4 | | [`Inviter::confirm`]: MAC, sealed card |
//! | 5 | [`Confirming::introduce`]: sealed card | |
//! | 6 | | [`Admitting::welcome`]: sealed details |
//! | 7 | [`Introduced::finish`], then [`Joined::take_seat`]: sealed details | |
//! | | | [`Seating::seated`] |
//!
//! The joiner proves first: one who guesses learns whether the guess was right only by spending a
//! try. All keys are bound to both SPAKE2 messages, the roles, the protocol version, the invitation, both
//! transport keys and the connection (its exporter value), so that relaying between two connections fails
//! as well. Deviation from RFC 9382: its transcript and key schedule are those of the crate; the
//! confirmation keys are derived from the crate's output and our own transcript by HKDF-SHA256.
//!
//! When an error has a [`PairingError::refusal`], send those bytes before closing: the other side then
//! knows why.

mod code;
mod invitation;
mod inviter;
mod joiner;
mod keys;
mod message;

pub use code::{CodeError, PairingCode};
pub use invitation::{Invitation, LIFETIME_MS, MAX_TRIES};
pub use inviter::{Admitting, Inviter, Seating};
pub use joiner::{Confirming, Introduced, Joined, Joiner};
pub use message::{MAX_DETAILS_BYTES, MAX_PAIRING_BYTES, requested_invitation};

use crate::card::{CardError, VerifiedCard};
use crate::codec::DecodeError;
use crate::hello::Channel;

/// Why a pairing ended. The joiner gets the inviter's reason, unproven: it is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairingError {
    /// No open invitation has this id.
    #[error("the inviter has no such invitation open. Ask for a new one")]
    UnknownInvitation,
    /// Somebody joined with this code already.
    #[error("this code was used already. Ask the inviter for a new one")]
    CodeUsed,
    /// The code is older than ten minutes.
    #[error("this code has expired. Ask the inviter for a new one")]
    CodeExpired,
    /// Too many wrong codes were tried.
    #[error("this code is dead after too many wrong tries. Ask the inviter for a new one")]
    CodeDead,
    /// The two sides do not have the same code.
    #[error("wrong code, {tries_left} tries left. Read it again, word by word")]
    WrongCode {
        /// Tries that the invitation still has.
        tries_left: u8,
    },
    /// The inviter did not prove that it knows the code.
    #[error(
        "the other side does not know the code: it is not the inviter, or something sits between. Nothing was told to it. Ask the inviter for a new code"
    )]
    NotTheInviter,
    /// The other side speaks another protocol version.
    #[error(
        "the other side speaks protocol version {theirs} ({software}), this program speaks {ours}. Use the same version of Quorate on both"
    )]
    OtherVersion {
        /// Its version.
        theirs: u16,
        /// This program's.
        ours: u16,
        /// What it calls its software; unproven.
        software: String,
    },
    /// A message that is not the one that was due.
    #[error("the other side broke the pairing: {0}. Try again")]
    Unexpected(DecodeError),
    /// A sealed message does not open.
    #[error("a pairing message was altered on the way. Try again with a new code")]
    Altered,
    /// The other side's card is not acceptable.
    #[error("the other side's card was refused: {0}")]
    Card(#[from] CardError),
    /// The card names another transport key than the connection has.
    #[error(
        "the other side's card belongs to another node than the one connected. Something relays; do not go on"
    )]
    EndpointDiffers,
    /// The card is one's own.
    #[error("this is your own invitation. Join with another node")]
    Yourself,
    /// The details are above [`MAX_DETAILS_BYTES`].
    #[error("the invitation's details take {len} bytes, at most {MAX_DETAILS_BYTES} are allowed")]
    DetailsTooLarge {
        /// Their size.
        len: usize,
    },
    /// The other side gave up for a reason of its own.
    #[error("the other side refused to go on; its own screen or log says why")]
    Refused,
}

/// A card that came over `channel`, from somebody else.
fn accept_card(
    bytes: &[u8],
    own: &VerifiedCard,
    channel: &Channel,
) -> Result<VerifiedCard, PairingError> {
    let card = VerifiedCard::decode(bytes)?;
    if card.card().identity == own.card().identity {
        return Err(PairingError::Yourself);
    }
    if card.card().endpoint != channel.theirs {
        return Err(PairingError::EndpointDiffers);
    }
    Ok(card)
}
