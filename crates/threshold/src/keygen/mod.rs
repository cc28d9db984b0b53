//! Key generation: one ceremony, three root keys, no dealer.
//!
//! | round | broadcast | to each | file |
//! |---|---|---|---|
//! | 1 | commitments to rounds 2 and 3 | | `commit.rs` |
//! | 2 | Feldman commitments, proofs of knowledge, 32 fresh bytes | | `reveal.rs` |
//! | 3 | chain code contributions | sub-shares | `deal.rs` |
//! | 4 | echo of rounds 1 to 3 | | `echo.rs` |
//! | 5 | commitments of the OT setup | zero-sharing commitment | `ot_setup.rs` |
//! | 6 | proof of knowledge of the share | OT setup | `ot_finish.rs` |
//! | 7 | *done*: hash of the public keys, echo of rounds 4 to 6 | | `done.rs` |
//!
//! Rounds 2 and 3 are Pedersen's DKG with proofs of knowledge: FROST (Komlo, Goldberg; ePrint 2020/852),
//! figure 1, by `frost-core`, once a suite over its plain ciphersuite. Rounds 5 and 6 are phases 2 to 4 of
//! `dkls23-core`'s set-up of DKLs23 (Doerner, Kondi, Lee, shelat; ePrint 2023/765, protocol 3.6 with the
//! functionalities 3.4 and 3.5), run over the share that rounds 1 to 4 made.
//!
//! Deviations:
//! - Round 1 is added: with it nobody chooses a polynomial or a chain code after seeing another's.
//! - Round 4 is the broadcast channel that the paper assumes. It carries signatures, so that two versions
//!   of one broadcast convict their sender.
//! - Chain codes are hashes over everybody's committed contributions. They are for members only: public
//!   output has a commitment, and transcripts have hashes.
//! - The library's own first DKG phase is not used: its fragments come without Feldman commitments. It
//!   does not assume that phase, but leaves checks to its caller; `ot_setup.rs` lists them.
//! - The library draws its randomness itself, so a run is not reproducible from a seed.
//!
//! Sub-shares and OT messages are secret: carry envelopes over confidential channels only.

mod commit;
mod deal;
mod dkg;
mod done;
mod echo;
mod ot_finish;
mod ot_setup;
mod reveal;
pub(crate) mod rules;

pub mod messages;

use rand_core::CryptoRngCore;

use crate::channel::Channel;
use crate::committee::{Committee, PartyIndex};
use crate::envelope::{Envelope, ProtocolKind, SessionTag, SignedBody};
use crate::error::Error;
use crate::evidence::{EvidenceContext, Offence};
use crate::machine;
use crate::session::{KeygenOutput, KeygenParams, Started, Verdict, Why};
use crate::transcript::Transcript;

use messages::Body;
use rules::Unfit;

impl KeygenParams {
    /// The session's tag: what its envelopes are bound to and its evidence is judged by.
    #[must_use]
    pub fn tag(&self) -> SessionTag {
        self.context().tag(&self.committee)
    }

    /// What evidence from this session is judged by.
    #[must_use]
    pub const fn context(&self) -> EvidenceContext<'static> {
        EvidenceContext::Keygen {
            vault: self.vault,
            epoch: self.epoch,
            attempt: self.attempt,
        }
    }
}

/// The tag of an attempt at key generation, from what every member knows by itself.
pub(crate) fn tag(vault: &[u8; 32], epoch: u64, attempt: u32, committee: &Committee) -> SessionTag {
    let mut transcript = Transcript::new("quorate/threshold/keygen-session/v1");
    transcript.append(vault);
    transcript.append_u64(epoch);
    transcript.append_u64(u64::from(attempt));
    committee.append_to(&mut transcript);
    let session = transcript.finish();
    // The id covers all that the members must agree on, so there is nothing left to bind.
    SessionTag {
        kind: ProtocolKind::Keygen,
        suite: None,
        epoch,
        session,
        binding: session,
    }
}

/// What the OT setup's session id needs to know besides the transcript.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    vault: [u8; 32],
    epoch: u64,
    attempt: u32,
}

/// Starts a key generation.
pub(crate) fn start(
    params: KeygenParams,
    rng: &mut dyn CryptoRngCore,
) -> Result<Started<KeygenOutput>, Error> {
    let tag = params.tag();
    let KeygenParams {
        vault,
        epoch,
        attempt,
        committee,
        me,
        identity,
    } = params;
    let members: Vec<PartyIndex> = committee.indices().collect();
    let channel = Channel::new(tag, me, members, committee, identity)?;
    let (first, output) = commit::begin(
        &channel,
        Setup {
            vault,
            epoch,
            attempt,
        },
        rng,
    )?;
    Ok(machine::start(channel, Box::new(first), output))
}

/// The broadcast part of an envelope of a round that has one.
fn broadcast_of(envelope: &Envelope) -> Result<&SignedBody, Verdict> {
    envelope
        .broadcast
        .as_ref()
        .ok_or(Verdict::Ignored(Why::Malformed))
}

/// Decodes a broadcast; one that does not decode convicts its sender, unless it is of another version.
fn read<B: Body>(
    channel: &Channel,
    from: PartyIndex,
    round: u8,
    body: &SignedBody,
) -> Result<B, Verdict> {
    B::from_body(&body.body).map_err(|error| unfit(channel, from, round, body, error.into()))
}

/// The verdict on a broadcast: a broken rule has a name, another version is nobody's fault.
fn unfit(
    channel: &Channel,
    from: PartyIndex,
    round: u8,
    body: &SignedBody,
    unfit: Unfit,
) -> Verdict {
    match unfit {
        Unfit::Version(version) => Verdict::Ignored(Why::Version { version }),
        Unfit::Broken => bad_broadcast(channel, from, round, body),
    }
}

fn bad_broadcast(channel: &Channel, from: PartyIndex, round: u8, body: &SignedBody) -> Verdict {
    channel.named(
        from,
        Offence::BadBroadcast {
            round,
            body: body.clone(),
        },
    )
}

/// Wraps a failure that is nobody else's fault.
fn local(error: Error) -> Verdict {
    Verdict::Abort(Why::Local(error))
}
