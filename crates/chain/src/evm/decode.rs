//! The one decoder of EVM transactions, and the one encoder.
//!
//! It knows one shape, the EIP-1559 transfer of the chain's own coin to an existing account. All else is refused by a
//! name that says what was seen. What it returns encodes to exactly the bytes that were read.

use alloy_consensus::transaction::{RlpEcdsaDecodableTx as _, RlpEcdsaEncodableTx as _};
use alloy_consensus::{SignableTransaction as _, TxEip1559};
use alloy_primitives::{Signature, TxKind, U256, keccak256};
use alloy_rlp::Header;
use k256::ecdsa::{self, RecoveryId, VerifyingKey};

use super::{Address, FeeOutOfBounds, Fees, TRANSFER_GAS, Wei};
use crate::ChainId;

/// Longest transaction looked at, in bytes: what Ethereum nodes take.
pub const MAX_TX_BYTES: usize = 128 * 1024;

const EIP_1559: u8 = 0x02;
const UNSIGNED_FIELDS: usize = 9;
const SIGNED_FIELDS: usize = 12;

/// A native transfer as its bytes say, without a signature. It does not name its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsignedTransfer {
    /// On which chain.
    pub chain: ChainId,
    /// The sender's account nonce.
    pub nonce: u64,
    /// To whom.
    pub to: Address,
    /// How much.
    pub value: Wei,
    /// Units of gas; always [`TRANSFER_GAS`].
    pub gas_limit: u64,
    /// Fee fields.
    pub fees: Fees,
}

/// A signed native transfer with its sender, recovered from the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedTransfer {
    /// What was signed.
    pub transfer: UnsignedTransfer,
    /// Who signed it.
    pub signer: Address,
    /// The transaction's hash.
    pub hash: [u8; 32],
}

/// What was seen in place of a native transfer. Nothing of it is signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No bytes.
    #[error("there are no transaction bytes")]
    Empty,
    /// More than [`MAX_TX_BYTES`].
    #[error("a transaction of {bytes} bytes is larger than any node takes")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// Untyped, from before EIP-2718; it may be valid on every chain.
    #[error("this is a legacy transaction; build it as EIP-1559")]
    Legacy,
    /// Type 1.
    #[error("this is an EIP-2930 (access list) transaction; build it as EIP-1559")]
    Eip2930,
    /// Type 3.
    #[error("this is an EIP-4844 (blob) transaction; only native transfers are understood")]
    Eip4844,
    /// Type 4: hands control of the account to code.
    #[error(
        "this is an EIP-7702 transaction, which hands control of the account to code; only native transfers are understood"
    )]
    Eip7702,
    /// Any other type byte.
    #[error("transaction type {0:#04x} is unknown; only native transfers are understood")]
    UnknownType(u8),
    /// Not the RLP of a transaction.
    #[error("malformed transaction: {0}")]
    Rlp(alloy_rlp::Error),
    /// Bytes after the end.
    #[error("{bytes} bytes follow the transaction")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// Neither 9 fields (unsigned) nor 12 (signed), or the other of the two.
    #[error("the transaction has {found} fields where {expected} are expected")]
    Fields {
        /// 9 for an unsigned, 12 for a signed transaction.
        expected: usize,
        /// What is there.
        found: usize,
    },
    /// Readable, but not the one encoding of what it says.
    #[error("the transaction is not in its one encoding; rebuild it")]
    NotCanonical,
    /// Chain id 0 is no chain.
    #[error("the transaction names chain 0, which none is")]
    NoChain,
    /// The nonce is 2^64 - 1, which EIP-2681 rules out.
    #[error("the transaction's nonce is the last one, which no chain takes")]
    Nonce,
    /// No recipient: this makes a contract.
    #[error(
        "the transaction creates a contract from {bytes} bytes of code; only native transfers are understood"
    )]
    ContractCreation {
        /// Size of the init code.
        bytes: usize,
    },
    /// Data for the recipient: a contract call.
    #[error("the transaction carries {bytes} bytes of calldata{}; only native transfers are understood", show_selector(.selector))]
    Calldata {
        /// The first four bytes, if there are as many.
        selector: Option<[u8; 4]>,
        /// How many in all.
        bytes: usize,
    },
    /// An access list that is not empty.
    #[error(
        "the transaction has an access list of {entries} entries; a native transfer needs none"
    )]
    AccessList {
        /// Addresses in it.
        entries: usize,
    },
    /// Another gas limit than that of a native transfer.
    #[error("the gas limit is {found}; a native transfer uses {TRANSFER_GAS}")]
    Gas {
        /// As read.
        found: u64,
    },
    /// Fee fields that no chain takes.
    #[error(transparent)]
    Fees(FeeOutOfBounds),
    /// No valid low-s signature (EIP-2).
    #[error("the transaction's signature is not valid")]
    Signature,
}

fn show_selector(selector: &Option<[u8; 4]>) -> String {
    selector.map_or(String::new(), |bytes| {
        format!(" (selector 0x{})", hex::encode(bytes))
    })
}

/// Decodes the unsigned bytes of a native transfer (`0x02 || rlp`, 9 fields): the bytes whose hash is signed.
pub fn decode_unsigned(bytes: &[u8]) -> Result<UnsignedTransfer, DecodeError> {
    let list = open(bytes, UNSIGNED_FIELDS)?;
    let mut rest = list;
    let tx = TxEip1559::rlp_decode(&mut rest).map_err(DecodeError::Rlp)?;
    let transfer = judge(&tx)?;
    if transfer.encode() != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(transfer)
}

