//! A failed OT check, the ban it ends in, and a power cut between the two.

use std::sync::Arc;

use quorate_sim::stub::{Misdeed, StubEngine};
use quorate_threshold::envelope::Envelope;
use quorate_threshold::{
    ChildPath, EcdsaSignature, Engine, EpochSecrets, Error, KeygenOutput, KeygenParams,
    MessageDigest, Outgoing, PartyIndex, RealEngine, SchnorrSignature, SignParams, Started,
    Subject, Suite,
};
use quorate_vault::entry::{Entry, Logged};
use quorate_vault::{PartyId, RequestId};
use rand_core::CryptoRngCore;

use crate::cluster::Cluster;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// The real protocols, but that the first message of a signature has a flipped bit in its OT extension.
struct Cheat;

impl Engine for Cheat {
    fn keygen(
        &self,
        params: KeygenParams,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<KeygenOutput>, Error> {
        RealEngine.keygen(params, rng)
    }

    fn sign_ecdsa(
        &self,
        params: SignParams,
        secrets: &EpochSecrets,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<EcdsaSignature>, Error> {
        let identity = params.identity.clone();
        let mut started = RealEngine.sign_ecdsa(params, secrets, rng)?;
        let send = started.send.drain(..).map(|out| flipped(out, &identity));
        started.send = send.collect();
        Ok(started)
    }

    fn sign_schnorr(
        &self,
        params: SignParams,
        secrets: &EpochSecrets,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<SchnorrSignature>, Error> {
        RealEngine.sign_schnorr(params, secrets, rng)
    }
}

/// The message with a bit flipped in its middle, which is the matrix of the OT extension, and signed again.
fn flipped(out: Outgoing, identity: &ed25519_dalek::SigningKey) -> Outgoing {
    let Envelope {
        header,
        broadcast,
        mut direct,
        ..
    } = Envelope::from_bytes(&out.bytes).unwrap();
    let middle = direct.len() / 2;
    direct[middle] ^= 1;
    let bytes = Envelope::seal(header, broadcast, direct, identity).to_bytes();
    Outgoing { to: out.to, bytes }
}

fn approved(cluster: &mut Cluster, by: &[usize]) -> RequestId {
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, by);
    by.iter().for_each(|i| cluster.approve(*i, id));
    id
}

/// How many sessions with `other` a member has entered.
fn entered(cluster: &Cluster, i: usize, other: PartyId) -> usize {
    let disk = cluster.nodes[i].disk.borrow();
    let with_other = |bytes: &Vec<u8>| match Logged::decode(bytes).unwrap().entry {
        Entry::SessionRecord(record) => record.quorum.contains(&other),
        _ => false,
    };
    disk.own.iter().filter(|bytes| with_other(bytes)).count()
}

fn distrusts(cluster: &Cluster, i: usize, other: PartyId) -> bool {
    let presence = cluster.vault(i).presence();
    presence
        .iter()
        .any(|peer| peer.party == other && peer.distrusted.is_some())
}

/// Threat (Lit and Silence audits): an attacker that can also cut its victim's power has the ban forgotten each time, and
/// reads out the victim's OT state one failed check after the other. It gets eight, whatever else happens.
#[test]
fn checks_that_fail_right_before_a_power_cut_are_bounded() {
    const BOUND: usize = 8;
    let engines = vec![
        StubEngine::default(),
        StubEngine::misbehaving(Misdeed::FailsOtCheck),
        StubEngine::default(),
    ];
    let mut cluster = Cluster::with_engines(2, engines);
    cluster.found();
    let bob = cluster.party(BOB);
    cluster.switch_off(CAROL);
    let id = approved(&mut cluster, &[BOB, ALICE]);
    let alice = cluster.nodes[ALICE].disk.clone();
    for n in 1..=BOUND {
        alice.borrow_mut().dies_with = Some(("ban/", false));
        cluster.until("alice dies", |c| c.nodes[ALICE].driver.is_none());
        cluster.until("alice is back", |c| c.nodes[ALICE].driver.is_some());
        assert_eq!(distrusts(&cluster, ALICE, bob), n == BOUND);
    }
    let before = entered(&cluster, ALICE, bob);
    cluster.run(120_000);
    assert_eq!(entered(&cluster, ALICE, bob), before);
    assert!(alice.borrow().notes.keys().all(|n| !n.starts_with("ban/")));
    // Nobody else pays for it.
    cluster.start(CAROL);
    cluster.arrived(id, &[CAROL]);
    cluster.approve(CAROL, id);
    cluster.mined(id, &[ALICE, CAROL]);
}

/// Threat: a thief of the disk finds OT state that failed checks have told the culprit about; or the ban is on disk
/// and the state is not gone, or the other way round.
#[test]
fn a_ban_and_the_secrets_without_the_pairs_state_are_one_commit() {
    for kept in [false, true] {
        let mut cluster = Cluster::new(2, 3);
        for i in 0..3 {
            cluster.nodes[i].engine = Arc::new(RealEngine);
        }
        cluster.nodes[BOB].engine = Arc::new(Cheat);
        (0..3).for_each(|i| cluster.restart(i));
        cluster.found();
        let bob = cluster.party(BOB);
        cluster.switch_off(CAROL);
        let alice = cluster.nodes[ALICE].disk.clone();
        let sealed = |name: &str| alice.borrow().secrets[name].len();
        let names: Vec<String> = alice.borrow().secrets.keys().cloned().collect();
        let [name] = names.as_slice() else {
            panic!("{names:?}")
        };
        let before = sealed(name);
        alice.borrow_mut().dies_with = Some(("ban/", kept));
        let id = approved(&mut cluster, &[BOB, ALICE]);
        cluster.until("alice dies", |c| c.nodes[ALICE].driver.is_none());
        let banned = alice.borrow().notes.contains_key(&format!("ban/{bob}"));
        assert_eq!(banned, kept);
        assert_eq!(sealed(name) < before * 6 / 10, kept, "half of it is bob's");
        // Whichever side of the commit the power went: in the end it is gone, and the others pay.
        cluster.until("the ban is durable", |c| {
            c.nodes[ALICE].driver.is_some()
                && alice.borrow().notes.contains_key(&format!("ban/{bob}"))
        });
        assert!(sealed(name) < before * 6 / 10);
        let secrets = EpochSecrets::from_bytes(&alice.borrow().secrets[name]).unwrap();
        cluster.start(CAROL);
        cluster.arrived(id, &[CAROL]);
        cluster.approve(CAROL, id);
        cluster.mined(id, &[ALICE, CAROL]);
        let params = signing_with_bob(&cluster);
        let refused = RealEngine.sign_ecdsa(params, &secrets, &mut rand_core::OsRng);
        let bob = PartyIndex::new(2).unwrap();
        assert_eq!(refused.unwrap_err(), Error::Banned { index: bob });
    }
}

/// A signature by alice and bob, as alice would start it.
fn signing_with_bob(cluster: &Cluster) -> SignParams {
    let quorate_vault::fold::Act0::Active { public, .. } = cluster.vault(ALICE).state().act0()
    else {
        panic!("no keys")
    };
    let index = |i| PartyIndex::new(i).unwrap();
    SignParams {
        session: [1; 32],
        vault: cluster.charter.vault_id().0,
        epoch: 1,
        committee: cluster.charter.committee().unwrap(),
        quorum: vec![index(1), index(2)],
        me: index(1),
        path: ChildPath::ROOT,
        key: *public.group_key(Suite::EcdsaSecp256k1),
        subject: Subject::Ecdsa(MessageDigest::derived_from_what_this_signer_decoded(
            [1; 32],
        )),
        public,
        identity: cluster.nodes[ALICE].identity.clone(),
    }
}
