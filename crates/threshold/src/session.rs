//! The seam between a protocol and whoever carries its messages.
//!
//! A session does no I/O and holds no clock: bytes and randomness go in, signed envelopes and at the end
//! a result come out. Who waits too long is for the caller to judge; [`Session::waiting_for`] says on whom.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use crate::child::ChildPath;
use crate::committee::{Committee, PartyIndex};
use crate::error::Error;
use crate::evidence::Evidence;
use crate::point::Point;
use crate::public::PublicKeys;
use crate::schnorr::SchnorrSignature;
use crate::secrets::EpochSecrets;
use crate::signature::EcdsaSignature;
use crate::subject::Subject;

/// One signed envelope for one receiver.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The receiver.
    pub to: PartyIndex,
    /// The envelope, at most [`crate::envelope::MAX_ENVELOPE_BYTES`]. It can hold secrets.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing(to {}, {} bytes)", self.to, self.bytes.len())
    }
}

/// What a message led to.
#[derive(Debug)]
pub struct Step<T> {
    /// To send now, in this order.
    pub send: Vec<Outgoing>,
    /// The result, once. The session is over then.
    pub done: Option<T>,
    /// How the session ended after these messages, if it ended without a result. They are of rounds that passed, and
    /// the others need them to judge for themselves: send them all the same, and what the verdict asks for first.
    pub verdict: Option<Verdict>,
}

impl<T> Step<T> {
    /// Nothing to do yet.
    #[must_use]
    pub const fn wait() -> Self {
        Self {
            send: Vec::new(),
            done: None,
            verdict: None,
        }
    }
}

/// One member's side of one protocol run. It lives in memory only and never runs twice.
pub trait Session<T>: Send {
    /// Takes an envelope that arrived over `from`'s channel.
    ///
    /// # Errors
    /// A [`Verdict`] on which nothing is to be sent. After [`Verdict::Ignored`] the session is as it was before; after
    /// any other, here or in [`Step::verdict`], it is over.
    fn receive(
        &mut self,
        from: PartyIndex,
        bytes: &[u8],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Step<T>, Verdict>;

    /// Members whose message this round still needs; empty when the session is over.
    fn waiting_for(&self) -> Vec<PartyIndex>;

    /// The round whose messages are awaited, from 1.
    fn round(&self) -> u8;
}

/// What a message or a failed check amounts to.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// The message was refused; the session's state is unchanged and it goes on.
    Ignored(Why),
    /// A failed OT check on a correctly signed message, after this member's own OT state passed its MAC.
    ///
    /// Make the ban durable before replying to anyone and wipe the OT state with `culprit`. It is for this
    /// member alone: no third party can check it, and OT secrets are never published as proof.
    LocalBan {
        /// Whom to ban.
        culprit: PartyIndex,
        /// Which check failed.
        check: OtCheck,
    },
    /// A fault that anyone with the roster can check.
    NamedFault {
        /// Who did it.
        culprit: PartyIndex,
        /// The proof ([`crate::verify_evidence`]).
        evidence: Evidence,
    },
    /// The session cannot go on and nobody is proven to be at fault: try another quorum.
    Abort(Why),
}

/// Started sessions: the state and the first messages.
pub struct Started<T> {
    /// This member's side.
    pub session: Box<dyn Session<T>>,
    /// To send now.
    pub send: Vec<Outgoing>,
}

impl<T> std::fmt::Debug for Started<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Started")
            .field("send", &self.send.len())
            .finish_non_exhaustive()
    }
}

