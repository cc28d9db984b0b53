//! Intents: their terms, their one encoding, what people see.

use quorate_chain::evm::{
    FeeOutOfBounds, Fees, FillRefused, Transfer, TransferError, TransferTerms, Wei,
};
use quorate_chain::{ChainId, Intent, IntentDecodeError, MAX_INTENT_BYTES, Slot};

use crate::{address, terms, transfer, vectors};

/// Golden: the encoding of [`terms`]. It must never change: logs hold it and approvals hash it.
const GOLDEN: &str = concat!(
    "01",                                                               // version
    "00",                                                               // EVM transfer
    "01",                                                               // chain 1
    "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f",                         // from
    "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",                         // to
    "0000000000000000000000000000000000000000000000000de0b6b3a7640000", // value
    "09",                                                               // nonce
    "88a401",                                                           // gas limit
    "80d88ee16f",                                                       // fee bound
    "80a8d6b907",                                                       // tip bound
    "01",                                                               // fills dead slots below
);

fn intent() -> Intent {
    Intent::EvmTransfer(transfer())
}

#[test]
fn the_encoding_is_golden() {
    assert_eq!(hex::encode(intent().encode()), GOLDEN);
    assert_eq!(Intent::decode(&vectors::bytes(GOLDEN)), Ok(intent()));
}

#[test]
fn the_slot_is_golden() {
    let slot = postcard::to_stdvec(&intent().slot()).unwrap();
    assert_eq!(
        hex::encode(slot),
        "000001".to_owned() + "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f" + "09"
    );
}

#[test]
fn encodings_that_are_not_the_one_are_refused() {
    let golden = vectors::bytes(GOLDEN);
    let refuse = |bytes: &[u8]| Intent::decode(bytes).unwrap_err();
    assert_eq!(refuse(&[]), IntentDecodeError::Size(0));
    assert_eq!(
        refuse(&[1; MAX_INTENT_BYTES + 1]),
        IntentDecodeError::Size(MAX_INTENT_BYTES + 1)
    );
    assert_eq!(
        refuse(&[&[2], &golden[1..]].concat()),
        IntentDecodeError::Version(2)
    );
    assert_eq!(
        refuse(&[&golden[..], &[0]].concat()),
        IntentDecodeError::NotCanonical
    );
    assert_eq!(refuse(&[1, 7]), IntentDecodeError::Malformed);
    for end in 2..golden.len() {
        assert_eq!(
            refuse(&golden[..end]),
            IntentDecodeError::Malformed,
            "{end}"
        );
    }
    // The nonce as a two-byte varint.
    let at = golden.iter().rposition(|byte| *byte == 9).unwrap();
    let padded = [&golden[..at], &[0x89, 0x00], &golden[at + 1..]].concat();
    assert_eq!(refuse(&padded), IntentDecodeError::NotCanonical);
}

#[test]
fn intents_serialise_as_their_encoding() {
    let json = serde_json::to_string(&intent()).unwrap();
    assert_eq!(json, format!("{GOLDEN:?}"));
    assert_eq!(serde_json::from_str::<Intent>(&json).unwrap(), intent());
    let binary = postcard::to_stdvec(&intent()).unwrap();
    assert_eq!(postcard::from_bytes::<Intent>(&binary).unwrap(), intent());
    assert_eq!(binary.len(), intent().encode().len() + 1);
}

#[test]
fn terms_that_cannot_hold_make_no_transfer() {
    let refuse = |change: &dyn Fn(&mut TransferTerms)| {
        let mut bad = terms();
        change(&mut bad);
        Transfer::new(bad).unwrap_err()
    };
    assert_eq!(
        refuse(&|t| t.chain = ChainId::Eip155(0)),
        TransferError::NoChain
    );
    assert_eq!(
        refuse(&|t| t.to = [0; 20].into()),
        TransferError::ZeroAddress
    );
    assert_eq!(
        refuse(&|t| t.nonce = u64::MAX),
        TransferError::Nonce(u64::MAX)
    );
    assert_eq!(
        refuse(&|t| t.gas_limit = 20_999),
        TransferError::Gas(20_999)
    );
    assert_eq!(
        refuse(&|t| t.value = Wei::from_be_bytes([0xff; 32])),
        TransferError::TooLarge
    );
    assert_eq!(
        refuse(&|t| t.bounds = Fees {
            max_fee_per_gas: 1,
            max_priority_fee_per_gas: 2
        }),
        TransferError::Fees(FeeOutOfBounds::TipAboveFee { tip: 2, max_fee: 1 })
    );
}

