//! Sealing under something that a person types: Argon2id (RFC 9106), then XChaCha20-Poly1305.
//!
//! Layout: version (1 byte), memory in KiB, passes, lanes (4 bytes each, big-endian), salt (16 bytes),
//! length of the rest (4 bytes), nonce, ciphertext, tag, and a SHA-256 checksum over all before it.
//! The checksum is no protection against an attacker: it tells damage from a wrong passphrase.

use argon2::{Algorithm, Argon2, Params, Version};
use rand_core::CryptoRngCore;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Error;
use crate::digest::Key;
use crate::sealing::{SEAL_BYTES, open, seal};

const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + 12 + SALT_BYTES + 4;
const CHECKSUM_BYTES: usize = 32;

/// What one guess costs. RFC 9106, section 4: the second recommended option (64 MiB, 3 passes),
/// with one lane, because 64 MiB in one lane costs an attacker as much memory and a defender with
/// two cores no more time.
#[derive(Clone, Copy)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// What new seals use, and the least that is accepted from disk.
const COST: Cost = Cost {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 1,
};

/// The most that is accepted from disk, so that a stored number cannot exhaust the machine.
const CEILING: Cost = Cost {
    memory_kib: 1024 * 1024,
    passes: 16,
    lanes: 4,
};

impl Cost {
    fn is_accepted(self) -> bool {
        (COST.memory_kib..=CEILING.memory_kib).contains(&self.memory_kib)
            && (COST.passes..=CEILING.passes).contains(&self.passes)
            && (COST.lanes..=CEILING.lanes).contains(&self.lanes)
    }

    fn refused(self) -> Error {
        Error::Sealing {
            memory_kib: self.memory_kib,
            passes: self.passes,
            lanes: self.lanes,
        }
    }

    /// Argon2id, 32 bytes out.
    fn stretch(self, phrase: &[u8], salt: &[u8]) -> Result<Key, Error> {
        if phrase.is_empty() {
            return Err(Error::EmptyPassphrase);
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| self.refused())?;
        let mut key = Zeroizing::new([0u8; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(phrase, salt, key.as_mut_slice())
            .map_err(|_| self.refused())?;
        Ok(Key::new(key))
    }
}

/// What kept a phrase-sealed value shut.
#[derive(Debug)]
pub(crate) enum Shut {
    /// The bytes are not what was sealed.
    Damaged,
    /// Intact, but not by this phrase and these associated bytes.
    WrongPhrase,
    /// Parameters outside the accepted range, or an empty phrase.
    Refused(Error),
}

/// Seals `plain` under `phrase`; `domain` and `aad` are bound and not stored.
pub(crate) fn seal_under_phrase(
    phrase: &[u8],
    domain: &str,
    aad: &[u8],
    plain: &[u8],
    rng: &mut dyn CryptoRngCore,
) -> Result<Vec<u8>, Error> {
    let mut salt = [0u8; SALT_BYTES];
    rng.fill_bytes(&mut salt);
    let length = u32::try_from(plain.len() + SEAL_BYTES).map_err(|_| too_large(plain.len()))?;
    let mut out = vec![VERSION];
    for number in [COST.memory_kib, COST.passes, COST.lanes] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.extend_from_slice(&salt);
    out.extend_from_slice(&length.to_be_bytes());
    let key = COST.stretch(phrase, &salt)?;
    let sealed = seal(&key, &bound(domain, &out, aad), plain, rng);
    out.extend_from_slice(&sealed);
    let checksum = Sha256::digest(&out);
    out.extend_from_slice(&checksum);
    Ok(out)
}

/// Opens what [`seal_under_phrase`] made.
pub(crate) fn open_under_phrase(
    phrase: &[u8],
    domain: &str,
    aad: &[u8],
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Shut> {
    let (header, sealed) = split(bytes).ok_or(Shut::Damaged)?;
    let (cost, salt) = parse(header).ok_or(Shut::Damaged)?;
    if !cost.is_accepted() {
        return Err(Shut::Refused(cost.refused()));
    }
    let key = cost.stretch(phrase, salt).map_err(Shut::Refused)?;
    open(&key, &bound(domain, header, aad), sealed).ok_or(Shut::WrongPhrase)
}

/// Header and sealed part of an intact value.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    if Sha256::digest(content).as_slice() != checksum {
        return None;
    }
    let (header, sealed) = content.split_at_checked(HEADER_BYTES)?;
    let length = u32::from_be_bytes(*header.last_chunk()?);
    (usize::try_from(length).ok()? == sealed.len()).then_some((header, sealed))
}

/// Cost and salt of a header of a known version.
fn parse(header: &[u8]) -> Option<(Cost, &[u8])> {
    let (version, rest) = header.split_first()?;
    let (memory_kib, rest) = rest.split_first_chunk()?;
    let (passes, rest) = rest.split_first_chunk()?;
    let (lanes, rest) = rest.split_first_chunk()?;
    let cost = Cost {
        memory_kib: u32::from_be_bytes(*memory_kib),
        passes: u32::from_be_bytes(*passes),
        lanes: u32::from_be_bytes(*lanes),
    };
    (*version == VERSION).then_some((cost, rest.get(..SALT_BYTES)?))
}

fn bound(domain: &str, header: &[u8], aad: &[u8]) -> Vec<u8> {
    let domain_length = domain.len() as u64;
    [&domain_length.to_be_bytes(), domain.as_bytes(), header, aad].concat()
}

fn too_large(size: usize) -> Error {
    Error::TooLarge {
        what: "a sealed value",
        size: size as u64,
        max: u64::from(u32::MAX),
    }
}

const PIN_DOMAIN: &str = "quorate/store/pin/v1";

/// Seals `plain` under a PIN. Store the result as a secret: the PIN alone is short, so it has to lie
/// under the passphrase as well. `aad` is what the secret is for; it has to be given again to open.
///
/// # Errors
/// [`Error::EmptyPassphrase`].
pub fn seal_with_pin(
    pin: &[u8],
    plain: &[u8],
    aad: &[u8],
    rng: &mut dyn CryptoRngCore,
) -> Result<Vec<u8>, Error> {
    seal_under_phrase(pin, PIN_DOMAIN, aad, plain, rng)
}

/// Opens what [`seal_with_pin`] made. Takes about a tenth of a second and 64 MiB.
///
/// # Errors
/// [`Error::WrongPin`] (also if `aad` differs), [`Error::Corrupt`], [`Error::Sealing`].
pub fn open_with_pin(pin: &[u8], sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    if pin.is_empty() {
        return Err(Error::WrongPin);
    }
    open_under_phrase(pin, PIN_DOMAIN, aad, sealed).map_err(|shut| match shut {
        Shut::Damaged => Error::corrupt("PIN-sealed value", "checksum"),
        Shut::WrongPhrase => Error::WrongPin,
        Shut::Refused(error) => error,
    })
}