/// The protocols, as a seam: [`crate::RealEngine`] runs them, a simulator can plug in a stub of the same
/// message shape.
pub trait Engine: Send + Sync {
    /// Starts key generation: one ceremony, three root keys.
    ///
    /// # Errors
    /// Wrong arguments; nothing has been sent.
    fn keygen(
        &self,
        params: KeygenParams,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<KeygenOutput>, Error>;

    /// Starts an ECDSA signature by exactly `t` members.
    ///
    /// The caller has made this attempt durable before: the first messages spend one-time values.
    ///
    /// # Errors
    /// Wrong arguments, or no usable OT state; nothing has been sent.
    fn sign_ecdsa(
        &self,
        params: SignParams,
        secrets: &EpochSecrets,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<EcdsaSignature>, Error>;

    /// Starts a Taproot or Ed25519 signature by exactly `t` members.
    ///
    /// The caller has made this attempt durable before: the first messages spend one-time values.
    ///
    /// # Errors
    /// Wrong arguments; nothing has been sent.
    fn sign_schnorr(
        &self,
        params: SignParams,
        secrets: &EpochSecrets,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<SchnorrSignature>, Error>;
}

/// What a key generation is about. Every member must give the same values (but `me` and `identity`).
#[derive(Clone)]
pub struct KeygenParams {
    /// The vault's id.
    pub vault: [u8; 32],
    /// The sharing generation to be made.
    pub epoch: u64,
    /// Counts the attempts at this epoch; one attempt runs once.
    pub attempt: u32,
    /// Who will hold shares.
    pub committee: Committee,
    /// This member.
    pub me: PartyIndex,
    /// This member's identity key.
    pub identity: Arc<SigningKey>,
}

/// A finished key generation. Nothing of it may be used before it is durable.
#[derive(Debug)]
pub struct KeygenOutput {
    /// The same at every member.
    pub public: PublicKeys,
    /// This member's own.
    pub secrets: EpochSecrets,
}

/// What a signature is about. Every signer must give the same values (but `me` and `identity`).
#[derive(Clone)]
pub struct SignParams {
    /// A session id that was never used before.
    pub session: [u8; 32],
    /// The vault's id.
    pub vault: [u8; 32],
    /// The sharing generation.
    pub epoch: u64,
    /// Who holds shares in that epoch.
    pub committee: Committee,
    /// Exactly `t` signers, in order.
    pub quorum: Vec<PartyIndex>,
    /// This member, one of the quorum.
    pub me: PartyIndex,
    /// Where the key that signs stands below its suite's root.
    pub path: ChildPath,
    /// The key that signs: what the caller expects at `path`.
    pub key: Point,
    /// What is signed.
    pub subject: Subject,
    /// The public side of the epoch's root keys.
    pub public: PublicKeys,
    /// This member's identity key.
    pub identity: Arc<SigningKey>,
}

/// Which check of the OT-based multiplication failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtCheck {
    /// The OT extension's or the multiplication's own consistency check.
    #[error("the consistency check of the OT extension or multiplication failed")]
    Multiplication,
    /// `gamma_u` does not fit the instance point.
    #[error("the nonce part of the multiplication check failed")]
    Nonce,
    /// `gamma_v` does not fit the key share.
    #[error("the key part of the multiplication check failed")]
    Key,
}

/// Why a message was ignored or a session was given up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// Larger than any message of this protocol.
    #[error("a message of {bytes} bytes exceeds the limit; dropped")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Bytes that are no envelope, or a payload that is no message of its round.
    #[error("a message could not be decoded; dropped")]
    Malformed,
    /// An envelope of another version.
    #[error("a message has envelope version {version}; update the older of the two members")]
    Version {
        /// The version found.
        version: u8,
    },
    /// An envelope of another protocol, session, suite or epoch.
    #[error("a message belongs to another session; dropped")]
    OtherSession,
    /// The envelope's sender is not the channel's peer, or not in this session.
    #[error(
        "a message claims member {claimed} over another member's channel, or is not from this session; dropped"
    )]
    Sender {
        /// The sender claimed in the envelope.
        claimed: PartyIndex,
    },
    /// The envelope is for someone else.
    #[error("a message is addressed to another member; dropped")]
    Receiver,
    /// The signature does not verify.
    #[error("a message's signature does not verify; dropped")]
    Signature,
    /// A message of a round that has passed, and nothing new.
    #[error("a message of round {round} came late; dropped")]
    Stale {
        /// Its round.
        round: u8,
    },
    /// A message more than one round ahead.
    #[error("a message of round {round} came too early; dropped")]
    TooEarly {
        /// Its round.
        round: u8,
    },
    /// Seen before, or a second message for a place that is taken.
    #[error("a second message for a round that has one; dropped")]
    Duplicate,
    /// The session has ended.
    #[error("the session is over; dropped")]
    SessionOver,
    /// The member runs this session over other values: message, quorum, keys or parameters.
    #[error(
        "member {from} has another view of this session; compare the request, then retry with a new session"
    )]
    TranscriptMismatch {
        /// The member.
        from: PartyIndex,
    },
    /// A check failed without proof of whose fault it is.
    #[error("the {check} check failed and no one is proven at fault; retry with another quorum")]
    CheckFailed {
        /// The check.
        check: &'static str,
        /// Whose message failed it, if one did; not a proof.
        suspect: Option<PartyIndex>,
    },
    /// This member's own state failed: nobody else is to blame.
    #[error("this member cannot go on: {0}")]
    Local(#[from] Error),
}
