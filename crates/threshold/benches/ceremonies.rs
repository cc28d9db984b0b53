//! What key generation and ECDSA signing cost a member: CPU, bytes sent, rounds; and how that compares with a
//! plain `k256` signature and with `dkls23-core` called bare, all measured in the same run.
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
    ChildPath, Committee, EcdsaSignature, Engine, EpochSecrets, KeygenOutput, KeygenParams,
    MessageDigest, Outgoing, Parameters, PartyIndex, PublicKeys, RealEngine, Session, SignParams,
    Started, Subject, Suite,
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
    println!("plain k256 signature: {:.3} ms\n", ms(plain));
    println!(
        "| ceremony | t of n | CPU a party, ms | sent a party, bytes | rounds | x plain k256 | x bare dkls23-core |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|");
    for (t, n) in SIZES {
        let (vault, keygen) = Vault::generate(t, n);
        let (bare_keygen, parties) = bare::keygen(t, n);
        row("keygen", t, n, &keygen, plain, bare_keygen);
        let sign = vault.sign(t);
        row(
            "ECDSA sign",
            t,
            n,
            &sign,
            plain,
            bare::sign(&parties, t, SIGNATURES),
        );
    }
}

/// What one ceremony cost.
struct Cost {
    cpu_per_party: Duration,
    sent_per_party: usize,
    rounds: u8,
}

fn row(name: &str, t: u8, n: u8, cost: &Cost, plain: Duration, bare: Duration) {
    let cpu = cost.cpu_per_party.as_secs_f64();
    println!(
        "| {name} | {t} of {n} | {:.1} | {} | {} | {:.0} | {:.2} |",
        ms(cost.cpu_per_party),
        cost.sent_per_party,
        cost.rounds,
        cpu / plain.as_secs_f64(),
        cpu / bare.as_secs_f64(),
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

fn plain_signature() -> Duration {
    let key = k256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let start = cpu_now();
    for _ in 0..PLAIN_SIGNATURES {
        let signature: k256::ecdsa::Signature = key.sign_prehash(black_box(&DIGEST)).unwrap();
        black_box(signature);
    }
    (cpu_now() - start) / PLAIN_SIGNATURES
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
        let quorum: Vec<PartyIndex> = (1..=t).map(|i| PartyIndex::new(i).unwrap()).collect();
        let mut total = Cost {
            cpu_per_party: Duration::ZERO,
            sent_per_party: 0,
            rounds: 0,
        };
        for session in 0..SIGNATURES {
            let (signatures, cost): (Vec<(PartyIndex, EcdsaSignature)>, Cost) =
                run(quorum.clone(), |me| {
                    let params = SignParams {
                        session: [u8::try_from(session).unwrap(); 32],
                        vault: [7; 32],
                        epoch: 1,
                        committee: self.committee.clone(),
                        quorum: quorum.clone(),
                        me,
                        path: ChildPath::ROOT,
                        key: *self.public.group_key(Suite::EcdsaSecp256k1),
                        subject: Subject::Ecdsa(
                            MessageDigest::derived_from_what_this_signer_decoded(DIGEST),
                        ),
                        public: self.public.clone(),
                        identity: identity(me),
                    };
                    RealEngine
                        .sign_ecdsa(params, &self.secrets[&me], &mut OsRng)
                        .unwrap()
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
