//! Amounts are exact, and every mistake has its own answer.

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use quorate_chain::ChainId;
use quorate_chain::evm::{Address, AmountError, Wei, format_gwei, parse_gwei};

#[test]
fn ether_is_read_and_written_exactly() {
    let cases = [
        ("0", 0, "0"),
        ("0.5", 500_000_000_000_000_000, "0.5"),
        ("0.000000000000000001", 1, "0.000000000000000001"),
        ("1", 1_000_000_000_000_000_000, "1"),
        ("1.0", 1_000_000_000_000_000_000, "1"),
        ("007.10", 7_100_000_000_000_000_000, "7.1"),
        (
            "340282366920938463463.374607431768211455",
            u128::MAX,
            "340282366920938463463.374607431768211455",
        ),
    ];
    for (text, wei, canonical) in cases {
        let amount = Wei::parse_eth(text).unwrap();
        assert_eq!(amount, Wei::from(wei), "{text}");
        assert_eq!(amount.format_eth(), canonical);
    }
    assert_eq!(
        Wei::from_be_bytes([0xff; 32]).format_eth(),
        "115792089237316195423570985008687907853269984665640564039457.584007913129639935"
    );
}

#[test]
fn bad_amounts_say_what_is_wrong() {
    let cases = [
        ("", AmountError::Empty),
        ("-1", AmountError::Negative),
        ("\u{2212}1", AmountError::Negative),
        ("+1", AmountError::Garbage { found: '+' }),
        ("1,5", AmountError::Garbage { found: ',' }),
        ("1e18", AmountError::Garbage { found: 'e' }),
        ("0x10", AmountError::Garbage { found: 'x' }),
        (" 1", AmountError::Garbage { found: ' ' }),
        ("1_000", AmountError::Garbage { found: '_' }),
        ("NaN", AmountError::Garbage { found: 'N' }),
        ("\u{661}", AmountError::Garbage { found: '\u{661}' }),
        ("1.2.3", AmountError::Garbage { found: '.' }),
        (".5", AmountError::Point),
        ("5.", AmountError::Point),
        (".", AmountError::Point),
        (
            "0.0000000000000000001",
            AmountError::TooPrecise {
                found: 19,
                limit: 18,
            },
        ),
        (
            "340282366920938463463.374607431768211456",
            AmountError::TooLarge,
        ),
        (
            "99999999999999999999999999999999999999999999999999",
            AmountError::TooLarge,
        ),
    ];
    for (text, error) in cases {
        assert_eq!(Wei::parse_eth(text), Err(error), "{text:?}");
    }
}

#[test]
fn gwei_has_nine_decimals() {
    assert_eq!(parse_gwei("1.5"), Ok(1_500_000_000));
    assert_eq!(parse_gwei("0.000000001"), Ok(1));
    assert_eq!(
        parse_gwei("0.0000000001"),
        Err(AmountError::TooPrecise {
            found: 10,
            limit: 9
        })
    );
    assert_eq!(format_gwei(1_500_000_000), "1.5");
    assert_eq!(format_gwei(7), "0.000000007");
}

#[test]
fn arithmetic_never_wraps() {
    let largest = Wei::from_be_bytes([0xff; 32]);
    let one = Wei::from(1);
    assert_eq!(largest.checked_add(one), None);
    assert_eq!(Wei::ZERO.checked_sub(one), None);
    assert_eq!(largest.checked_mul(2), None);
    assert_eq!(
        one.checked_add(one).unwrap().checked_mul(3),
        Some(Wei::from(6))
    );
    assert_eq!(u128::try_from(largest), Err(AmountError::TooLarge));
}

#[test]
fn json_amounts_are_plain_decimal_wei() {
    assert_eq!(serde_json::to_string(&Wei::from(15)).unwrap(), "\"15\"");
    for bad in [
        "\"015\"", "\"0x0f\"", "\"+1\"", "\"\"", "\"1_0\"", "15", "\"-1\"",
    ] {
        assert!(serde_json::from_str::<Wei>(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn every_amount_survives_text_json_and_bytes(bytes in any::<[u8; 32]>(), small in any::<u128>()) {
        let amount = Wei::from_be_bytes(bytes);
        let json = serde_json::to_string(&amount).unwrap();
        prop_assert_eq!(serde_json::from_str::<Wei>(&json).unwrap(), amount);
        let binary = postcard::to_stdvec(&amount).unwrap();
        prop_assert_eq!(binary.len(), 32);
        prop_assert_eq!(postcard::from_bytes::<Wei>(&binary).unwrap(), amount);
        let small = Wei::from(small);
        prop_assert_eq!(Wei::parse_eth(&small.format_eth()), Ok(small));
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in ".{0,60}") {
        let amount = Wei::parse_eth(&text);
        prop_assert!(amount.is_err() || amount == Wei::parse_eth(&amount.clone().unwrap().format_eth()));
        let fee = parse_gwei(&text);
        prop_assert!(fee.is_err() || fee == parse_gwei(&format_gwei(fee.clone().unwrap())));
        prop_assert!(text.parse::<Address>().map_or(true, |address| address.to_string().eq_ignore_ascii_case(&text)));
        prop_assert!(text.parse::<ChainId>().map_or(true, |chain| chain.to_string() == text));
    }
}
