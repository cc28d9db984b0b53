//! The seam: all that a vault takes and gives.
//!
//! **Invariant:** an [`Output::Send`] that spends a one-time value (the first message of a ceremony or a session)
//! is given only in answer to the [`Input::Persisted`] of the record of that attempt, and whoever carries an answer
//! out makes all of its `Append`s and `Persist`s durable before any `Send`, `Query`, `Broadcast` or `Done` in it.

use std::fmt;

/// Names a chain; part of the seam, so that a driver needs no other crate.
pub use quorate_chain::ChainId;
use quorate_chain::evm;
use zeroize::Zeroizing;

use crate::entry::Approval;
use crate::ids::{PartyId, RequestId, Ticket, Time};
use crate::message::Message;

/// What a vault is told.
#[derive(Debug)]
pub enum Input {
    /// The local person, or a program of theirs, asks for something.
    Request(Command),
    /// A member said something on its authenticated channel.
    Received(PartyId, Message),
    /// The channel to a member stands.
    Connected(PartyId),
    /// The channel to a member is gone.
    Disconnected(PartyId),
    /// The mutation with this ticket is durable.
    Persisted(Ticket),
    /// The chain answered a [`Query`] or a broadcast.
    Observed(ChainFact),
    /// The clocks.
    Tick {
        /// What time it is, as this machine has it; can be put forward and back.
        wall: Time,
        /// What has passed since some moment of this run, milliseconds; never goes back.
        uptime_ms: u64,
    },
}

/// What the local person can ask. Refusals are typed errors; nothing has changed then.
#[derive(Debug)]
pub enum Command {
    /// The person compared the roster's six words on every screen.
    Confirm {
        /// As typed.
        words: String,
    },
    /// Ask for a payment.
    Propose(Box<Proposal>),
    /// Consent, signed by the credential key over [`approval_hash`](crate::fold::approval_hash).
    Approve(Approval),
    /// Refuse.
    Reject {
        /// Which request.
        request: RequestId,
        /// Why.
        reason: String,
    },
    /// Withdraw one's own request.
    Cancel {
        /// Which request.
        request: RequestId,
    },
    /// Sign again at a higher fee within the approved bounds.
    Replace {
        /// Which request.
        request: RequestId,
    },
    /// Say something about a request.
    Note {
        /// Which request.
        request: RequestId,
        /// The words.
        text: String,
    },
}

/// A payment to be asked for; the vault chooses the slot.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// On which chain.
    pub chain: ChainId,
    /// To whom.
    pub to: evm::Address,
    /// How much.
    pub amount: Amount,
    /// Bounds for the fee fields.
    pub bounds: evm::Fees,
    /// When it stops being able to be signed.
    pub expires: Time,
    /// Words for the approvers.
    pub note: String,
    /// The caller's own key; may be empty.
    pub idempotency_key: String,
}

/// How much to send.
#[derive(Clone, Debug)]
pub enum Amount {
    /// Exactly this.
    Exact(evm::Wei),
    /// The balance less the largest fee.
    Max {
        /// The balance as the caller's RPC told it.
        balance: evm::Wei,
    },
}

/// What a vault asks to be done. What is to be durable keeps its order, and so does what others can see.
pub enum Output {
    /// Make durable, then answer with [`Input::Persisted`].
    Persist(Ticket, Mutation),
    /// Tell a member; may be lost.
    Send(PartyId, Message),
    /// Make an entry of the vault's own log durable (position, encoded entry).
    Append {
        /// Position in the own log.
        position: u64,
        /// Encoded [`Logged`](crate::entry::Logged).
        entry: Vec<u8>,
    },
    /// Ask the chain.
    Query(Query),
    /// Hand a signed transaction to the chain.
    Broadcast {
        /// Which chain.
        chain: ChainId,
        /// The raw signed transaction.
        raw: Vec<u8>,
        /// Its hash.
        hash: [u8; 32],
    },
    /// Send a [`Input::Tick`] when [`Vault::now`](crate::Vault::now) would be this, at the latest.
    WakeAt(Time),
    /// Something came to its end: the answer to a [`Command`], or news for people.
    Done(Outcome),
}

impl fmt::Debug for Output {
    /// Without what is inside messages, entries and transactions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Persist(ticket, mutation) => write!(f, "Persist({ticket:?}, {mutation:?})"),
            Self::Send(to, message) => write!(f, "Send({to:?}, {message:?})"),
            Self::Append { position, entry } => {
                write!(f, "Append({position}: {} bytes)", entry.len())
            }
            Self::Query(query) => write!(f, "Query({query:?})"),
            Self::Broadcast { chain, raw, .. } => {
                write!(f, "Broadcast({chain:?}: {} bytes)", raw.len())
            }
            Self::WakeAt(at) => write!(f, "WakeAt({at:?})"),
            Self::Done(outcome) => write!(f, "Done({outcome:?})"),
        }
    }
}