#[test]
fn people_see_every_term_and_the_largest_total() {
    let lines: Vec<(&str, String)> = intent()
        .display()
        .into_iter()
        .map(|l| (l.label, l.value))
        .collect();
    let expected = [
        ("Action", "Send ETH"),
        ("Amount", "1 ETH"),
        ("To", vectors::TO),
        ("From", vectors::FROM),
        ("Chain", "Ethereum (eip155:1)"),
        ("Slot (nonce)", "9"),
        (
            "Fee at most",
            "0.00063 ETH (21000 gas at 30 gwei, of it 2 gwei tip)",
        ),
        ("Total at most", "1.00063 ETH"),
        (
            "Also allows",
            "filling unused slots below 9 by zero-value transfers to itself, each for the same fee at most",
        ),
    ];
    assert_eq!(
        lines,
        expected.map(|(label, value)| (label, value.to_owned()))
    );
}

/// Threat: a request far ahead has the vault pay for a fill of every slot below it, and people see one fee.
#[test]
fn the_largest_total_counts_the_fills_that_may_come_first() {
    let total = |fills| {
        let lines = intent().display_with_fills(fills);
        let line = lines.into_iter().find(|line| line.label == "Total at most");
        line.unwrap().value
    };
    assert_eq!(total(0), "1.00063 ETH");
    assert_eq!(total(1), "1.00126 ETH, should slot 8 have to be filled");
    assert_eq!(
        total(3),
        "1.00252 ETH, should the 3 slots below have to be filled"
    );
}

#[test]
fn another_chain_does_not_claim_ether() {
    let polygon = Transfer::new(TransferTerms {
        chain: ChainId::Eip155(137),
        ..terms()
    })
    .unwrap();
    let lines = Intent::EvmTransfer(polygon).display();
    assert_eq!(lines[1].value, "1 native coin");
    assert_eq!(lines[4].value, "eip155:137");
}

#[test]
fn another_slot_is_another_intent() {
    let moved = intent().with_slot(12).unwrap();
    assert_ne!(moved.encode(), intent().encode());
    let account = address(vectors::FROM);
    assert_eq!(
        moved.slot(),
        Slot::EvmNonce {
            chain: ChainId::Eip155(1),
            account,
            nonce: 12
        }
    );
    assert_eq!(moved.with_slot(9), Ok(intent()));
}

/// Threat: an approval for one payment stretched to move money elsewhere through its permission to fill.
#[test]
fn a_fill_moves_nothing_and_stays_below() {
    let fill = transfer().fill(4).unwrap();
    let bounds = terms().bounds;
    assert!(fill.is_fill());
    assert_eq!(
        *fill.terms(),
        TransferTerms {
            to: address(vectors::FROM),
            value: Wei::ZERO,
            nonce: 4,
            bounds,
            fills_dead_slots_below: false,
            ..terms()
        }
    );
    assert_eq!(Transfer::new(*fill.terms()), Ok(fill));
    assert_eq!(
        transfer().fill(9),
        Err(FillRefused::NotBelow { slot: 9, own: 9 })
    );
    assert_eq!(
        transfer().fill(10),
        Err(FillRefused::NotBelow { slot: 10, own: 9 })
    );
    assert_eq!(fill.fill(3), Err(FillRefused::NotAllowed));
    let lines = Intent::EvmTransfer(fill).display();
    assert_eq!(lines[0].value, "Fill slot 4 (moves no money, pays a fee)");
    assert_eq!(lines.len(), 8);
}
