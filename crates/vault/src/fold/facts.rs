//! What the logs have said, kept so that the order of arrival leaves no trace.
//!
//! Every collection here is keyed by who said it about what; where one author repeats itself, its own log's order
//! decides. So folding is a join: the same entries give the same facts, however the authors' logs interleave.
//!
//! **Invariant:** each limit below counts entries of one author's log only. A limit over several authors would
//! make the result depend on who came first.

use std::collections::{BTreeMap, BTreeSet};

use quorate_chain::ChainId;
use quorate_chain::evm::{Address, Mined, UnsignedTransfer};
use quorate_threshold::{EcdsaSignature, PublicKeys};

use crate::entry::{Receipt, Request, SessionRecord};
use crate::ids::{PartyId, RequestId, SessionId, Time};

/// Most requests that one author's log can speak of.
pub(super) const MAX_REQUESTS_PER_AUTHOR: u32 = 1 << 20;
/// Most successors, approvals or replacements of one author on one request.
pub(super) const MAX_STATEMENTS: usize = 256;
/// Most notes of one author on one request.
pub(super) const MAX_NOTES: usize = 64;
/// Most session records of one author on one request.
pub(super) const MAX_RECORDS: usize = 4096;
/// Longest final bytes that a session record can hold; a native EVM transfer has about 70.
pub(super) const MAX_UNSIGNED_BYTES: usize = 4096;

/// Where in its author's log something was said; later places are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which incarnation of the log.
    pub incarnation: u32,
    /// Position in it.
    pub position: u64,
}

/// Something said, with the author's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// Where.
    pub place: Place,
    /// When, by the author's clock.
    pub at: Time,
    /// What.
    pub what: T,
}

/// A place in a chain's order of one account's transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotKey {
    /// The chain.
    pub chain: ChainId,
    /// The account nonce.
    pub slot: u64,
}

/// A request with who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its author.
    pub author: PartyId,
    /// Where and when it was asked first.
    pub said: Said<Request>,
}

/// All that was said about one request, also before the request itself arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RequestFacts {
    pub(super) asked: Option<Asked>,
    /// Requests that are asked in place of this one, by anybody; only its author's first count.
    pub(super) successors: BTreeMap<PartyId, BTreeMap<Place, RequestId>>,
    /// With a valid signature of the author's credential; by what they bind, the first of each.
    pub(super) approvals: BTreeMap<PartyId, BTreeMap<Bound, (Place, Time)>>,
    pub(super) rejections: BTreeMap<PartyId, Said<String>>,
    /// By anybody; only the request's author's counts.
    pub(super) cancellations: BTreeMap<PartyId, Said<()>>,
    pub(super) replacements: BTreeMap<PartyId, BTreeMap<SessionId, Said<()>>>,
    pub(super) sessions: BTreeSet<SessionId>,
    pub(super) records_by: BTreeMap<PartyId, usize>,
    /// The newest of each author on each slot.
    pub(super) receipts: BTreeMap<PartyId, BTreeMap<u64, Said<Receipt>>>,
    pub(super) notes: BTreeMap<PartyId, BTreeMap<Place, (Time, String)>>,
    /// Who has said anything about it: each counts it once against its limit.
    pub(super) mentioned_by: BTreeSet<PartyId>,
}

/// What an approval binds besides vault and credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bound {
    pub(super) charter_version: u32,
    pub(super) intent_digest: [u8; 32],
    pub(super) expires: Time,
    pub(super) nonce: [u8; 32],
}

/// One member's durable entry into a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The record as logged.
    pub said: Said<SessionRecord>,
    /// What its final bytes say.
    pub transfer: UnsignedTransfer,
}

impl Recorded {
    /// The slot that the final bytes consume.
    pub fn slot(&self) -> SlotKey {
        SlotKey {
            chain: self.transfer.chain,
            slot: self.transfer.nonce,
        }
    }
}

/// All that was said about one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFacts {
    /// Who entered it, with the first record of each.
    pub records: BTreeMap<PartyId, Recorded>,
    /// Who says that a signature came out, with the first such statement of each. Believed only where
    /// [`SessionFacts::verified`] names the author too.
    pub signed: BTreeMap<PartyId, Said<EcdsaSignature>>,
    /// Who says that none came out, and why.
    pub failed: BTreeMap<PartyId, Said<String>>,
    /// Whose signature verifies under the vault's key, over the digest of their own record's final bytes, which are
    /// within the request's intent.
    pub verified: BTreeSet<PartyId>,
}

/// What I saw consume a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumed {
    /// The request that the receipt names.
    pub request: RequestId,
    /// My clock when I logged it.
    pub at: Time,
    /// What the transaction says.
    pub transfer: UnsignedTransfer,
    /// Who signed it.
    pub signer: Address,
    /// What the receipt says: hash, block, success, gas.
    pub mined: Mined,
    /// Whether the chain calls the block final.
    pub finalised: bool,
}

/// One attempt at a ceremony, as one member told it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AttemptFacts {
    pub(super) started: Option<Said<()>>,
    /// The first of PREPARED and ABORTED.
    pub(super) ended: Option<Said<Ended>>,
    pub(super) acknowledged: Option<Said<[u8; 32]>>,
}

/// How an attempt ended for one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Its shares are durable; the signature and the committee were right when it was folded.
    Prepared(Box<PublicKeys>),
    /// It said so, but signature or committee are wrong.
    Spoiled,
    Aborted(String),
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The first founding statement of each member: hash of the charter it repeats.
    pub(super) founded: BTreeMap<PartyId, Said<[u8; 32]>>,
    /// Act 0, by attempt and member.
    pub(super) attempts: BTreeMap<u32, BTreeMap<PartyId, AttemptFacts>>,
    pub(super) requests: BTreeMap<RequestId, RequestFacts>,
    /// Every request that has arrived, by author and in the order of its log.
    pub(super) asked_by: BTreeMap<PartyId, BTreeMap<Place, RequestId>>,
    pub(super) sessions: BTreeMap<SessionId, SessionFacts>,
    /// How many requests each author spoke of.
    pub(super) mentions: BTreeMap<PartyId, u32>,
    /// Sessions by the slot that a record of theirs consumes.
    pub(super) recorded: BTreeMap<SlotKey, BTreeSet<SessionId>>,
    /// Slots for which a verified signature exists, with its sessions.
    pub(super) signed: BTreeMap<SlotKey, BTreeSet<SessionId>>,
    /// What my own receipts say, and nobody else's.
    pub(super) consumed: BTreeMap<SlotKey, Consumed>,
    /// Slots of which my endpoint called a transaction final and said otherwise later.
    pub(super) contradicted: BTreeSet<SlotKey>,
}
