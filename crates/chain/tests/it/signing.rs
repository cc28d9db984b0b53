//! From an intent to signed bytes, against vectors made elsewhere; and what a liar cannot get signed.

use k256::ecdsa::SigningKey;
use quorate_chain::evm::{
    Address, DecodeError, FeeOutOfBounds, Fees, Transfer, TransferTerms, Wei,
};
use quorate_chain::{ChainId, Intent, Mismatch};

use crate::vectors::{self, Vector, array, bytes};
use crate::{GWEI, address, terms, transfer};

fn intent_of(vector: &Vector) -> Intent {
    let value = format!("{:?}", vector.value);
    let transfer = Transfer::new(TransferTerms {
        chain: ChainId::Eip155(vector.chain),
        nonce: vector.nonce,
        value: serde_json::from_str::<Wei>(&value).unwrap(),
        bounds: fees_of(vector),
        ..terms()
    });
    Intent::EvmTransfer(transfer.unwrap())
}

fn fees_of(vector: &Vector) -> Fees {
    Fees {
        max_fee_per_gas: vector.max_fee,
        max_priority_fee_per_gas: vector.tip,
    }
}

#[test]
fn an_intent_becomes_the_bytes_that_other_software_makes() {
    for vector in &vectors::TRANSFERS {
        let intent = intent_of(vector);
        let unsigned = intent.build(fees_of(vector)).unwrap();
        assert_eq!(hex::encode(&unsigned), vector.unsigned);
        let signable = intent.check(&unsigned).unwrap();
        assert_eq!(hex::encode(signable.digest()), vector.digest);
        let signed = signable
            .assemble(array(vector.r), array(vector.s), vector.recovery_id)
            .unwrap();
        assert_eq!(hex::encode(&signed.raw), vector.raw);
        assert_eq!(hex::encode(signed.hash), vector.hash);
        assert_eq!(intent.check_signed(&signed.raw), Ok(signed));
    }
}

/// Threat (Bybit): the coordinator shows one transfer and sends the bytes of another.
#[test]
fn bytes_that_differ_from_the_intent_in_any_field_are_refused_by_name() {
    let built = |change: &dyn Fn(&mut TransferTerms)| {
        let mut other = terms();
        change(&mut other);
        let fees = Fees {
            max_fee_per_gas: other.bounds.max_fee_per_gas,
            max_priority_fee_per_gas: 1,
        };
        Intent::EvmTransfer(Transfer::new(other).unwrap())
            .build(fees)
            .unwrap()
    };
    let intent = Intent::EvmTransfer(transfer());
    let refused =
        |change: &dyn Fn(&mut TransferTerms)| match intent.check(&built(change)).unwrap_err() {
            Mismatch::Field { field, .. } => field,
            other => panic!("{other}"),
        };
    assert!(intent.check(&built(&|_| ())).is_ok());
    assert_eq!(refused(&|t| t.chain = ChainId::Eip155(5)), "chain");
    assert_eq!(refused(&|t| t.nonce = 10), "nonce");
    assert_eq!(refused(&|t| t.to = address(vectors::FROM)), "recipient");
    assert_eq!(refused(&|t| t.value = Wei::from(1)), "amount in wei");
    let above = built(&|t| t.bounds.max_fee_per_gas = 30 * GWEI + 1);
    let expected = FeeOutOfBounds::MaxFee {
        asked: 30 * GWEI + 1,
        bound: 30 * GWEI,
    };
    assert_eq!(intent.check(&above), Err(Mismatch::Fees(expected)));
    assert_eq!(
        intent.check(&bytes(vectors::ERC_20[0])).unwrap_err(),
        Mismatch::Decode(DecodeError::Calldata {
            selector: Some([0xa9, 0x05, 0x9c, 0xbb]),
            bytes: 68,
        })
    );
}

#[test]
fn a_mismatch_names_both_sides() {
    let other = transfer().with_slot(10).unwrap();
    let bytes = Intent::EvmTransfer(other).build(terms().bounds).unwrap();
    let error = Intent::EvmTransfer(transfer()).check(&bytes).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the nonce is 10, but 9 was approved"),
        "{error}"
    );
}

