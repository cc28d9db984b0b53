//! From final bytes to a digest, and from a signature to signed bytes.

use alloy_primitives::keccak256;

use super::Intent;
use crate::evm::decode::{alloy_signature, recover};
use crate::evm::{
    Address, DecodeError, FeeOutOfBounds, UnsignedTransfer, decode_signed, decode_unsigned,
};

/// Final bytes that were decoded and found to be exactly what an intent says.
///
/// Only [`Intent::check`] makes one, so there is no digest to sign without it.
#[derive(Debug, PartialEq, Eq)]
pub struct Signable {
    transfer: UnsignedTransfer,
    from: Address,
    digest: [u8; 32],
}

/// A signed transaction, ready to broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTx {
    /// The bytes that the chain takes.
    pub raw: Vec<u8>,
    /// The transaction's hash.
    pub hash: [u8; 32],
}

/// Why final bytes or a signature do not carry out an intent. Nothing is signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The bytes are no transaction that is understood.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The bytes say something else than what was approved.
    #[error(
        "the {field} is {found}, but {intended} was approved; whoever built these bytes is not to be trusted"
    )]
    Field {
        /// Which.
        field: &'static str,
        /// As approved.
        intended: String,
        /// As in the bytes.
        found: String,
    },
    /// The fees are not within the approved bounds.
    #[error(transparent)]
    Fees(#[from] FeeOutOfBounds),
    /// The signature is not valid, has a high `s`, or a recovery id that Ethereum cannot express.
    #[error("the signature is not a valid low-s signature over these bytes; sign again")]
    Signature,
    /// The signature is somebody else's.
    #[error(
        "the signature is by {found}, not by the vault's {intended}; sign again with the vault's key"
    )]
    Signer {
        /// The vault's account.
        intended: Address,
        /// Who signed.
        found: Address,
    },
}

impl Intent {
    /// Decodes the final bytes and compares every field with this intent; only then is there something to sign.
    pub fn check(&self, unsigned: &[u8]) -> Result<Signable, Mismatch> {
        let Self::EvmTransfer(intended) = self;
        let transfer = decode_unsigned(unsigned)?;
        intended.compare(&transfer)?;
        Ok(Signable {
            transfer,
            from: intended.terms().from,
            digest: keccak256(unsigned).0,
        })
    }

    /// Checks that a signed transaction, perhaps found on a chain, carries out this intent, signed by its account.
    pub fn check_signed(&self, raw: &[u8]) -> Result<SignedTx, Mismatch> {
        let Self::EvmTransfer(intended) = self;
        let signed = decode_signed(raw)?;
        intended.compare(&signed.transfer)?;
        require_signer(intended.terms().from, signed.signer)?;
        Ok(SignedTx {
            raw: raw.to_vec(),
            hash: signed.hash,
        })
    }
}

impl Signable {
    /// What is signed: the Keccak-256 of the bytes that were decoded.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// What the bytes say.
    pub fn transfer(&self) -> &UnsignedTransfer {
        &self.transfer
    }

    /// The account that must have signed.
    pub fn from(&self) -> Address {
        self.from
    }

    /// Puts a signature to the bytes and requires that it recovers to the intent's account.
    ///
    /// `r` and `s` are big-endian scalars, `s` low (EIP-2); `recovery_id` is 0 or 1, the parity of the nonce point's y.
    pub fn assemble(
        &self,
        r: [u8; 32],
        s: [u8; 32],
        recovery_id: u8,
    ) -> Result<SignedTx, Mismatch> {
        let y_is_odd = match recovery_id {
            0 => false,
            1 => true,
            // r + n: possible in ECDSA with negligible chance, not expressible in Ethereum.
            _ => return Err(Mismatch::Signature),
        };
        let signer = recover(&self.digest, r, s, y_is_odd).ok_or(Mismatch::Signature)?;
        require_signer(self.from, signer)?;
        let raw = self
            .transfer
            .encode_signed(&alloy_signature(r, s, y_is_odd));
        let hash = keccak256(&raw).0;
        Ok(SignedTx { raw, hash })
    }
}

fn require_signer(intended: Address, found: Address) -> Result<(), Mismatch> {
    if intended == found {
        Ok(())
    } else {
        Err(Mismatch::Signer { intended, found })
    }
}
