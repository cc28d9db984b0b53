//! Several members in one process, and a network between them that a test can hold by the throat.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use frost_core::Ciphersuite;
use frost_core::keys::{IdentifierList, SecretShare, generate_with_dealer};
use quorate_threshold::envelope::Envelope;
use quorate_threshold::{
    Charge, ChildPath, Committee, Engine, EpochSecrets, Evidence, EvidenceContext, EvidenceError,
    KeyShare, KeygenOutput, KeygenParams, MessageDigest, Offence, Parameters, PartyIndex, Point,
    PublicKeys, RawKeyShare, RealEngine, Session, SignContext, SignParams, Started, Subject, Suite,
    Verdict, Why, verify_evidence,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) const VAULT: [u8; 32] = [7; 32];

pub(crate) fn index(i: u8) -> PartyIndex {
    PartyIndex::new(i).unwrap()
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// Identity keys of a test committee; anything but secret.
pub(crate) fn identity(i: u8) -> Arc<SigningKey> {
    Arc::new(SigningKey::from_bytes(&[i; 32]))
}

pub(crate) fn committee(t: u8, n: u8) -> Committee {
    let keys = (1..=n).map(|i| identity(i).verifying_key()).collect();
    Committee::new(Parameters::new(t, n).unwrap(), keys).unwrap()
}

/// A message under way.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) from: PartyIndex,
    pub(crate) to: PartyIndex,
    pub(crate) bytes: Vec<u8>,
}

impl Mail {
    pub(crate) fn open(&self) -> Envelope {
        Envelope::from_bytes(&self.bytes).unwrap()
    }

    /// The same message with another content, signed by its sender.
    pub(crate) fn resealed(&self, change: impl FnOnce(&mut Envelope)) -> Self {
        let mut envelope = self.open();
        change(&mut envelope);
        let key = identity(self.from.get());
        let Envelope {
            header,
            broadcast,
            direct,
            ..
        } = envelope;
        Self {
            bytes: Envelope::seal(header, broadcast, direct, &key)
                .to_bytes()
                .to_vec(),
            ..self.clone()
        }
    }
}

/// How one member's session ended.
pub(crate) struct Outcome<T> {
    pub(crate) done: Option<T>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) ignored: Vec<Why>,
    pub(crate) waiting_for: Vec<PartyIndex>,
    pub(crate) rounds: u8,
}

pub(crate) type Outcomes<T> = BTreeMap<PartyIndex, Outcome<T>>;

/// Runs sessions until no message is under way. `network` gets each message and says what arrives instead.
pub(crate) fn run<T>(
    started: BTreeMap<PartyIndex, Started<T>>,
    rng: &mut ChaCha20Rng,
    mut network: impl FnMut(Mail) -> Vec<Mail>,
) -> Outcomes<T> {
    let mut queue = VecDeque::new();
    let mut sessions: BTreeMap<PartyIndex, Box<dyn Session<T>>> = BTreeMap::new();
    let mut outcomes: Outcomes<T> = BTreeMap::new();
    for (from, started) in started {
        for out in started.send {
            queue.push_back(Mail {
                from,
                to: out.to,
                bytes: out.bytes.to_vec(),
            });
        }
        let empty = Outcome {
            done: None,
            verdict: None,
            ignored: vec![],
            waiting_for: vec![],
            rounds: 0,
        };
        outcomes.insert(from, empty);
        sessions.insert(from, started.session);
    }
    while let Some(sent) = queue.pop_front() {
        for mail in network(sent) {
            let Some(session) = sessions.get_mut(&mail.to) else {
                continue;
            };
            let outcome = outcomes.get_mut(&mail.to).unwrap();
            outcome.rounds = outcome.rounds.max(session.round());
            match session.receive(mail.from, &mail.bytes, rng) {
                Ok(step) => {
                    assert!(outcome.verdict.is_none(), "one verdict a session");
                    outcome.verdict = step.verdict;
                    queue.extend(step.send.into_iter().map(|out| Mail {
                        from: mail.to,
                        to: out.to,
                        bytes: out.bytes.to_vec(),
                    }));
                    if step.done.is_some() {
                        assert!(outcome.done.is_none());
                        outcome.done = step.done;
                    }
                }
                Err(Verdict::Ignored(why)) => outcome.ignored.push(why),
                Err(verdict) => {
                    assert!(outcome.verdict.is_none(), "one verdict a session");
                    outcome.verdict = Some(verdict);
                }
            }
            outcome.waiting_for = session.waiting_for();
        }
    }
    outcomes
}

/// An honest network.
pub(crate) fn faithful(mail: Mail) -> Vec<Mail> {
    vec![mail]
}

pub(crate) fn keygen_params(committee: &Committee, me: PartyIndex) -> KeygenParams {
    let committee = committee.clone();
    KeygenParams {
        vault: VAULT,
        epoch: 1,
        attempt: 0,
        committee,
        me,
        identity: identity(me.get()),
    }
}