/// Decodes a signed native transfer (`0x02 || rlp`, 12 fields) and recovers its signer.
pub fn decode_signed(raw: &[u8]) -> Result<SignedTransfer, DecodeError> {
    let list = open(raw, SIGNED_FIELDS)?;
    let mut rest = list;
    let (tx, signature) =
        TxEip1559::rlp_decode_with_signature(&mut rest).map_err(DecodeError::Rlp)?;
    let transfer = judge(&tx)?;
    if transfer.encode_signed(&signature) != raw {
        return Err(DecodeError::NotCanonical);
    }
    let digest = keccak256(transfer.encode()).0;
    let (r, s) = (signature.r().to_be_bytes(), signature.s().to_be_bytes());
    let signer = recover(&digest, r, s, signature.v()).ok_or(DecodeError::Signature)?;
    Ok(SignedTransfer {
        transfer,
        signer,
        hash: keccak256(raw).0,
    })
}

impl UnsignedTransfer {
    /// The bytes whose Keccak-256 is signed: `0x02 || rlp([chain, nonce, tip, max fee, gas, to, value, data, access list])`.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.to_alloy().encode_for_signing(&mut bytes);
        bytes
    }

    pub(crate) fn encode_signed(&self, signature: &Signature) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.to_alloy().eip2718_encode(signature, &mut bytes);
        bytes
    }

    fn to_alloy(self) -> TxEip1559 {
        let ChainId::Eip155(chain_id) = self.chain;
        TxEip1559 {
            chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: self.fees.max_fee_per_gas,
            max_priority_fee_per_gas: self.fees.max_priority_fee_per_gas,
            to: TxKind::Call(self.to.as_bytes().into()),
            value: self.value.as_u256(),
            access_list: Default::default(),
            input: Default::default(),
        }
    }
}

/// The signer of `digest`, if `r` and `s` are in range, `s` is low and the point exists.
pub(crate) fn recover(
    digest: &[u8; 32],
    r: [u8; 32],
    s: [u8; 32],
    y_is_odd: bool,
) -> Option<Address> {
    let signature = ecdsa::Signature::from_scalars(r, s).ok()?;
    if signature.normalize_s().is_some() {
        return None;
    }
    let id = RecoveryId::new(y_is_odd, false);
    let key = VerifyingKey::recover_from_prehash(digest, &signature, id).ok()?;
    Some(Address::of_key(&key.into()))
}

pub(crate) fn alloy_signature(r: [u8; 32], s: [u8; 32], y_is_odd: bool) -> Signature {
    Signature::new(U256::from_be_bytes(r), U256::from_be_bytes(s), y_is_odd)
}

/// Looks at type, outer length and number of fields; gives the RLP list.
fn open(bytes: &[u8], expected: usize) -> Result<&[u8], DecodeError> {
    if bytes.len() > MAX_TX_BYTES {
        return Err(DecodeError::TooLong { bytes: bytes.len() });
    }
    let (kind, list) = bytes.split_first().ok_or(DecodeError::Empty)?;
    match *kind {
        EIP_1559 => {}
        0x01 => return Err(DecodeError::Eip2930),
        0x03 => return Err(DecodeError::Eip4844),
        0x04 => return Err(DecodeError::Eip7702),
        0xc0..=0xff => return Err(DecodeError::Legacy),
        other => return Err(DecodeError::UnknownType(other)),
    }
    let mut fields = list;
    let payload = Header::decode_bytes(&mut fields, true).map_err(DecodeError::Rlp)?;
    if !fields.is_empty() {
        return Err(DecodeError::Trailing {
            bytes: fields.len(),
        });
    }
    let found = count_items(payload)?;
    if found != expected {
        return Err(DecodeError::Fields { expected, found });
    }
    Ok(list)
}

fn count_items(mut payload: &[u8]) -> Result<usize, DecodeError> {
    let mut count = 0;
    while !payload.is_empty() {
        let header = Header::decode(&mut payload).map_err(DecodeError::Rlp)?;
        payload = payload
            .get(header.payload_length..)
            .ok_or(DecodeError::Rlp(alloy_rlp::Error::InputTooShort))?;
        count += 1;
    }
    Ok(count)
}

/// Refuses everything that is no native transfer.
fn judge(tx: &TxEip1559) -> Result<UnsignedTransfer, DecodeError> {
    let to = match tx.to {
        TxKind::Create => {
            return Err(DecodeError::ContractCreation {
                bytes: tx.input.len(),
            });
        }
        TxKind::Call(to) => Address::new(to.into_array()),
    };
    if !tx.input.is_empty() {
        return Err(DecodeError::Calldata {
            selector: tx.input.first_chunk().copied(),
            bytes: tx.input.len(),
        });
    }
    if !tx.access_list.is_empty() {
        return Err(DecodeError::AccessList {
            entries: tx.access_list.len(),
        });
    }
    if tx.gas_limit != TRANSFER_GAS {
        return Err(DecodeError::Gas {
            found: tx.gas_limit,
        });
    }
    if tx.chain_id == 0 {
        return Err(DecodeError::NoChain);
    }
    if tx.nonce == u64::MAX {
        return Err(DecodeError::Nonce);
    }
    let fees = Fees {
        max_fee_per_gas: tx.max_fee_per_gas,
        max_priority_fee_per_gas: tx.max_priority_fee_per_gas,
    };
    fees.check_order().map_err(DecodeError::Fees)?;
    Ok(UnsignedTransfer {
        chain: ChainId::Eip155(tx.chain_id),
        nonce: tx.nonce,
        to,
        value: Wei::from_u256(tx.value),
        gas_limit: tx.gas_limit,
        fees,
    })
}
