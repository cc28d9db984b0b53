//! The shapes of Ethereum's JSON-RPC (execution-apis): quantities and hashes are hexadecimal texts.

use quorate_chain::evm::Wei;
use serde::{Deserialize, Deserializer, de};

/// A number up to 2^128 - 1 as `0x1a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quantity(pub(super) u128);

impl Quantity {
    /// As JSON-RPC writes it.
    pub(super) fn text(number: u64) -> String {
        format!("{number:#x}")
    }

    /// The number, if it fits.
    pub(super) fn small(self) -> Option<u64> {
        u64::try_from(self.0).ok()
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text
            .strip_prefix("0x")
            .filter(|digits| plain_hex(digits, 32));
        let number = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
        number
            .map(Self)
            .ok_or_else(|| de::Error::custom("not a hexadecimal quantity"))
    }
}

/// An amount up to 2^256 - 1 as `0x1a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount(pub(super) Wei);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text
            .strip_prefix("0x")
            .filter(|digits| plain_hex(digits, 64));
        let padded = digits.map(|digits| format!("{digits:0>64}"));
        let mut bytes = [0; 32];
        let decoded = padded.is_some_and(|padded| hex::decode_to_slice(padded, &mut bytes).is_ok());
        if decoded {
            Ok(Self(Wei::from_be_bytes(bytes)))
        } else {
            Err(de::Error::custom("not a hexadecimal amount"))
        }
    }
}

fn plain_hex(digits: &str, most: usize) -> bool {
    (1..=most).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// `N` bytes as `0x` and 2N digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fixed<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Fixed<N> {
    /// As JSON-RPC writes it.
    pub(super) fn text(bytes: &[u8; N]) -> String {
        format!("0x{}", hex::encode(bytes))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        let digits = text
            .strip_prefix("0x")
            .ok_or_else(|| de::Error::custom("does not begin with 0x"))?;
        hex::decode_to_slice(digits, &mut bytes)
            .map_err(|_| de::Error::custom("not so many hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

/// Any number of bytes as `0x` and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text
            .strip_prefix("0x")
            .ok_or_else(|| de::Error::custom("does not begin with 0x"))?;
        hex::decode(digits)
            .map(Self)
            .map_err(|_| de::Error::custom("not hexadecimal digits"))
    }
}

/// `eth_feeHistory`, the part that is used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeeHistory {
    /// One a block, and the last is of the block to come.
    pub(super) base_fee_per_gas: Vec<Quantity>,
    /// One row a block, one value a percentile asked.
    #[serde(default)]
    pub(super) reward: Option<Vec<Vec<Quantity>>>,
}

/// A receipt, the part that is used. Both block fields are null while the transaction waits.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    pub(super) transaction_hash: Fixed<32>,
    pub(super) block_hash: Option<Fixed<32>>,
    pub(super) block_number: Option<Quantity>,
    pub(super) status: Quantity,
    pub(super) gas_used: Quantity,
    pub(super) effective_gas_price: Quantity,
}

/// A block's header, the part that is used.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) number: Quantity,
    pub(super) hash: Fixed<32>,
}

/// A block with its transactions.
#[derive(Deserialize)]
pub(super) struct Block {
    pub(super) transactions: Vec<Listed>,
}

/// A transaction in a block's list.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) hash: Fixed<32>,
    pub(super) from: Fixed<20>,
    pub(super) nonce: Quantity,
}

/// An EIP-1559 transaction, field by field, to be encoded again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transaction {
    pub(super) from: Fixed<20>,
    pub(super) to: Fixed<20>,
    pub(super) value: Amount,
    pub(super) nonce: Quantity,
    pub(super) gas: Quantity,
    pub(super) max_fee_per_gas: Quantity,
    pub(super) max_priority_fee_per_gas: Quantity,
    pub(super) r: Amount,
    pub(super) s: Amount,
    pub(super) y_parity: Option<Quantity>,
    pub(super) v: Option<Quantity>,
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, from_value, json};

    use super::{Amount, Bytes, Fixed, Quantity};

    fn reads<T: DeserializeOwned>(value: Value) -> bool {
        from_value::<T>(value).is_ok()
    }

    #[test]
    fn quantities_are_hexadecimal_texts_and_nothing_else() {
        assert_eq!(from_value::<Quantity>(json!("0x1a")).unwrap(), Quantity(26));
        for wrong in [
            json!(26),
            json!("26"),
            json!("0x"),
            json!("0x+1"),
            json!("0xg"),
            json!("-0x1"),
            json!(null),
        ] {
            assert!(!reads::<Quantity>(wrong.clone()), "{wrong}");
        }
        assert!(!reads::<Quantity>(json!(format!("0x{}", "f".repeat(33)))));
    }

    #[test]
    fn amounts_hold_what_a_chain_holds() {
        let wei = from_value::<Amount>(json!("0xde0b6b3a7640000")).unwrap().0;
        assert_eq!(wei.format_eth(), "1");
        assert!(reads::<Amount>(json!(format!("0x{}", "f".repeat(64)))));
        assert!(!reads::<Amount>(json!(format!("0x{}", "f".repeat(65)))));
        assert!(!reads::<Amount>(json!("0x")));
    }

    #[test]
    fn hashes_have_their_length() {
        assert!(reads::<Fixed<2>>(json!("0xabcd")));
        assert!(!reads::<Fixed<2>>(json!("0xabc")));
        assert!(!reads::<Fixed<2>>(json!("abcd")));
        assert!(reads::<Bytes>(json!("0x")));
        assert!(!reads::<Bytes>(json!("0xa")));
    }
}
