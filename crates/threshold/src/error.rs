//! What can be wrong with arguments, stored state, or decoded values.

use crate::committee::PartyIndex;
use crate::suite::Suite;

/// A local fault: an argument, a stored value, or this machine; never a peer's doing (see
/// [`crate::Verdict`] for those).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A party index is 0 or above the maximum.
    #[error("party index {index} is not between 1 and 16; use the member's position in the roster")]
    IndexOutOfRange {
        /// The index found.
        index: u8,
    },
    /// Parameters outside `2 <= t <= n <= 16`, `2t > n`.
    #[error("{threshold} of {parties} is not allowed; choose 2 <= t <= n <= 16 with 2t > n")]
    Parameters {
        /// `t`.
        threshold: u8,
        /// `n`.
        parties: u8,
    },
    /// The list of identities does not have `n` entries.
    #[error("the committee needs {expected} identities but has {got}; list every signer once")]
    CommitteeSize {
        /// `n`.
        expected: u8,
        /// Entries found.
        got: usize,
    },
    /// Two indices have one identity.
    #[error("member {index} repeats another member's identity; every signer needs its own")]
    DuplicateIdentity {
        /// The later of the two.
        index: PartyIndex,
    },
    /// An identity key that is not a point, or of small order.
    #[error("member {index}'s identity key is unusable; have that member make a new identity")]
    WeakIdentity {
        /// Whose.
        index: PartyIndex,
    },
    /// A byte string is not a canonical non-identity point of prime order.
    #[error(
        "not a valid {suite} public point; the value is damaged or forged, take it from a good copy"
    )]
    Point {
        /// The suite whose point it should be.
        suite: Suite,
    },
    /// A byte string is not a canonical non-zero scalar.
    #[error("not a valid {suite} secret scalar; the value is damaged, take it from a good copy")]
    Scalar {
        /// The suite whose scalar it should be.
        suite: Suite,
    },
    /// A path to a child key that is too deep, hardened, or not written `m/0/7`.
    #[error(
        "not a path to a child key; write m, m/0 or m/0/7: at most 8 steps, none of them hardened"
    )]
    ChildPath,
    /// A message longer than anything that is signed here.
    #[error("a message of {bytes} bytes is too long to sign; at most 16 KiB are")]
    MessageTooLong {
        /// Its length.
        bytes: usize,
    },
    /// One of the few indices without a child (BIP-32, `CKDpub`).
    #[error("index {index} has no child key; use the next one")]
    NoSuchChild {
        /// The index.
        index: u32,
    },
    /// A share's parts do not belong together.
    #[error("the {suite} key share is inconsistent ({what}); restore it from a good copy")]
    Share {
        /// Whose key.
        suite: Suite,
        /// Which relation fails.
        what: ShareFault,
    },
    /// The three shares of one epoch do not belong together.
    #[error("the shares of one epoch disagree on {what}; restore them from one and the same copy")]
    Secrets {
        /// What they disagree on.
        what: &'static str,
    },
    /// The OT state is missing.
    #[error(
        "this member has no OT state for its share; run a fresh OT setup (a reshare) before signing"
    )]
    NoOtState,
    /// The OT state fails its MAC: it was changed on this machine.
    #[error(
        "this member's own OT state is damaged; no peer is to blame, run a fresh OT setup (a reshare)"
    )]
    OtStateDamaged,
    /// A member of the quorum is banned by this member for a failed OT check.
    #[error(
        "member {index} is banned by this member's OT state; sign with another quorum, or reshare"
    )]
    Banned {
        /// Who.
        index: PartyIndex,
    },
    /// Bytes could not be decoded.
    #[error("cannot decode {what}; the data is damaged or from another version")]
    Decode {
        /// What was being decoded.
        what: &'static str,
    },
    /// An encoding's version is not known.
    #[error("{what} has version {version}, this build knows {known}; use the matching release")]
    Version {
        /// What was being decoded.
        what: &'static str,
        /// The version found.
        version: u8,
        /// The version this build reads.
        known: u8,
    },
    /// More bytes than the limit.
    #[error("{what} of {bytes} bytes exceeds the limit of {limit}; refuse it")]
    TooLarge {
        /// What was being decoded.
        what: &'static str,
        /// Bytes found.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The identity key is not the one the committee lists for `me`.
    #[error("the identity key is not member {index}'s; start the session with the right one")]
    NotMyIdentity {
        /// `me`.
        index: PartyIndex,
    },
    /// The quorum is not `t` distinct members of the committee, sorted, with `me` among them.
    #[error(
        "the quorum must be exactly the threshold's number of distinct members in order, with this one among them"
    )]
    Quorum,
    /// The secrets given do not belong to the session's epoch, member or public keys.
    #[error("the secrets do not match the session's {what}; load those of the session's epoch")]
    WrongSecrets {
        /// What does not match.
        what: &'static str,
    },
    /// Fresh randomness could not be had from the operating system.
    #[error(
        "the operating system gave no randomness; nothing was sent, check the machine and retry"
    )]
    Randomness,
    /// A library refused its input before anything was sent.
    #[error("the {library} library refused to start ({detail}); nothing was sent, report this")]
    Library {
        /// Which library.
        library: &'static str,
        /// What it said; never secret.
        detail: String,
    },
}

/// Which relation of a key share fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareFault {
    /// The index is not in the committee.
    #[error("its index is not in the committee")]
    Index,
    /// Not one verification share an index.
    #[error("it does not list one verification share for every member")]
    Count,
    /// A point belongs to another suite.
    #[error("a point belongs to another suite")]
    Suite,
    /// The secret does not match its verification share.
    #[error("the secret does not match its verification share")]
    Secret,
    /// The verification shares are not on one polynomial of degree `t - 1` through the group key.
    #[error("the verification shares do not interpolate to the group key")]
    Polynomial,
}
