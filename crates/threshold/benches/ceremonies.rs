//! What key generation and signing cost a member: CPU, bytes sent, rounds; and how that compares with a plain
//! signature of the same suite by one key and with `dkls23-core` called bare, all measured in the same run.
//!
//! `cargo bench -p quorate-threshold --bench ceremonies` (the development profile is the default for the numbers in
//! the docs: `cargo bench --profile dev ...`). Everything runs on one thread; CPU is that thread's.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark reads clocks and panics when something is wrong"
)]

mod bare;

use std::collections::{BTreeMap, VecDeque};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use k256::ecdsa::signature::hazmat::PrehashSigner;
use quorate_threshold::{
    ChildPath, Committee, Engine, EpochSecrets, KeygenOutput, KeygenParams, Message, MessageDigest,
    Outgoing, Parameters, PartyIndex, PublicKeys, RealEngine, Session, SignParams, Started,
    Subject,
};
use rand_core::OsRng;

/// (t, n) of each row.
const SIZES: [(u8, u8); 4] = [(2, 2), (2, 3), (3, 5), (5, 9)];
/// Signatures averaged over.
const SIGNATURES: u32 = 10;
const PLAIN_SIGNATURES: u32 = 2_000;
const DIGEST: [u8; 32] = [0x42; 32];

fn main() {
    // `cargo test --benches` runs a benchmark with `--test`: compiling it is the check.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let plain = plain_signature();
    let (taproot, ed25519) = (plain_taproot(), plain_ed25519());
    println!(
        "plain signatures: k256 ECDSA {:.3} ms, k256 BIP-340 {:.3} ms, ed25519-dalek {:.3} ms\n",
        ms(plain),
        ms(taproot),
        ms(ed25519)
    );
    println!(
        "| ceremony | t of n | CPU a party, ms | sent a party, bytes | rounds | x plain | x bare dkls23-core |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|");
    for (t, n) in SIZES {
        let (vault, keygen) = Vault::generate(t, n);
        let (bare_keygen, parties) = bare::keygen(t, n);
        row("keygen", t, n, &keygen, plain, Some(bare_keygen));
        let sign = vault.sign(t);
        let bare_sign = bare::sign(&parties, t, SIGNATURES);
        row("ECDSA sign", t, n, &sign, plain, Some(bare_sign));
        let subject = Subject::Taproot {
            digest: digest(),
            merkle_root: None,
        };
        let sign = vault.sign_schnorr(t, &subject);
        row("Taproot sign", t, n, &sign, taproot, None);
        let message = Message::derived_from_what_this_signer_decoded(DIGEST.to_vec()).unwrap();
        let sign = vault.sign_schnorr(t, &Subject::Ed25519(message));
        row("Ed25519 sign", t, n, &sign, ed25519, None);
    }
}

/// What one ceremony cost.
struct Cost {
    cpu_per_party: Duration,
    sent_per_party: usize,
    rounds: u8,
}

fn row(name: &str, t: u8, n: u8, cost: &Cost, plain: Duration, bare: Option<Duration>) {
    let cpu = cost.cpu_per_party.as_secs_f64();
    let bare = bare.map_or_else(
        || "-".to_owned(),
        |bare| format!("{:.2}", cpu / bare.as_secs_f64()),
    );
    println!(
        "| {name} | {t} of {n} | {:.2} | {} | {} | {:.0} | {bare} |",
        ms(cost.cpu_per_party),
        cost.sent_per_party,
        cost.rounds,
        cpu / plain.as_secs_f64(),
    );
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// CPU time of this thread (Linux), or wall time where that cannot be had.
pub(crate) fn cpu_now() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let elapsed = START.elapsed();
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or(elapsed, Duration::from_nanos)
}

fn digest() -> MessageDigest {
    MessageDigest::derived_from_what_this_signer_decoded(DIGEST)
}

/// What one run of `sign` costs, averaged.
fn averaged<T>(mut sign: impl FnMut() -> T) -> Duration {
    let start = cpu_now();
    for _ in 0..PLAIN_SIGNATURES {
        black_box(sign());
    }
    (cpu_now() - start) / PLAIN_SIGNATURES
}

fn plain_signature() -> Duration {
    let key = k256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    averaged(|| -> k256::ecdsa::Signature { key.sign_prehash(black_box(&DIGEST)).unwrap() })
}

fn plain_taproot() -> Duration {
    let key = k256::schnorr::SigningKey::from_bytes(&[7; 32]).unwrap();
    averaged(|| key.sign_raw(black_box(&DIGEST), &[9; 32]).unwrap())
}

fn plain_ed25519() -> Duration {
    let key = SigningKey::from_bytes(&[7; 32]);
    averaged(|| ed25519_dalek::Signer::sign(&key, black_box(&DIGEST)))
}

