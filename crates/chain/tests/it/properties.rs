//! What holds for every transfer and every mutation of its bytes.

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_assume, proptest};
use quorate_chain::evm::{
    Fees, TRANSFER_GAS, Transfer, TransferTerms, Wei, decode_signed, decode_unsigned,
};
use quorate_chain::{ChainId, Intent};

use crate::vectors::{self, bytes};

fn transfers() -> impl Strategy<Value = (Transfer, Fees)> {
    let numbers = (
        1..=u64::MAX,
        0..u64::MAX,
        any::<u128>(),
        any::<u64>(),
        any::<u64>(),
        0_u8..=100,
        0_u8..=100,
    );
    let addresses = (any::<[u8; 20]>(), any::<[u8; 20]>(), any::<bool>());
    (numbers, addresses).prop_filter_map(
        "zero address",
        |(numbers, (from, to, fills_dead_slots_below))| {
            let (chain, nonce, value, fee, tip, of_fee, of_tip) = numbers;
            let bounds = Fees {
                max_fee_per_gas: fee.into(),
                max_priority_fee_per_gas: tip.min(fee).into(),
            };
            let part = |whole: u128, percent: u8| whole * u128::from(percent) / 100;
            let max_fee_per_gas = part(bounds.max_fee_per_gas, of_fee);
            let fees = Fees {
                max_fee_per_gas,
                max_priority_fee_per_gas: part(bounds.max_priority_fee_per_gas, of_tip)
                    .min(max_fee_per_gas),
            };
            let transfer = Transfer::new(TransferTerms {
                chain: ChainId::Eip155(chain),
                from: from.into(),
                to: to.into(),
                value: Wei::from(value),
                nonce,
                gas_limit: TRANSFER_GAS,
                bounds,
                fills_dead_slots_below,
            });
            Some((transfer.ok()?, fees))
        },
    )
}

proptest! {
    #[test]
    fn what_is_built_passes_its_own_check((transfer, fees) in transfers()) {
        let intent = Intent::EvmTransfer(transfer);
        let unsigned = intent.build(fees).unwrap();
        let signable = intent.check(&unsigned).unwrap();
        prop_assert_eq!(signable.transfer().fees, fees);
        prop_assert_eq!(signable.transfer().encode(), unsigned);
        prop_assert_eq!(Intent::decode(&intent.encode()), Ok(intent));
    }

    /// Threat: bytes changed between approval and signing. Nothing but fees within the bounds can differ.
    #[test]
    fn a_changed_byte_is_refused_or_only_a_fee_within_bounds(
        (transfer, fees) in transfers(), at in any::<proptest::sample::Index>(), flip in 1..=u8::MAX,
    ) {
        let intent = Intent::EvmTransfer(transfer);
        let unsigned = intent.build(fees).unwrap();
        let mut changed = unsigned.clone();
        let at = at.index(changed.len());
        changed[at] ^= flip;
        if let Ok(signable) = intent.check(&changed) {
            let before = intent.check(&unsigned).unwrap();
            prop_assert!(signable.digest() != before.digest());
            let mut other = *signable.transfer();
            prop_assert!(other.fees.check(transfer.terms().bounds).is_ok());
            other.fees = fees;
            prop_assert_eq!(&other, before.transfer());
        }
    }

    /// Threat: another request's approval reused. Any other intent's bytes pass only where both say the same.
    #[test]
    fn bytes_of_one_intent_do_not_pass_for_another((one, fees) in transfers(), (other, _) in transfers()) {
        prop_assume!(one != other);
        let unsigned = Intent::EvmTransfer(one).build(fees).unwrap();
        prop_assert!(Intent::EvmTransfer(other).check(&unsigned).is_err());
    }

    /// A changed signed transaction is refused, or is somebody else's, or is not the intent's.
    #[test]
    fn a_changed_signed_transaction_is_not_the_vaults(at in any::<proptest::sample::Index>(), flip in 1..=u8::MAX) {
        let raw = bytes(vectors::TRANSFERS[1].raw);
        let signer = decode_signed(&raw).unwrap().signer;
        let mut changed = raw;
        let at = at.index(changed.len());
        changed[at] ^= flip;
        prop_assert!(decode_signed(&changed).map_or(true, |signed| signed.signer != signer));
    }

    #[test]
    fn no_bytes_make_the_decoders_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), typed in any::<bool>()) {
        let mut bytes = bytes;
        if let (true, Some(first)) = (typed, bytes.first_mut()) {
            *first = 2;
        }
        prop_assert!(decode_unsigned(&bytes).map_or(true, |transfer| transfer.encode() == bytes));
        prop_assert!(decode_signed(&bytes).is_err());
        prop_assert!(Intent::decode(&bytes).map_or(true, |intent| intent.encode() == bytes));
    }

    #[test]
    fn a_changed_intent_is_refused_or_another(
        (transfer, _) in transfers(), at in any::<proptest::sample::Index>(), flip in 1..=u8::MAX,
    ) {
        let intent = Intent::EvmTransfer(transfer);
        let mut bytes = intent.encode();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(Intent::decode(&bytes) != Ok(intent));
    }
}
