//! Schnorr signing by exactly `t` members in two rounds: BIP-340 with the Taproot tweak, and Ed25519.
//!
//! FROST (Komlo, Goldberg; ePrint 2020/852) as RFC 9591 specifies it, with `frost-core`:
//!
//! | round | broadcast | RFC 9591 | file |
//! |---|---|---|---|
//! | 1 | commitments to two nonces | 5.1 | `nonces.rs` |
//! | 2 | echo of round 1, signature share | 5.2, then 5.3 and 5.4 at the end | `shares.rs` |
//!
//! Everything a signature is about stands in the tag of every envelope from round one (`params.rs`): suite, path, key,
//! message, script root, members in order. A nonce is drawn for one session, lives in its state, is moved into the one
//! share it makes and is gone; none is made ahead of a session, and no session state can be stored.
//!
//! Deviations from RFC 9591:
//! - No coordinator: every member is one, and checks the aggregate with other code before it lets it go.
//! - Round 2 repeats the signed hashes of round 1. A member that said different things to different members is named by
//!   its own signatures, and nobody's share can look wrong because others heard something else.
//! - `frost-secp256k1-tr` supplies BIP-340's and BIP-341's rules (even `R` and key, tagged hashes, tweak); the key was
//!   made without them, by the untweaked keygen, so that no tweak is in the shares.

mod nonces;
mod shares;
mod suite;

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::codec::Format;
use crate::committee::{Committee, PartyIndex};
use crate::echo;
use crate::envelope::{SessionTag, SignedBody, SignedHash};
use crate::error::Error;
use crate::machine;
use crate::params::SignContext;
use crate::point::Point;
use crate::schnorr::SchnorrSignature;
use crate::secrets::EpochSecrets;
use crate::session::{SignParams, Started};
use crate::subject::Subject;

use self::suite::Job;

/// Largest body: round 2 with the hashes and signatures of sixteen members, some 1.7 kB.
const MAX_BODY_BYTES: usize = 4 * 1024;

const FORMAT: Format = Format {
    what: "FROST message",
    version: 1,
    limit: MAX_BODY_BYTES,
};

/// The rounds that round 2 echoes.
const ECHOES: std::ops::RangeInclusive<u8> = 1..=1;

/// Round 1: commitments to the hiding and the binding nonce.
#[derive(Serialize, Deserialize)]
pub(crate) struct Round1Broadcast {
    hiding: Point,
    binding: Point,
}

/// Round 2: what was heard in round 1, one entry a signer in order, and the share of the response.
#[derive(Serialize, Deserialize)]
pub(crate) struct Round2Broadcast {
    heard: Vec<SignedHash>,
    #[serde(with = "serde_bytes")]
    share: [u8; 32],
}

/// Starts a signature; the caller has made this attempt durable before.
pub(crate) fn start(
    params: SignParams,
    secrets: &EpochSecrets,
    rng: &mut dyn rand_core::CryptoRngCore,
) -> Result<Started<SchnorrSignature>, Error> {
    let share = params.check(secrets)?;
    let tag = params.tag();
    let SignParams {
        me,
        quorum,
        committee,
        identity,
        key,
        subject,
        ..
    } = params;
    let channel = Channel::new(tag, me, quorum, committee, identity)?;
    match &subject {
        Subject::Ecdsa(_) => Err(Error::WrongSecrets { what: "suite" }),
        Subject::Taproot { .. } => begin(
            channel,
            Job::<frost_secp256k1_tr::Secp256K1Sha256TR>::new(&share, key, subject)?,
            rng,
        ),
        Subject::Ed25519(_) => begin(
            channel,
            Job::<frost_ed25519::Ed25519Sha512>::new(&share, key, subject)?,
            rng,
        ),
    }
}

fn begin<C: suite::FrostSuite>(
    channel: Channel,
    job: Job<C>,
    rng: &mut dyn rand_core::CryptoRngCore,
) -> Result<Started<SchnorrSignature>, Error> {
    let (first, output) = nonces::begin(job, rng)?;
    Ok(machine::start(channel, Box::new(first), output))
}

/// Whether a broadcast of `round` breaks a rule that it alone decides.
pub(crate) fn broadcast_is_bad(
    tag: &SessionTag,
    committee: &Committee,
    quorum: &[PartyIndex],
    round: u8,
    body: &[u8],
) -> bool {
    let broken = |error: &Error| !matches!(error, Error::Version { .. });
    match round {
        1 => FORMAT.decode::<Round1Broadcast>(body).map_or_else(
            |error| broken(&error),
            |said| {
                Some(said.hiding.suite()) != tag.suite || Some(said.binding.suite()) != tag.suite
            },
        ),
        2 => match FORMAT.decode::<Round2Broadcast>(body) {
            Err(error) => broken(&error),
            Ok(said) => {
                let no_scalar = tag
                    .suite
                    .is_some_and(|suite| suite::is_no_scalar(suite, &said.share));
                no_scalar || echo::read(tag, committee, quorum, ECHOES, &said.heard).is_none()
            }
        },
        _ => false,
    }
}

/// Whether `share` is not the share that its author owed: its author itself repeats, under its signature, the hashes of
/// exactly these commitments, and under them the share does not verify (RFC 9591, section 5.4).
pub(crate) fn share_is_bad(
    context: &SignContext<'_>,
    committee: &Committee,
    culprit: PartyIndex,
    commitments: &[SignedBody],
    share: &SignedBody,
) -> bool {
    let tag = context.tag(committee);
    let Ok(said) = FORMAT.decode::<Round2Broadcast>(&share.body) else {
        return false;
    };
    // By hash: an author can sign one hash in many ways, and the culprit's own signature is over all of `heard`.
    let hashes = commitments.iter().map(|body| body.signed_hash().hash);
    let same = hashes.eq(said.heard.iter().map(|entry| entry.hash))
        && echo::read(&tag, committee, context.quorum, ECHOES, &said.heard).is_some();
    same && match context.subject {
        Subject::Ecdsa(_) => false,
        Subject::Taproot { .. } => suite::share_fails::<frost_secp256k1_tr::Secp256K1Sha256TR>(
            context,
            culprit,
            commitments,
            &said.share,
        ),
        Subject::Ed25519(_) => suite::share_fails::<frost_ed25519::Ed25519Sha512>(
            context,
            culprit,
            commitments,
            &said.share,
        ),
    }
}
