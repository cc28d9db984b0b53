//! Children of a root key: one public tweak on every share, so that whoever holds shares of the root holds shares of
//! every child, and nobody has to talk to anybody.
//!
//! | suite | scheme |
//! |---|---|
//! | secp256k1, both | BIP-32, public derivation (`CKDpub`), with the root in an account key's place |
//! | Ed25519 | an additive scheme of our own, `docs/ed25519-hd.md` |
//!
//! BIP-32 works on the unnegated key with its full 33 bytes, for the Schnorr suite too: an even `y` and the Taproot
//! tweak come last, inside signing.
//!
//! Children are unhardened only: a hardened one needs the whole private key, which does not exist. **One child's
//! private key together with the chain code gives the root's**, so no child key may ever be exported alone, and chain
//! codes are for members only.

use std::fmt;
use std::str::FromStr;

use frost_core::{Ciphersuite, Element, Field, Group, Scalar};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::point::{Point, decode_element, decode_scalar, encode_element, with_ciphersuite};
use crate::share::{KeyShare, RawKeyShare};
use crate::suite::Suite;

/// Longest path below a root.
pub const MAX_PATH_DEPTH: usize = 8;
/// Hardened indices of BIP-32 begin here.
const FIRST_HARDENED: u32 = 1 << 31;
/// Domains of the Ed25519 scheme; see `docs/ed25519-hd.md`.
const ED25519_TWEAK: &[u8] = b"quorate/eddsa-ed25519/child/tweak/v1";
const ED25519_CHAIN: &[u8] = b"quorate/eddsa-ed25519/child/chain/v1";

/// The way from a root key to one of its descendants, unhardened at every step; `m` is the root itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u32>", into = "Vec<u32>")]
pub struct ChildPath(Vec<u32>);

impl ChildPath {
    /// The root itself.
    pub const ROOT: Self = Self(Vec::new());

    /// A path of these steps.
    ///
    /// # Errors
    /// [`Error::ChildPath`] for a hardened step, or for more than [`MAX_PATH_DEPTH`].
    pub fn new(steps: Vec<u32>) -> Result<Self, Error> {
        let unhardened = steps.iter().all(|step| *step < FIRST_HARDENED);
        if unhardened && steps.len() <= MAX_PATH_DEPTH {
            Ok(Self(steps))
        } else {
            Err(Error::ChildPath)
        }
    }

    /// The steps, from the root.
    #[must_use]
    pub fn steps(&self) -> &[u32] {
        &self.0
    }
}

impl TryFrom<Vec<u32>> for ChildPath {
    type Error = Error;
    fn try_from(steps: Vec<u32>) -> Result<Self, Error> {
        Self::new(steps)
    }
}

impl From<ChildPath> for Vec<u32> {
    fn from(path: ChildPath) -> Self {
        path.0
    }
}

impl fmt::Display for ChildPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("m")?;
        self.0.iter().try_for_each(|step| write!(f, "/{step}"))
    }
}

impl FromStr for ChildPath {
    type Err = Error;

    /// Reads `m`, `m/0/7`: digits without sign or leading zero, and no hardened mark.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.split('/');
        if parts.next() != Some("m") {
            return Err(Error::ChildPath);
        }
        let steps = parts.map(|part| part.parse().map_err(|_| Error::ChildPath));
        let path = Self::new(steps.collect::<Result<_, _>>()?)?;
        if path.to_string() == text {
            Ok(path)
        } else {
            Err(Error::ChildPath)
        }
    }
}

/// A public key with the chain code that leads to its children.
#[derive(Clone)]
pub struct ExtendedKey {
    /// The key.
    pub key: Point,
    /// Its chain code; for members only.
    pub chain_code: Zeroizing<[u8; 32]>,
}

impl ExtendedKey {
    /// The key at the end of `path`.
    ///
    /// # Errors
    /// [`Error::NoSuchChild`] for one of the some 2^-127 of indices that have no child.
    pub fn descendant(&self, path: &ChildPath) -> Result<Self, Error> {
        path.steps().iter().try_fold(self.clone(), |parent, step| {
            let tweak = parent.tweak(*step)?;
            let key = shifted(&parent.key, &tweak.scalar);
            let key = key.ok_or(Error::NoSuchChild { index: *step })?;
            Ok(Self {
                key,
                chain_code: tweak.chain_code,
            })
        })
    }

    /// What takes this key to its child.
    fn tweak(&self, index: u32) -> Result<Tweak, Error> {
        let tweak = match self.key.suite() {
            Suite::EcdsaSecp256k1 | Suite::SchnorrSecp256k1 => self.bip32_tweak(index),
            Suite::EddsaEd25519 => self.ed25519_tweak(index),
        };
        tweak.ok_or(Error::NoSuchChild { index })
    }