/// What is to be made durable.
pub enum Mutation {
    /// Entries of another member's log (a replica), from this position on.
    Replicate {
        /// Whose log.
        author: PartyId,
        /// Which incarnation.
        incarnation: u32,
        /// Position of the first.
        from: u64,
        /// Encoded entries.
        entries: Vec<Vec<u8>>,
    },
    /// The newest signed checkpoint of a log, own or replica. It takes the place of the one before; those that are
    /// needed for ever come as [`Mutation::Note`]s.
    Checkpoint {
        /// Whose log.
        author: PartyId,
        /// Which incarnation.
        incarnation: u32,
        /// C2SP signed note.
        note: String,
    },
    /// A secret to seal: key shares and OT state of an epoch's attempt.
    Secret {
        /// Unique in the vault.
        name: String,
        /// The epoch whose wrapping key seals it.
        epoch: u64,
        /// The plain bytes.
        plain: Zeroizing<Vec<u8>>,
    },
    /// A sealed secret to delete for good, if it is there.
    Forget {
        /// Its name.
        name: String,
        /// The epoch whose wrapping key seals it.
        epoch: u64,
    },
    /// Evidence or a local ban, never folded from logs.
    Note {
        /// Unique in the vault.
        name: String,
        /// Opaque.
        value: Vec<u8>,
    },
}

impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicate {
                author,
                from,
                entries,
                ..
            } => {
                write!(
                    f,
                    "Replicate({author:?} from {from}: {} entries)",
                    entries.len()
                )
            }
            Self::Checkpoint { author, .. } => write!(f, "Checkpoint({author:?})"),
            Self::Secret { name, .. } => write!(f, "Secret({name}, ..)"),
            Self::Forget { name, .. } => write!(f, "Forget({name})"),
            Self::Note { name, .. } => write!(f, "Note({name})"),
        }
    }
}

/// What a driver loads from its journal to start a vault again.
#[derive(Default)]
pub struct Snapshot {
    /// Every log: author, incarnation, entries from position 0 without gap.
    pub logs: Vec<(PartyId, u32, Vec<Vec<u8>>)>,
    /// The newest checkpoint of each: author, incarnation, note.
    pub checkpoints: Vec<(PartyId, u32, String)>,
    /// Secrets by name.
    pub secrets: Vec<(String, Zeroizing<Vec<u8>>)>,
    /// Notes by name.
    pub notes: Vec<(String, Vec<u8>)>,
}

/// What the vault wants to know of a chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// Current base fee and a suggested tip.
    Fees {
        /// Which chain.
        chain: ChainId,
    },
    /// What became of the slot: is the account's nonce past it, and by which transaction?
    Slot {
        /// Which chain.
        chain: ChainId,
        /// Whose account.
        account: evm::Address,
        /// The account nonce.
        nonce: u64,
        /// Hashes of our own attempts, tried first.
        candidates: Vec<[u8; 32]>,
    },
}

/// What one node's RPC said. A lying RPC can make a node wait or refuse, never sign more than was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainFact {
    /// Answer to [`Query::Fees`], wei a unit of gas.
    Fees {
        /// Which chain.
        chain: ChainId,
        /// Base fee of the next block.
        base_fee: u128,
        /// Tip that gets in soon.
        tip: u128,
    },
    /// Answer to [`Query::Slot`].
    Slot {
        /// Which chain.
        chain: ChainId,
        /// Whose account.
        account: evm::Address,
        /// The account nonce.
        nonce: u64,
        /// What is known.
        status: SlotStatus,
    },
    /// How a broadcast was taken.
    Broadcast {
        /// Which chain.
        chain: ChainId,
        /// Of which transaction.
        hash: [u8; 32],
        /// Accepted (or already known), or the RPC's words.
        result: Result<(), String>,
    },
    /// The RPC cannot be reached or serves another chain.
    Unreachable {
        /// Which chain.
        chain: ChainId,
        /// In words.
        why: String,
    },
}

/// What became of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotStatus {
    /// Nothing consumed it yet.
    Open,
    /// This transaction did.
    Consumed {
        /// The raw signed transaction.
        raw: Vec<u8>,
        /// What the receipt says.
        mined: evm::Mined,
        /// Whether the chain calls that block final (EVM: not above the block tagged `finalized`).
        finalised: bool,
    },
}

/// What came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The roster was confirmed here.
    Confirmed,
    /// The request exists.
    Requested(RequestId),
    /// The same idempotency key was used by this earlier request, which says the same.
    Duplicate(RequestId),
    /// The approval, rejection, cancellation, replacement or note is in the log.
    Noted(RequestId),
    /// Act 0 is decided and acknowledged by all: addresses may be shown.
    Active,
    /// Something about a request changed; people may want to look.
    Changed(RequestId),
    /// This member's own log was put back from an earlier copy: it appends and signs nothing from now on.
    RolledBack,
    /// A member lied in a way that others can check, must not be signed with any more, or takes more than its share.
    Misbehaved {
        /// Who.
        culprit: PartyId,
        /// What, for people.
        offence: String,
    },
}