/// Threat: a co-signer returns a signature of another key, over other bytes, or in its malleable form.
#[test]
fn only_the_vaults_low_s_signature_over_these_bytes_is_assembled() {
    let vector = &vectors::TRANSFERS[1];
    let intent = intent_of(vector);
    let signable = intent.check(&bytes(vector.unsigned)).unwrap();
    let (r, s) = (array(vector.r), array(vector.s));

    let wrong_parity = signable.assemble(r, s, 1 - vector.recovery_id).unwrap_err();
    assert!(
        matches!(wrong_parity, Mismatch::Signer { .. } | Mismatch::Signature),
        "{wrong_parity}"
    );

    let high_s = k256::ecdsa::Signature::from_scalars(r, s).unwrap();
    let high_s: [u8; 32] = (-*high_s.s()).to_bytes().into();
    assert_eq!(
        signable.assemble(r, high_s, 1 - vector.recovery_id),
        Err(Mismatch::Signature)
    );

    for id in 2..=u8::MAX {
        assert_eq!(signable.assemble(r, s, id), Err(Mismatch::Signature));
    }
    for (r, s) in [([0; 32], s), (r, [0; 32]), ([0xff; 32], s), (r, [0xff; 32])] {
        assert_eq!(signable.assemble(r, s, 0), Err(Mismatch::Signature));
    }

    let other = SigningKey::from_bytes(&[7; 32].into()).unwrap();
    let (signature, id) = other.sign_prehash_recoverable(&signable.digest()).unwrap();
    let (r, s) = (
        signature.r().to_bytes().into(),
        signature.s().to_bytes().into(),
    );
    let found = Address::from_public_key(
        &other.verifying_key().to_sec1_bytes()[..]
            .try_into()
            .unwrap(),
    )
    .unwrap();
    let expected = Mismatch::Signer {
        intended: address(vectors::FROM),
        found,
    };
    assert_eq!(signable.assemble(r, s, id.to_byte()), Err(expected));
}

#[test]
fn a_mined_transaction_of_another_intent_is_told_apart() {
    let ours = intent_of(&vectors::TRANSFERS[1]);
    let theirs = bytes(vectors::TRANSFERS[2].raw);
    assert!(matches!(
        ours.check_signed(&theirs),
        Err(Mismatch::Field { field: "chain", .. })
    ));

    let stranger = SigningKey::from_bytes(&[7; 32].into()).unwrap();
    let unsigned = ours.build(terms().bounds).unwrap();
    let from = Address::from_public_key(
        &stranger.verifying_key().to_sec1_bytes()[..]
            .try_into()
            .unwrap(),
    )
    .unwrap();
    let same_but_from =
        Intent::EvmTransfer(Transfer::new(TransferTerms { from, ..terms() }).unwrap());
    let signable = same_but_from.check(&unsigned).unwrap();
    let (signature, id) = stranger
        .sign_prehash_recoverable(&signable.digest())
        .unwrap();
    let (r, s) = (
        signature.r().to_bytes().into(),
        signature.s().to_bytes().into(),
    );
    let raw = signable.assemble(r, s, id.to_byte()).unwrap().raw;
    assert!(matches!(
        ours.check_signed(&raw),
        Err(Mismatch::Signer { .. })
    ));
}

/// A vault's whole way with a key: what `k256` signs is assembled and read back.
#[test]
fn a_replacement_is_the_same_payment_at_a_higher_fee() {
    let key = SigningKey::from_slice(&bytes(vectors::KEY)).unwrap();
    let intent = Intent::EvmTransfer(transfer());
    let first = Fees {
        max_fee_per_gas: 20 * GWEI,
        max_priority_fee_per_gas: GWEI,
    };
    let second = first.raised(1);
    let mut hashes = Vec::new();
    for fees in [first, second] {
        let signable = intent.check(&intent.build(fees).unwrap()).unwrap();
        let (signature, id) = key.sign_prehash_recoverable(&signable.digest()).unwrap();
        let (r, s) = (
            signature.r().to_bytes().into(),
            signature.s().to_bytes().into(),
        );
        let signed = signable.assemble(r, s, id.to_byte()).unwrap();
        assert_eq!(intent.check_signed(&signed.raw).as_ref(), Ok(&signed));
        hashes.push(signed.hash);
    }
    assert_ne!(hashes[0], hashes[1]);
}
