//! Key shares and the threshold protocols over them.
//!
//! - [`KeyShare`]: one member's share of one root key, of one shape for all three [`Suite`]s.
//! - [`keygen`]: one ceremony, three root keys, no dealer; with the OT state that ECDSA needs.
//! - [`sign`]: ECDSA by exactly `t` members in three rounds; Schnorr and Ed25519 by as many in two.
//! - [`Engine`] and [`Session`]: the seam. Sans I/O: envelopes and randomness in, envelopes and a result out.
//! - [`Verdict`]: what a bad message amounts to. [`verify_evidence`] lets anyone with the roster check a named fault.
//!
//! Which papers stand behind this, what was decided against and what nobody has audited:
//! `docs/adr/0002-threshold-protocols.md`. Every module names its paper, figure and deviations.
//!
//! **Invariants.** No value of this crate holds a whole private key. Session state is never serialised and never
//! copied; a transition consumes it. Nothing but a verified, low-`s` signature leaves a signing session, and no key
//! before every member has said *done*. Every decoder takes one encoding a value and has a size limit.

mod channel;
mod child;
mod codec;
mod committee;
mod dkls;
mod echo;
mod engine;
mod error;
mod frost;
mod machine;
mod ot_state;
mod params;
mod point;
mod public;
mod schnorr;
mod secrets;
mod session;
mod share;
mod signature;
mod subject;
mod suite;
mod transcript;

pub mod envelope;
pub mod evidence;
pub mod keygen;
pub mod sign;

pub use child::{ChildPath, ExtendedKey, MAX_PATH_DEPTH};
pub use committee::{Committee, MAX_PARTIES, Parameters, PartyIndex, Threshold};
pub use engine::RealEngine;
pub use error::{Error, ShareFault};
pub use evidence::{Charge, Evidence, EvidenceContext, EvidenceError, Offence, verify_evidence};
pub use ot_state::OtState;
pub use params::SignContext;
pub use point::Point;
pub use public::{MAX_PUBLIC_KEYS_BYTES, PublicKeys, SuiteKeys};
pub use schnorr::{SchnorrSignature, taproot_output_key};
pub use secrets::{EpochSecrets, MAX_EPOCH_SECRETS_BYTES};
pub use session::{
    Engine, KeygenOutput, KeygenParams, OtCheck, Outgoing, Session, SignParams, Started, Step,
    Verdict, Why,
};
pub use share::{KeyShare, RawKeyShare};
pub use signature::{EcdsaSignature, MessageDigest};
pub use subject::{MAX_MESSAGE_BYTES, Message, Subject};
pub use suite::Suite;
pub use transcript::Transcript;
