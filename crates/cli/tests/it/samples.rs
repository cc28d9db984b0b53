//! Answers of a daemon.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use quorate_api::{
    AwaitedMember, DecisionView, IntentLine, IntentView, MemberState, MemberView, ReceiptView,
    RequestKind, RequestState, RequestView, SessionOutcome, SessionView, VaultPhase, VaultView,
};
use serde::Serialize;

/// Id of the sample request.
pub const ID: &str = "3f9a12bc4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8";

/// The six words of the sample vault.
pub const WORDS: &str = "abandon ability able about above absent";

/// 200 with `value`.
pub fn ok(value: &impl Serialize) -> (u16, String) {
    (200, serde_json::to_string(value).unwrap())
}

/// A PIN file that only its owner can read.
pub fn pin_file(dir: &Path) -> PathBuf {
    let path = dir.join("pin");
    fs::write(&path, "135790\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A request of a quarter ether in `state`.
pub fn request(state: RequestState) -> RequestView {
    RequestView {
        id: ID.to_owned(),
        vault: "family".to_owned(),
        kind: RequestKind::Transfer,
        state,
        awaits_you: state == RequestState::WaitingForApprovals,
        intent: intent(),
        requester: "alice".to_owned(),
        note: Some("new roof".to_owned()),
        created_ms: 1_795_000_000_000,
        expires_ms: 1_795_086_400_000,
        in_place_of: None,
        asked_again_as: None,
        needed: 2,
        approvals: vec![DecisionView {
            member: "bob".to_owned(),
            at_ms: 1_795_000_060_000,
            reason: None,
        }],
        rejections: Vec::new(),
        undecided: vec!["alice".to_owned(), "carol".to_owned()],
        blocked: None,
        sessions: Vec::new(),
        tx_hashes: Vec::new(),
        receipt: None,
    }
}

/// The same request, mined.
pub fn mined() -> RequestView {
    let hash = format!("0x{}", "ab".repeat(32));
    RequestView {
        sessions: vec![SessionView {
            attempt: 1,
            opener: "alice".to_owned(),
            quorum: vec!["alice".to_owned(), "bob".to_owned()],
            outcome: SessionOutcome::Signed,
            reason: None,
        }],
        tx_hashes: vec![hash.clone()],
        receipt: Some(ReceiptView {
            tx_hash: hash,
            block: 12,
            block_hash: format!("0x{}", "cd".repeat(32)),
            success: true,
            gas_used: 21_000,
            effective_gas_price_wei: "1500000000".to_owned(),
            fee_wei: "31500000000000".to_owned(),
        }),
        ..request(RequestState::Mined)
    }
}

fn intent() -> IntentView {
    let line = |label: &str, value: &str| IntentLine {
        label: label.to_owned(),
        value: value.to_owned(),
    };
    let to = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    IntentView {
        digest: "d1".repeat(32),
        lines: vec![line("Pay", "0.25 ETH"), line("To", to)],
        chain: "eip155:31337".to_owned(),
        chain_name: Some("dev".to_owned()),
        from: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".to_owned(),
        to: to.to_owned(),
        asset: "ETH".to_owned(),
        value_wei: "250000000000000000".to_owned(),
        nonce: 0,
        gas_limit: 21_000,
        max_fee_per_gas_wei: "3000000000".to_owned(),
        max_priority_fee_per_gas_wei: "1000000000".to_owned(),
        max_fee_wei: "63000000000000".to_owned(),
        largest_cost_wei: "250063000000000000".to_owned(),
    }
}

/// A 2-of-2 vault in `phase`.
pub fn vault(name: &str, phase: VaultPhase) -> VaultView {
    let member = |name: &str, index, you| MemberView {
        party: name.repeat(8),
        name: name.to_owned(),
        index: Some(index),
        you,
        controller: "owner".to_owned(),
        trust_domain: name.to_owned(),
        state: MemberState::Joined,
        online: true,
        last_seen_ms: None,
        problem: None,
    };
    VaultView {
        id: "ee".repeat(32),
        name: name.to_owned(),
        threshold: 2,
        size: 2,
        members: vec![member("alice", 1, true), member("bob", 2, false)],
        phase,
        waiting_for: vec![AwaitedMember {
            name: Some("bob".to_owned()),
            what: "to confirm the six words".to_owned(),
        }],
        words: Some(WORDS.split(' ').map(str::to_owned).collect()),
        charter_version: 0,
        epoch: 0,
        addresses: Vec::new(),
        warnings: vec!["test funds only until backups exist".to_owned()],
        created_ms: 1_795_000_000_000,
    }
}
