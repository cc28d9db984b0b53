//! The one decoder: what it reads, and by which name it refuses all else.

use quorate_chain::ChainId;
use quorate_chain::evm::{
    DecodeError, FeeOutOfBounds, Fees, MAX_TX_BYTES, UnsignedTransfer, Wei, decode_signed,
    decode_unsigned,
};

use crate::address;
use crate::vectors::{self, Vector, bytes};

fn expected(vector: &Vector) -> UnsignedTransfer {
    let json = format!("{:?}", vector.value);
    UnsignedTransfer {
        chain: ChainId::Eip155(vector.chain),
        nonce: vector.nonce,
        to: address(vectors::TO),
        value: serde_json::from_str::<Wei>(&json).unwrap(),
        gas_limit: 21_000,
        fees: Fees {
            max_fee_per_gas: vector.max_fee,
            max_priority_fee_per_gas: vector.tip,
        },
    }
}

#[test]
fn transfers_made_elsewhere_are_read_field_by_field() {
    for vector in &vectors::TRANSFERS {
        let transfer = decode_unsigned(&bytes(vector.unsigned)).unwrap();
        assert_eq!(transfer, expected(vector));
        assert_eq!(transfer.encode(), bytes(vector.unsigned));
    }
}

#[test]
fn signed_transfers_made_elsewhere_give_signer_and_hash() {
    for vector in &vectors::TRANSFERS {
        let signed = decode_signed(&bytes(vector.raw)).unwrap();
        assert_eq!(signed.transfer, expected(vector));
        assert_eq!(signed.signer, address(vectors::FROM));
        assert_eq!(signed.hash, vectors::array(vector.hash));
    }
}

/// Threat: bytes of another kind slipped under an approval for a transfer.
#[test]
fn other_kinds_of_transaction_are_refused_by_name() {
    let blob = format!("03{}", &vectors::TRANSFERS[1].unsigned[2..]);
    let cases = [
        (vectors::LEGACY[0], DecodeError::Legacy),
        (vectors::EIP_2930[0], DecodeError::Eip2930),
        (&blob, DecodeError::Eip4844),
        (vectors::EIP_7702, DecodeError::Eip7702),
        ("", DecodeError::Empty),
        ("00", DecodeError::UnknownType(0)),
        ("05c0", DecodeError::UnknownType(5)),
        ("7f", DecodeError::UnknownType(0x7f)),
        ("80", DecodeError::UnknownType(0x80)),
        ("c0", DecodeError::Legacy),
        (
            "02c0",
            DecodeError::Fields {
                expected: 9,
                found: 0,
            },
        ),
        (
            vectors::TRANSFERS[1].raw,
            DecodeError::Fields {
                expected: 9,
                found: 12,
            },
        ),
        (
            vectors::CREATION,
            DecodeError::ContractCreation { bytes: 5 },
        ),
        (
            vectors::ERC_20[0],
            DecodeError::Calldata {
                selector: Some([0xa9, 0x05, 0x9c, 0xbb]),
                bytes: 68,
            },
        ),
        (
            vectors::SHORT_CALLDATA,
            DecodeError::Calldata {
                selector: None,
                bytes: 2,
            },
        ),
        (vectors::ACCESS_LIST, DecodeError::AccessList { entries: 1 }),
        (vectors::MORE_GAS, DecodeError::Gas { found: 21_001 }),
        (
            vectors::TIP_ABOVE_FEE,
            DecodeError::Fees(FeeOutOfBounds::TipAboveFee { tip: 2, max_fee: 1 }),
        ),
    ];
    for (hex, error) in cases {
        assert_eq!(decode_unsigned(&bytes(hex)), Err(error), "{hex}");
    }
}

