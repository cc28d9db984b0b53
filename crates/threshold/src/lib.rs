//! Key shares and the threshold protocols over them.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod channel;
mod codec;
mod committee;
mod dkls;
mod engine;
mod error;
mod machine;
mod ot_state;
mod point;
mod public;
mod secrets;
mod session;
mod share;
mod signature;
mod suite;
mod transcript;

pub mod envelope;
pub mod evidence;
pub mod keygen;
pub mod sign;

pub use committee::{Committee, MAX_PARTIES, Parameters, PartyIndex, Threshold};
pub use engine::RealEngine;
pub use error::{Error, ShareFault};
pub use evidence::{Charge, Evidence, EvidenceContext, EvidenceError, Offence, verify_evidence};
pub use ot_state::OtState;
pub use point::Point;
pub use public::{MAX_PUBLIC_KEYS_BYTES, PublicKeys, SuiteKeys};
pub use secrets::{EpochSecrets, MAX_EPOCH_SECRETS_BYTES};
pub use session::{
    Engine, KeygenOutput, KeygenParams, OtCheck, Outgoing, Session, SignParams, Started, Step,
    Verdict, Why,
};
pub use share::{KeyShare, RawKeyShare};
pub use signature::{EcdsaSignature, MessageDigest};
pub use suite::Suite;
pub use transcript::Transcript;
