//! Parties to test with.

use ed25519_dalek::SigningKey;
use quorate_wire::{Channel, PartyCard, VerifiedCard};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{CryptoRng, Error, RngCore, SeedableRng};

/// A party with fixed keys: `seed` tells parties apart.
pub(crate) struct Party {
    pub(crate) identity: SigningKey,
    pub(crate) credential: SigningKey,
    pub(crate) card: VerifiedCard,
}

pub(crate) fn key(role: u8, seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[role.wrapping_mul(64).wrapping_add(seed); 32])
}

/// A card that is fine, unsigned.
pub(crate) fn plain_card(name: &str, seed: u8) -> PartyCard {
    PartyCard {
        name: name.into(),
        identity: key(1, seed).verifying_key().to_bytes(),
        endpoint: key(2, seed).verifying_key().to_bytes(),
        credential: key(3, seed).verifying_key().to_bytes(),
        controller: "owner".into(),
        trust_domains: vec!["home office".into()],
        revision: 7,
        addresses: vec![
            "192.0.2.1:4000".parse().unwrap(),
            "[2001:db8::1]:4000".parse().unwrap(),
        ],
    }
}

pub(crate) fn party(name: &str, seed: u8) -> Party {
    let (identity, credential) = (key(1, seed), key(3, seed));
    let card = VerifiedCard::sign(plain_card(name, seed), &identity, &credential).unwrap();
    Party {
        identity,
        credential,
        card,
    }
}

/// One connection between two parties, seen from the first and from the second.
pub(crate) fn connection(first: &Party, second: &Party, exporter: u8) -> (Channel, Channel) {
    let (ours, theirs) = (first.card.card().endpoint, second.card.card().endpoint);
    let exporter = [exporter; 32];
    let there = Channel {
        ours: theirs,
        theirs: ours,
        exporter,
    };
    (
        Channel {
            ours,
            theirs,
            exporter,
        },
        there,
    )
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// Gives one chosen number first, then goes on as [`rng`]: an attacker picks his own randomness.
pub(crate) struct ChosenFirst {
    pub(crate) first: Option<u32>,
    pub(crate) rest: ChaCha20Rng,
}

impl CryptoRng for ChosenFirst {}

impl RngCore for ChosenFirst {
    fn next_u32(&mut self) -> u32 {
        self.first.take().unwrap_or_else(|| self.rest.next_u32())
    }

    fn next_u64(&mut self) -> u64 {
        self.rest.next_u64()
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.rest.fill_bytes(dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        self.rest.try_fill_bytes(dest)
    }
}