#[test]
fn other_kinds_of_signed_transaction_are_refused_by_name() {
    let cases = [
        (vectors::LEGACY[1], DecodeError::Legacy),
        (vectors::EIP_2930[1], DecodeError::Eip2930),
        (
            vectors::ERC_20[1],
            DecodeError::Calldata {
                selector: Some([0xa9, 0x05, 0x9c, 0xbb]),
                bytes: 68,
            },
        ),
        (
            vectors::TRANSFERS[1].unsigned,
            DecodeError::Fields {
                expected: 12,
                found: 9,
            },
        ),
    ];
    for (hex, error) in cases {
        assert_eq!(decode_signed(&bytes(hex)), Err(error), "{hex}");
    }
}

/// The selector is in the words that a person reads.
#[test]
fn a_refused_call_shows_its_selector() {
    let error = decode_unsigned(&bytes(vectors::ERC_20[0])).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("68 bytes of calldata (selector 0xa9059cbb)"),
        "{error}"
    );
}

/// Threat (parser differential): one transfer in two encodings, of which only one is hashed.
#[test]
fn a_transfer_has_one_encoding() {
    // [chain 1, nonce 9, tip, max fee, gas, to, value, data, access list] with one field written differently.
    let head = "0109843b9aca00843b9aca00825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    let with = |fields: &str| {
        let payload = bytes(fields);
        let mut tx = vec![0x02, 0xc0 + u8::try_from(payload.len()).unwrap()];
        tx.extend(payload);
        decode_unsigned(&tx)
    };
    assert!(with(&format!("{head}0180c0")).is_ok());
    let leading_zero_value = format!("{head}82000180c0");
    let long_form_of_one_byte = format!("{head}810180c0");
    let long_form_of_short_string = format!("{head}b8020102{}", "80c0");
    let zero_byte_value = format!("{head}0080c0");
    let list_as_data = format!("{head}01c0c0");
    let string_as_access_list = format!("{head}018080");
    for fields in [
        leading_zero_value,
        long_form_of_one_byte,
        long_form_of_short_string,
        zero_byte_value,
        list_as_data,
        string_as_access_list,
    ] {
        assert!(
            matches!(
                with(&fields),
                Err(DecodeError::Rlp(_) | DecodeError::NotCanonical)
            ),
            "{fields}"
        );
    }
    // A long-form list header where the short form fits.
    let payload = bytes(&format!("{head}0180c0"));
    let mut long = vec![0x02, 0xf8, u8::try_from(payload.len()).unwrap()];
    long.extend(payload);
    assert!(matches!(
        decode_unsigned(&long),
        Err(DecodeError::Rlp(_) | DecodeError::NotCanonical)
    ));
}

#[test]
fn trailing_missing_and_too_many_bytes_are_refused() {
    let unsigned = bytes(vectors::TRANSFERS[1].unsigned);
    let longer = [unsigned.as_slice(), &[0, 0]].concat();
    assert_eq!(
        decode_unsigned(&longer),
        Err(DecodeError::Trailing { bytes: 2 })
    );
    for end in 1..unsigned.len() {
        assert!(decode_unsigned(&unsigned[..end]).is_err(), "{end}");
    }
    let raw = bytes(vectors::TRANSFERS[1].raw);
    let longer = [raw.as_slice(), &[0]].concat();
    assert_eq!(
        decode_signed(&longer),
        Err(DecodeError::Trailing { bytes: 1 })
    );
    let huge = vec![0x02; MAX_TX_BYTES + 1];
    assert_eq!(
        decode_unsigned(&huge),
        Err(DecodeError::TooLong {
            bytes: MAX_TX_BYTES + 1
        })
    );
}

#[test]
fn chain_zero_and_the_last_nonce_are_refused() {
    let with = |chain: &str, nonce: &str| {
        let fields = bytes(&format!(
            "{chain}{nonce}8080825208945aaeb6053f3e94c9b9a09f33669435e7ef1beaed0180c0"
        ));
        let mut tx = vec![0x02, 0xc0 + u8::try_from(fields.len()).unwrap()];
        tx.extend(fields);
        decode_unsigned(&tx)
    };
    assert_eq!(with("80", "01"), Err(DecodeError::NoChain));
    assert_eq!(with("01", "88ffffffffffffffff"), Err(DecodeError::Nonce));
    assert!(with("01", "88fffffffffffffffe").is_ok());
}
