//! `dkls23-core` called bare: its own key generation and signing, messages handed over in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use dkls23_core::protocols::signing::SignData;
use dkls23_core::protocols::{Parameters, Party, PartyIndex};
use dkls23_core::{DkgSession, SignSession};
use k256_dkls::Secp256k1;

use super::{DIGEST, cpu_now};

fn index(i: usize) -> PartyIndex {
    PartyIndex::new(u8::try_from(i).unwrap()).unwrap()
}

/// CPU a party, and the parties.
pub(crate) fn keygen(t: u8, n: u8) -> (Duration, Vec<Party<Secp256k1>>) {
    let begin = cpu_now();
    let members = usize::from(n);
    let mut sessions: Vec<DkgSession<Secp256k1>> = (1..=members)
        .map(|i| DkgSession::new(Parameters::new(t, n).unwrap(), index(i), vec![9; 32]))
        .collect();
    let fragments: Vec<_> = sessions.iter().map(DkgSession::phase1).collect();
    let (mut proofs, mut zero2, mut chain2) = (vec![], vec![], BTreeMap::new());
    for (j, session) in sessions.iter_mut().enumerate() {
        let own: Vec<_> = fragments.iter().map(|row| row[j]).collect();
        let (proof, zero, chain) = session.phase2(&own).unwrap();
        chain2.insert(proof.index, chain);
        proofs.push(proof);
        zero2.extend(zero);
    }
    let (mut zero3, mut mul, mut chain3) = (vec![], vec![], BTreeMap::new());
    for (j, session) in sessions.iter_mut().enumerate() {
        let (zero, multiplication, chain) = session.phase3().unwrap();
        chain3.insert(index(j + 1), chain);
        zero3.extend(zero);
        mul.extend(multiplication);
    }
    let parties = sessions
        .into_iter()
        .enumerate()
        .map(|(j, session)| {
            let me = index(j + 1);
            let zero2: Vec<_> = zero2
                .iter()
                .filter(|m| m.parties.receiver == me)
                .cloned()
                .collect();
            let zero3: Vec<_> = zero3
                .iter()
                .filter(|m| m.parties.receiver == me)
                .cloned()
                .collect();
            let mul: Vec<_> = mul
                .iter()
                .filter(|m| m.parties.receiver == me)
                .cloned()
                .collect();
            session
                .phase4(&proofs, &zero2, &zero3, &mul, &chain2, &chain3, |_| {
                    String::new()
                })
                .unwrap()
                .0
        })
        .collect();
    ((cpu_now() - begin) / u32::from(n), parties)
}

/// CPU a signer, averaged over `rounds` signatures.
pub(crate) fn sign(parties: &[Party<Secp256k1>], t: u8, rounds: u32) -> Duration {
    let begin = cpu_now();
    for _ in 0..rounds {
        sign_once(&parties[..usize::from(t)]);
    }
    (cpu_now() - begin) / rounds / u32::from(t)
}

fn sign_once(parties: &[Party<Secp256k1>]) {
    let (mut sessions, mut first) = (vec![], vec![]);
    for party in parties {
        let others = parties.iter().map(|other| other.party_index);
        let counterparties = others.filter(|&other| other != party.party_index).collect();
        let data = SignData {
            sign_id: vec![1; 32],
            counterparties,
            message_hash: DIGEST,
        };
        let (session, out) = SignSession::new(party, data).unwrap();
        sessions.push((party.party_index, session));
        first.extend(out);
    }
    let mut second = vec![];
    for (me, session) in &mut sessions {
        let received: Vec<_> = first
            .iter()
            .filter(|m| m.parties.receiver == *me)
            .cloned()
            .collect();
        second.extend(session.phase2(&received).unwrap());
    }
    let mut third = vec![];
    for (me, session) in &mut sessions {
        let received: Vec<_> = second
            .iter()
            .filter(|m| m.parties.receiver == *me)
            .cloned()
            .collect();
        third.push(session.phase3(&received).unwrap());
    }
    for (_, session) in sessions {
        session.phase4(&third, true).unwrap();
    }
}
