//! Fees: bounds that last, replacements that nodes take, nothing above what was approved.

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use quorate_chain::evm::{FeeOutOfBounds, FeeQuote, Fees, Mined, Wei, max_sendable};

use crate::{GWEI, transfer};

fn quote(base_fee_per_gas: u128, tip: u128) -> FeeQuote {
    FeeQuote {
        base_fee_per_gas,
        tip,
    }
}

fn fees(max_fee_per_gas: u128, max_priority_fee_per_gas: u128) -> Fees {
    Fees {
        max_fee_per_gas,
        max_priority_fee_per_gas,
    }
}

#[test]
fn default_bounds_leave_room_for_eight_raises() {
    let now = quote(10 * GWEI, GWEI);
    let bounds = Fees::default_bounds(now);
    let mut attempt = Fees::for_quote(now, bounds);
    assert_eq!(attempt, fees(21 * GWEI, GWEI));
    for _ in 0..8 {
        attempt = attempt.replacement(now, bounds).unwrap();
    }
    assert_eq!(attempt, bounds);
    assert_eq!(
        attempt.replacement(now, bounds),
        Err(FeeOutOfBounds::NoRoom)
    );
}

/// On an idle development chain base fee and tip approach zero; the bounds must still outlive a day.
#[test]
fn default_bounds_have_a_floor() {
    assert_eq!(
        Fees::default_bounds(quote(7, 0)),
        Fees::default_bounds(quote(GWEI, GWEI))
    );
    assert!(Fees::default_bounds(quote(7, 0)).max_fee_per_gas >= 3 * GWEI);
}

#[test]
fn a_zero_tip_is_still_outbid() {
    let next = fees(100, 0)
        .replacement(quote(0, 0), fees(1000, 10))
        .unwrap();
    assert_eq!(next, fees(113, 1));
    assert!(!fees(110, 0).outbids(fees(100, 0)));
}

#[test]
fn at_the_edge_of_the_bounds_a_tenth_is_enough() {
    let old = fees(1000, 100);
    assert_eq!(
        old.replacement(quote(0, 0), fees(1100, 110)),
        Ok(fees(1100, 110))
    );
    assert_eq!(
        old.replacement(quote(0, 0), fees(1099, 110)),
        Err(FeeOutOfBounds::NoRoom)
    );
    assert_eq!(
        old.replacement(quote(0, 0), fees(1100, 109)),
        Err(FeeOutOfBounds::NoRoom)
    );
}

#[test]
fn fees_beyond_the_bounds_are_refused_by_name() {
    let bounds = fees(100, 10);
    assert_eq!(fees(100, 10).check(bounds), Ok(()));
    assert_eq!(
        fees(101, 10).check(bounds),
        Err(FeeOutOfBounds::MaxFee {
            asked: 101,
            bound: 100
        })
    );
    assert_eq!(
        fees(100, 11).check(bounds),
        Err(FeeOutOfBounds::PriorityFee {
            asked: 11,
            bound: 10
        })
    );
    assert_eq!(
        fees(5, 6).check(bounds),
        Err(FeeOutOfBounds::TipAboveFee { tip: 6, max_fee: 5 })
    );
    let intent = quorate_chain::Intent::EvmTransfer(transfer());
    assert!(intent.build(fees(30 * GWEI + 1, 0)).is_err());
}

#[test]
fn max_leaves_exactly_the_largest_fee() {
    let bounds = fees(2 * GWEI, GWEI);
    let cost = bounds.largest_cost().unwrap();
    assert_eq!(cost, Wei::from(42_000 * GWEI));
    let balance = cost.checked_add(Wei::from(5)).unwrap();
    assert_eq!(max_sendable(balance, bounds), Some(Wei::from(5)));
    assert_eq!(max_sendable(cost, bounds), None);
    assert_eq!(max_sendable(Wei::from(1), bounds), None);
}

#[test]
fn a_receipt_tells_what_was_paid() {
    let mined = Mined {
        hash: [1; 32],
        block_number: 5,
        block_hash: [2; 32],
        success: true,
        gas_used: 21_000,
        effective_gas_price: 2 * GWEI,
    };
    assert_eq!(mined.fee(), Some(Wei::from(42_000 * GWEI)));
}

proptest! {
    #[test]
    fn whatever_the_node_says_fees_stay_within_the_bounds(
        base in any::<u128>(), tip in any::<u128>(), max_fee in any::<u128>(), share in any::<u128>(), raises in 0_u32..40,
    ) {
        let bounds = fees(max_fee, share.min(max_fee));
        let now = quote(base, tip);
        let mut attempt = Fees::for_quote(now, bounds);
        prop_assert_eq!(attempt.check(bounds), Ok(()));
        for _ in 0..raises {
            let Ok(next) = attempt.replacement(now, bounds) else { break };
            prop_assert_eq!(next.check(bounds), Ok(()));
            prop_assert!(next.outbids(attempt));
            attempt = next;
        }
        prop_assert_eq!(Fees::default_bounds(now).check(Fees::default_bounds(now)), Ok(()));
    }
}