pub(crate) fn start_keygen(
    t: u8,
    n: u8,
    rng: &mut ChaCha20Rng,
) -> BTreeMap<PartyIndex, Started<KeygenOutput>> {
    let committee = committee(t, n);
    committee
        .indices()
        .map(|me| {
            (
                me,
                RealEngine
                    .keygen(keygen_params(&committee, me), rng)
                    .unwrap(),
            )
        })
        .collect()
}

/// A vault whose key generation went well.
pub(crate) struct Vault {
    pub(crate) committee: Committee,
    pub(crate) public: PublicKeys,
    pub(crate) secrets: BTreeMap<PartyIndex, EpochSecrets>,
}

impl Vault {
    pub(crate) fn generate(t: u8, n: u8) -> Self {
        let mut rng = rng(u64::from(t) << 8 | u64::from(n));
        let outcomes = run(start_keygen(t, n, &mut rng), &mut rng, faithful);
        let mut public = None;
        let mut secrets = BTreeMap::new();
        for (index, outcome) in outcomes {
            assert!(
                outcome.verdict.is_none() && outcome.ignored.is_empty(),
                "{:?}",
                outcome.verdict
            );
            let output = outcome.done.expect("keygen ends");
            assert_eq!(
                *public.get_or_insert_with(|| output.public.clone()),
                output.public
            );
            secrets.insert(index, output.secrets);
        }
        Self {
            committee: committee(t, n),
            public: public.unwrap(),
            secrets,
        }
    }

    /// A vault whose shares a dealer made, without OT state: cheap, for everything but ECDSA.
    pub(crate) fn dealt(t: u8, n: u8) -> Self {
        let mut rng = rng(u64::from(t) << 8 | u64::from(n));
        let ed =
            dealt::<frost_ed25519::Ed25519Sha512>(Suite::EddsaEd25519, &committee(t, n), &mut rng);
        Self::with_ed25519(t, n, ed)
    }

    /// A 2-of-3 vault with these shares of this Ed25519 key.
    pub(crate) fn dealt_with_ed25519(key: &[u8], secrets: [[u8; 32]; 3]) -> Self {
        let point = |secret: &[u8; 32]| Point::of_secret(Suite::EddsaEd25519, secret).unwrap();
        let verification_shares: Vec<Point> = secrets.iter().map(point).collect();
        let share = |(secret, i): ([u8; 32], u8)| {
            let raw = RawKeyShare {
                suite: Suite::EddsaEd25519,
                epoch: 1,
                index: index(i),
                parameters: Parameters::new(2, 3).unwrap(),
                group_key: Point::decode(Suite::EddsaEd25519, key).unwrap(),
                verification_shares: verification_shares.clone(),
                chain_code: [9; 32],
                secret,
            };
            KeyShare::from_raw_parts_holding_a_secret(&raw).unwrap()
        };
        Self::with_ed25519(2, 3, secrets.into_iter().zip(1..).map(share).collect())
    }

    fn with_ed25519(t: u8, n: u8, ed: Vec<KeyShare>) -> Self {
        let mut rng = rng(u64::from(t) << 8 | u64::from(n));
        let committee = committee(t, n);
        let secp = [Suite::EcdsaSecp256k1, Suite::SchnorrSecp256k1]
            .map(|suite| dealt::<frost_secp256k1::Secp256K1Sha256>(suite, &committee, &mut rng));
        let [mut ecdsa, mut schnorr] = secp.map(Vec::into_iter);
        let mut public = None;
        let mut secrets = BTreeMap::new();
        for (index, eddsa) in committee.indices().zip(ed) {
            let shares = [ecdsa.next().unwrap(), schnorr.next().unwrap(), eddsa];
            let seen = PublicKeys::from_shares(&shares, &committee, [3; 32]).unwrap();
            public = Some(seen);
            secrets.insert(index, EpochSecrets::new(shares, None).unwrap());
        }
        Self {
            committee,
            public: public.unwrap(),
            secrets,
        }
    }

    pub(crate) fn sign_params(&self, session: u8, quorum: &[u8], me: PartyIndex) -> SignParams {
        SignParams {
            session: [session; 32],
            vault: VAULT,
            epoch: self.public.epoch(),
            committee: self.committee.clone(),
            quorum: quorum.iter().map(|&i| index(i)).collect(),
            me,
            path: ChildPath::ROOT,
            key: *self.public.group_key(Suite::EcdsaSecp256k1),
            subject: Subject::Ecdsa(digest()),
            public: self.public.clone(),
            identity: identity(me.get()),
        }
    }

    pub(crate) fn start_sign(
        &self,
        session: u8,
        quorum: &[u8],
    ) -> BTreeMap<PartyIndex, Started<quorate_threshold::EcdsaSignature>> {
        let mut rng = rng(9);
        quorum
            .iter()
            .map(|&i| {
                let me = index(i);
                let params = self.sign_params(session, quorum, me);
                (
                    me,
                    RealEngine
                        .sign_ecdsa(params, &self.secrets[&me], &mut rng)
                        .unwrap(),
                )
            })
            .collect()
    }
}

