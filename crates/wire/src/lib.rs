//! Party identities, pairing, message envelopes and versions.
//!
//! Sans-io: nothing here opens a socket, reads a clock or draws randomness of its own. Bytes go in,
//! bytes and typed values come out, and what a peer sent is either checked or an error.
//!
//! - [`SignedCard`] says who a party is; [`VerifiedCard`] is one whose signatures were checked.
//! - [`pairing`] exchanges cards between two people who share a spoken code; [`Rendezvous`] tells
//!   the one who joins where to go.
//! - [`Hello`] opens every connection between peers and names a peer of another version; then
//!   [`Frame`]s follow, each in a length-prefixed piece ([`framed`], [`frame_len`]).

mod base32;
mod card;
mod codec;
mod frame;
mod hello;
pub mod pairing;
mod rendezvous;
mod signature;
mod version;
mod words;

pub use card::{
    CardError, MAX_ADDRESSES, MAX_CARD_BYTES, MAX_LABEL_CHARS, MAX_NAME_CHARS, MAX_TRUST_DOMAINS,
    PartyCard, SignedCard, VerifiedCard,
};
pub use codec::DecodeError;
pub use frame::{
    Frame, FrameTooLarge, MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, PREFIX_BYTES, frame_len, framed,
};
pub use hello::{Channel, EXPORTER_LABEL, Hello, HelloError};
pub use rendezvous::{Rendezvous, RendezvousError};
pub use version::{ALPN, MAX_SOFTWARE_CHARS, PAIRING_ALPN, PROTOCOL_VERSION};