    /// BIP-32: `I = HMAC-SHA512(c, K || i, 33 and 4 bytes)`, left half the tweak, right half the chain code.
    fn bip32_tweak(&self, index: u32) -> Option<Tweak> {
        let i = self.hmac(&[self.key.as_bytes(), &index.to_be_bytes()])?;
        let (left, right) = i.split_at_checked(32)?;
        let scalar = Zeroizing::new(left.try_into().ok()?);
        decode_scalar::<frost_secp256k1::Secp256K1Sha256>(&scalar)?;
        Some(Tweak {
            scalar,
            chain_code: Zeroizing::new(right.try_into().ok()?),
        })
    }

    /// Two hashes under two domains: 64 bytes reduced for the tweak, 32 bytes for the chain code.
    fn ed25519_tweak(&self, index: u32) -> Option<Tweak> {
        type F = <<frost_ed25519::Ed25519Sha512 as Ciphersuite>::Group as Group>::Field;
        let tail = [self.key.as_bytes(), &index.to_be_bytes()].concat();
        let wide = self.hmac(&[ED25519_TWEAK, &tail])?;
        let scalar = Scalar::<frost_ed25519::Ed25519Sha512>::from_bytes_mod_order_wide(&wide);
        let chain = self.hmac(&[ED25519_CHAIN, &tail])?;
        let scalar = Zeroizing::new(F::serialize(&scalar));
        decode_scalar::<frost_ed25519::Ed25519Sha512>(&scalar)?;
        Some(Tweak {
            scalar,
            chain_code: Zeroizing::new(chain.get(..32)?.try_into().ok()?),
        })
    }

    fn hmac(&self, parts: &[&[u8]]) -> Option<Zeroizing<[u8; 64]>> {
        let mut mac = Hmac::<Sha512>::new_from_slice(self.chain_code.as_slice()).ok()?;
        parts.iter().for_each(|part| mac.update(part));
        Some(Zeroizing::new(mac.finalize().into_bytes().into()))
    }
}

impl fmt::Debug for ExtendedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtendedKey")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What is added to every share, in the suite's own byte order, and the child's chain code.
struct Tweak {
    scalar: Zeroizing<[u8; 32]>,
    chain_code: Zeroizing<[u8; 32]>,
}

impl KeyShare {
    /// The root's public key with its chain code.
    #[must_use]
    pub fn extended_key(&self) -> ExtendedKey {
        ExtendedKey {
            key: *self.group_key(),
            chain_code: Zeroizing::new(*self.chain_code()),
        }
    }

    /// This member's share of the descendant at the end of `path`: secret, verification shares and group key move by
    /// the same tweaks.
    ///
    /// # Errors
    /// [`Error::NoSuchChild`], with a chance of some 2^-127 an index.
    pub fn descendant(&self, path: &ChildPath) -> Result<Self, Error> {
        let mut raw = self.to_raw_parts_exposing_the_secret();
        for step in path.steps() {
            raw.become_child(*step)?;
        }
        Self::from_raw_parts_holding_a_secret(&raw)
    }
}

impl RawKeyShare {
    fn become_child(&mut self, index: u32) -> Result<(), Error> {
        let none = || Error::NoSuchChild { index };
        let here = ExtendedKey {
            key: self.group_key,
            chain_code: Zeroizing::new(self.chain_code),
        };
        let tweak = here.tweak(index)?;
        let moved = |point: &Point| shifted(point, &tweak.scalar).ok_or_else(none);
        self.group_key = moved(&self.group_key)?;
        self.verification_shares = self
            .verification_shares
            .iter()
            .map(moved)
            .collect::<Result<_, _>>()?;
        self.secret = with_ciphersuite!(self.suite, C => sum::<C>(&self.secret, &tweak.scalar))
            .ok_or_else(none)?;
        self.chain_code = *tweak.chain_code;
        Ok(())
    }
}

/// `P + tweak * G`; `None` for the identity.
fn shifted(point: &Point, tweak: &[u8; 32]) -> Option<Point> {
    let bytes = with_ciphersuite!(point.suite(), C => {
        let sum: Element<C> = decode_element::<C>(point.as_bytes())?
            + <<C as Ciphersuite>::Group as Group>::generator() * decode_scalar::<C>(tweak)?;
        encode_element::<C>(&sum)?
    });
    Point::decode(point.suite(), &bytes).ok()
}

/// `a + b`, canonical; `None` for zero.
fn sum<C: Ciphersuite>(a: &[u8; 32], b: &[u8; 32]) -> Option<[u8; 32]> {
    type F<C> = <<C as Ciphersuite>::Group as Group>::Field;
    let sum: Scalar<C> = decode_scalar::<C>(a)? + decode_scalar::<C>(b)?;
    let bytes: [u8; 32] = F::<C>::serialize(&sum).as_ref().try_into().ok()?;
    (sum != F::<C>::zero()).then_some(bytes)
}