/// One suite's shares of a fresh key.
fn dealt<C: Ciphersuite>(
    suite: Suite,
    committee: &Committee,
    rng: &mut ChaCha20Rng,
) -> Vec<KeyShare> {
    let parameters = committee.parameters();
    let (n, t) = (
        u16::from(parameters.parties()),
        u16::from(parameters.threshold().get()),
    );
    let (shares, public) =
        generate_with_dealer::<C, _>(n, t, IdentifierList::Default, rng).unwrap();
    let point = |bytes: Vec<u8>| Point::decode(suite, &bytes).unwrap();
    let verification_shares: Vec<Point> = public
        .verifying_shares()
        .values()
        .map(|share| point(share.serialize().unwrap()))
        .collect();
    let group_key = point(public.verifying_key().serialize().unwrap());
    let share = |(index, share): (PartyIndex, &SecretShare<C>)| {
        let raw = RawKeyShare {
            suite,
            epoch: 1,
            index,
            parameters,
            group_key,
            verification_shares: verification_shares.clone(),
            chain_code: [9; 32],
            secret: share.signing_share().serialize().try_into().unwrap(),
        };
        KeyShare::from_raw_parts_holding_a_secret(&raw).unwrap()
    };
    committee
        .indices()
        .zip(shares.values())
        .map(share)
        .collect()
}

pub(crate) fn digest() -> MessageDigest {
    MessageDigest::derived_from_what_this_signer_decoded([0x42; 32])
}

/// The committed 2-of-3 vault, made by `examples/keygen.rs`. Test keys: worth nothing.
impl Vault {
    pub(crate) fn fixture() -> Self {
        const PUBLIC: &[u8] = include_bytes!("../fixtures/2of3/public.bin");
        let secrets = (1..=3)
            .map(|i| {
                (
                    index(i),
                    EpochSecrets::from_bytes(fixture_secrets(i)).unwrap(),
                )
            })
            .collect();
        let public = PublicKeys::from_bytes(PUBLIC).unwrap();
        Self {
            committee: committee(2, 3),
            public,
            secrets,
        }
    }
}

/// The bytes of one fixture member's secrets.
pub(crate) fn fixture_secrets(i: u8) -> &'static [u8] {
    const SECRETS: [&[u8]; 3] = [
        include_bytes!("../fixtures/2of3/secrets-1.bin"),
        include_bytes!("../fixtures/2of3/secrets-2.bin"),
        include_bytes!("../fixtures/2of3/secrets-3.bin"),
    ];
    SECRETS[usize::from(i) - 1]
}

/// A named fault, after a third party with nothing but what it knows of the session itself has convicted.
pub(crate) fn convict(
    verdict: Option<Verdict>,
    committee: &Committee,
    context: &EvidenceContext<'_>,
) -> (PartyIndex, Offence) {
    let Some(Verdict::NamedFault { culprit, evidence }) = verdict else {
        panic!("no named fault but {verdict:?}")
    };
    let received = Evidence::from_bytes(&evidence.to_bytes()).unwrap();
    assert_eq!(received, evidence);
    assert_eq!(verify_evidence(&received, committee, context), Ok(culprit));
    // The same papers convict nobody else, and nobody of another session.
    for other in committee.indices().filter(|&other| other != culprit) {
        let framed = Charge {
            culprit: other,
            ..received.charge().clone()
        }
        .into();
        assert!(
            verify_evidence(&framed, committee, context).is_err(),
            "{other} framed"
        );
    }
    let elsewhere = match *context {
        EvidenceContext::Keygen { epoch, attempt, .. } => EvidenceContext::Keygen {
            vault: [0xee; 32],
            epoch,
            attempt,
        },
        EvidenceContext::Sign(sign) => EvidenceContext::Sign(SignContext {
            session: [0xee; 32],
            ..sign
        }),
    };
    let error = Err(EvidenceError::OtherSession);
    assert_eq!(verify_evidence(&received, committee, &elsewhere), error);
    let moved = Charge {
        tag: elsewhere.tag(committee),
        ..received.charge().clone()
    }
    .into();
    assert!(
        verify_evidence(&moved, committee, &elsewhere).is_err(),
        "moved to another session"
    );
    (culprit, received.charge().offence.clone())
}

/// Changes a message of the library inside an envelope.
pub(crate) fn change_direct<T: Serialize + DeserializeOwned>(
    mail: &Mail,
    change: impl FnOnce(&mut T),
) -> Mail {
    mail.resealed(|envelope| {
        let mut message: T = postcard::from_bytes(&envelope.direct[1..]).unwrap();
        change(&mut message);
        *envelope.direct = [vec![1], postcard::to_allocvec(&message).unwrap()].concat();
    })
}

pub(crate) fn from_to_round(mail: &Mail) -> (u8, u8, u8) {
    (mail.from.get(), mail.to.get(), mail.open().header.round)
}