fn identity(index: PartyIndex) -> Arc<SigningKey> {
    Arc::new(SigningKey::from_bytes(&[index.get(); 32]))
}

struct Vault {
    committee: Committee,
    public: PublicKeys,
    secrets: BTreeMap<PartyIndex, EpochSecrets>,
}

impl Vault {
    fn generate(t: u8, n: u8) -> (Self, Cost) {
        let parameters = Parameters::new(t, n).unwrap();
        let keys = parameters
            .indices()
            .map(|index| identity(index).verifying_key())
            .collect();
        let committee = Committee::new(parameters, keys).unwrap();
        let (outputs, cost) = run(parameters.indices().collect(), |me| {
            let params = KeygenParams {
                vault: [7; 32],
                epoch: 1,
                attempt: 0,
                committee: committee.clone(),
                me,
                identity: identity(me),
            };
            RealEngine.keygen(params, &mut OsRng).unwrap()
        });
        let mut public = None;
        let mut secrets = BTreeMap::new();
        for (index, output) in outputs {
            let KeygenOutput {
                public: keys,
                secrets: own,
            } = output;
            public = Some(keys);
            secrets.insert(index, own);
        }
        (
            Self {
                committee,
                public: public.unwrap(),
                secrets,
            },
            cost,
        )
    }

    fn sign(&self, t: u8) -> Cost {
        self.average(
            t,
            |vault, params| {
                let secrets = &vault.secrets[&params.me];
                RealEngine.sign_ecdsa(params, secrets, &mut OsRng).unwrap()
            },
            &Subject::Ecdsa(digest()),
        )
    }

    fn sign_schnorr(&self, t: u8, subject: &Subject) -> Cost {
        self.average(
            t,
            |vault, params| {
                let secrets = &vault.secrets[&params.me];
                RealEngine
                    .sign_schnorr(params, secrets, &mut OsRng)
                    .unwrap()
            },
            subject,
        )
    }

    /// A signature by the first `t` members, over and over.
    fn average<T>(
        &self,
        t: u8,
        start: impl Fn(&Self, SignParams) -> Started<T>,
        subject: &Subject,
    ) -> Cost {
        let quorum: Vec<PartyIndex> = (1..=t).map(|i| PartyIndex::new(i).unwrap()).collect();
        let mut total = Cost {
            cpu_per_party: Duration::ZERO,
            sent_per_party: 0,
            rounds: 0,
        };
        for session in 0..SIGNATURES {
            let (signatures, cost) = run(quorum.clone(), |me| {
                let params = SignParams {
                    session: [u8::try_from(session).unwrap(); 32],
                    vault: [7; 32],
                    epoch: 1,
                    committee: self.committee.clone(),
                    quorum: quorum.clone(),
                    me,
                    path: ChildPath::ROOT,
                    key: *self.public.group_key(subject.suite()),
                    subject: subject.clone(),
                    public: self.public.clone(),
                    identity: identity(me),
                };
                start(self, params)
            });
            assert_eq!(signatures.len(), quorum.len());
            total.cpu_per_party += cost.cpu_per_party / SIGNATURES;
            total.sent_per_party = cost.sent_per_party;
            total.rounds = cost.rounds;
        }
        total
    }
}

/// Runs a ceremony to its end on this thread.
fn run<T>(
    members: Vec<PartyIndex>,
    mut start: impl FnMut(PartyIndex) -> Started<T>,
) -> (Vec<(PartyIndex, T)>, Cost) {
    let parties = u32::try_from(members.len()).unwrap();
    let begin = cpu_now();
    let mut queue: VecDeque<(PartyIndex, Outgoing)> = VecDeque::new();
    let mut sessions: BTreeMap<PartyIndex, Box<dyn Session<T>>> = BTreeMap::new();
    for me in members {
        let started = start(me);
        queue.extend(started.send.into_iter().map(|out| (me, out)));
        sessions.insert(me, started.session);
    }
    let (mut done, mut sent, mut rounds) = (vec![], 0, 0);
    while let Some((from, out)) = queue.pop_front() {
        sent += out.bytes.len();
        let session = sessions.get_mut(&out.to).unwrap();
        rounds = rounds.max(session.round());
        let step = session.receive(from, &out.bytes, &mut OsRng).unwrap();
        queue.extend(step.send.into_iter().map(|next| (out.to, next)));
        done.extend(step.done.map(|result| (out.to, result)));
    }
    let cpu_per_party = (cpu_now() - begin) / parties;
    let cost = Cost {
        cpu_per_party,
        sent_per_party: sent / parties as usize,
        rounds,
    };
    (done, cost)
}
