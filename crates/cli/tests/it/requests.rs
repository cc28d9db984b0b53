//! Requests: what is sent to the daemon, what the person reads, what the exit code says.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use quorate_api::{RequestState, VaultPhase};
use serde_json::Value;
use tempfile::tempdir;

use crate::fake::{FakeDaemon, Seen};
use crate::samples::{self, ID};
use crate::typed::quorate;

/// A daemon with the vault `family` whose every request answer is `request`.
fn family(dir: &std::path::Path, request: quorate_api::RequestView) -> FakeDaemon {
    FakeDaemon::serve(dir, move |seen| match seen.line.as_str() {
        "GET /v1/vaults" => samples::ok(&[samples::vault("family", VaultPhase::Active)]),
        line if line.contains("/requests") || line.ends_with("/history") => {
            samples::ok(&std::slice::from_ref(&request))
        }
        _ => samples::ok(&request),
    })
}

fn last(daemon: &FakeDaemon) -> Seen {
    daemon.seen().pop().unwrap()
}

#[test]
fn send_asks_for_exactly_what_was_typed() {
    let dir = tempdir().unwrap();
    let daemon = family(
        dir.path(),
        samples::request(RequestState::WaitingForApprovals),
    );
    let line = "send 00.250 ETH --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --note roof \
                --expires 2h --chain dev --idempotency-key k1 --max-fee 0.01";
    let args: Vec<&str> = line.split_whitespace().collect();
    let came = quorate(dir.path(), &args);
    assert_eq!(came.code, 0, "{}", came.side);
    let seen = last(&daemon);
    assert_eq!(seen.line, "POST /v1/vault/family/send");
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body["amount"], "0.25");
    assert_eq!(body["asset"], "ETH");
    assert_eq!(body["to"], "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    assert_eq!(body["note"], "roof");
    assert_eq!(body["expires_in_ms"], 7_200_000);
    assert_eq!(body["chain"], "dev");
    assert_eq!(body["idempotency_key"], "k1");
    assert_eq!(body["max_fee_wei"], "10000000000000000");
    assert!(
        came.out
            .starts_with("Request 3f9a12bc: waits for approvals, 1 of 2\n")
    );
    assert!(came.side.contains("Next: quorate approve 3f9a12bc"));
}

#[test]
fn a_dry_run_asks_for_a_preview_only() {
    let dir = tempdir().unwrap();
    let daemon = FakeDaemon::serve(dir.path(), |_| {
        let intent = serde_json::to_value(samples::request(RequestState::Ready).intent).unwrap();
        samples::ok(&serde_json::json!({
            "vault": "family", "intent": intent, "needed": 2, "expires_ms": 1_795_000_000_000_u64,
            "estimated_fee_wei": "31500000000000", "warnings": ["the balance is too low"],
        }))
    });
    let args = [
        "send",
        "max",
        "ETH",
        "--to",
        "0x0",
        "--vault",
        "family",
        "--dry-run",
    ];
    let came = quorate(dir.path(), &args);
    assert_eq!(came.code, 0, "{}", came.side);
    assert_eq!(daemon.seen().len(), 1);
    assert_eq!(last(&daemon).line, "POST /v1/vault/family/preview");
    assert!(
        came.out.contains("Fee at today's price  0.0000315 ETH"),
        "{}",
        came.out
    );
    assert!(
        came.out.contains("Warning: the balance is too low"),
        "{}",
        came.out
    );
}

#[test]
fn approve_approves_what_was_shown_and_nothing_else() {
    let dir = tempdir().unwrap();
    let pin = samples::pin_file(dir.path());
    let daemon = family(
        dir.path(),
        samples::request(RequestState::WaitingForApprovals),
    );
    let came = quorate(
        dir.path(),
        &["approve", "3f9a", "--pin-file", pin.to_str().unwrap()],
    );
    assert_eq!(came.code, 0, "{}", came.side);
    let seen = daemon.seen();
    assert_eq!(seen[1].line, "GET /v1/vault/family/request/3f9a");
    assert_eq!(
        seen[2].line,
        format!("POST /v1/vault/family/request/{ID}/approve")
    );
    let body: Value = serde_json::from_str(&seen[2].body).unwrap();
    assert_eq!(body["intent_digest"], "d1".repeat(32));
    assert_eq!(body["pin"], "135790");
    assert!(!came.out.contains("135790") && !came.side.contains("135790"));
}

#[test]
fn yes_never_stands_for_the_pin() {
    let dir = tempdir().unwrap();
    let daemon = family(
        dir.path(),
        samples::request(RequestState::WaitingForApprovals),
    );
    let came = quorate(dir.path(), &["approve", "3f9a", "--yes"]);
    assert_eq!(came.code, 12);
    assert!(came.side.contains("--pin-file"));
    assert!(
        daemon
            .seen()
            .iter()
            .all(|seen| seen.line.starts_with("GET "))
    );
}

#[test]
fn a_dead_request_is_not_worth_a_pin() {
    let dir = tempdir().unwrap();
    let _daemon = family(dir.path(), samples::request(RequestState::Expired));
    let came = quorate(dir.path(), &["approve", "3f9a"]);
    assert_eq!(came.code, 6);
    assert!(
        came.side.contains("can no longer be approved: expired"),
        "{}",
        came.side
    );
}

#[test]
fn dry_runs_of_approve_reject_and_cancel_change_nothing() {
    let dir = tempdir().unwrap();
    let daemon = family(
        dir.path(),
        samples::request(RequestState::WaitingForApprovals),
    );
    for args in [
        &["approve", "3f", "--dry-run"][..],
        &["reject", "3f", "--dry-run"],
        &["request", "cancel", "3f", "--dry-run"],
    ] {
        assert_eq!(quorate(dir.path(), args).code, 0);
    }
    assert!(
        daemon
            .seen()
            .iter()
            .all(|seen| seen.line.starts_with("GET "))
    );
}

#[test]
fn reject_tells_the_reason() {
    let dir = tempdir().unwrap();
    let daemon = family(dir.path(), samples::request(RequestState::Rejected));
    let came = quorate(dir.path(), &["reject", "3f", "--note", "not ours"]);
    assert_eq!(came.code, 0, "{}", came.side);
    assert_eq!(last(&daemon).body, r#"{"reason":"not ours"}"#);
    let long = "x".repeat(281);
    assert_eq!(
        quorate(dir.path(), &["reject", "3f", "--note", &long]).code,
        2
    );
}

#[test]
fn a_mined_request_shows_all_that_matters() {
    let dir = tempdir().unwrap();
    let _daemon = family(dir.path(), samples::mined());
    let came = quorate(dir.path(), &["request", "show", "3f"]);
    let hash = "ab".repeat(32);
    for line in [
        "Request 3f9a12bc: mined",
        "  Pay          0.25 ETH",
        "  To           0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "  Note         new roof",
        "  Session      1, opened by alice with alice, bob, signed",
        &format!("  Transaction  0x{hash}"),
        "  Receipt      block 12, success",
        "  Fee paid     0.0000315 ETH (21000 gas at 1.5 gwei)",
        &format!("  Id           {ID}"),
    ] {
        assert!(
            came.out.lines().any(|it| it == line),
            "{line}\n{}",
            came.out
        );
    }
}

#[test]
fn json_is_the_whole_request_in_an_envelope() {
    let dir = tempdir().unwrap();
    let _daemon = family(dir.path(), samples::mined());
    let came = quorate(dir.path(), &["requests", "--json"]);
    assert_eq!(came.out.lines().count(), 1);
    let value: Value = serde_json::from_str(&came.out).unwrap();
    assert_eq!(value["kind"], "requests");
    let expected = serde_json::to_value([samples::mined()]).unwrap();
    assert_eq!(value["data"], expected);
}

#[test]
fn lists_have_a_line_a_request() {
    let dir = tempdir().unwrap();
    let daemon = family(
        dir.path(),
        samples::request(RequestState::WaitingForApprovals),
    );
    let came = quorate(dir.path(), &["requests", "--state", "mine"]);
    assert_eq!(
        last(&daemon).line,
        "GET /v1/vault/family/requests?state=awaits_you"
    );
    let words: Vec<&str> = came
        .out
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(words[..3], ["3f9a12bc", "0.25", "ETH"]);
    assert_eq!(came.out.lines().count(), 2, "{}", came.out);
    let came = quorate(dir.path(), &["history"]);
    assert_eq!(came.code, 0);
}

#[test]
fn a_wait_that_ends_early_says_why_by_its_exit_code() {
    let dir = tempdir().unwrap();
    for (state, code) in [
        (RequestState::WaitingForApprovals, 7),
        (RequestState::Broadcast, 8),
        (RequestState::Rejected, 6),
    ] {
        let _daemon = family(dir.path(), samples::request(state));
        let came = quorate(
            dir.path(),
            &["request", "wait", "3f", "--wait=1s", "--json"],
        );
        assert_eq!(came.code, code, "{}", came.side);
        let value: Value = serde_json::from_str(&came.out).unwrap();
        assert_eq!(value["kind"], "request");
        assert!(came.side.contains("error: ") && came.side.contains("hint: "));
    }
    let _daemon = family(dir.path(), samples::mined());
    assert_eq!(quorate(dir.path(), &["request", "wait", "3f"]).code, 0);
}

/// Threat: the note of another member rewrites what an approver reads.
#[test]
fn a_note_cannot_steer_the_terminal_nor_fake_a_line() {
    let dir = tempdir().unwrap();
    let mut request = samples::request(RequestState::WaitingForApprovals);
    request.note = Some("x\u{1b}[1A\u{1b}[2K\n  Pay  0.01 ETH\u{202e}".to_owned());
    let _daemon = family(dir.path(), request);
    let came = quorate(dir.path(), &["request", "show", "3f"]);
    assert!(!came.out.contains(['\u{1b}', '\u{202e}']), "{}", came.out);
    let pays = came
        .out
        .lines()
        .filter(|it| it.trim_start().starts_with("Pay"));
    assert_eq!(pays.count(), 1, "{}", came.out);
}

#[test]
fn an_exported_log_is_private_and_overwrites_nothing() {
    let dir = tempdir().unwrap();
    let _daemon = FakeDaemon::serve(dir.path(), |_| (200, "bundle".into()));
    let file = dir.path().join("bundle.json");
    let args = ["log", "export", file.to_str().unwrap(), "--vault", "family"];
    let came = quorate(dir.path(), &args);
    assert_eq!(came.code, 0, "{}", came.side);
    assert_eq!(fs::read_to_string(&file).unwrap(), "bundle");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(quorate(dir.path(), &args).code, 9);
    assert_eq!(fs::read_to_string(&file).unwrap(), "bundle");
}

/// A person types the id that a colleague named an hour ago; its machine has asked again since.
#[test]
fn an_old_id_means_the_request_that_was_asked_in_its_place() {
    let later = "77".repeat(32);
    for line in [
        "request show",
        "approve",
        "reject",
        "request cancel",
        "request wait",
    ] {
        let dir = tempdir().unwrap();
        let pin = samples::pin_file(dir.path());
        let mut old = samples::request(RequestState::Cancelled);
        old.asked_again_as = Some(later.clone());
        let mut new = samples::mined();
        if line != "request wait" {
            new = samples::request(RequestState::WaitingForApprovals);
        }
        new.id.clone_from(&later);
        new.in_place_of = Some(ID.to_owned());
        let daemon = FakeDaemon::serve(dir.path(), move |seen| {
            if seen.line == "GET /v1/vaults" {
                samples::ok(&[samples::vault("family", VaultPhase::Active)])
            } else if seen.line.contains(ID) {
                samples::ok(&old)
            } else {
                samples::ok(&new)
            }
        });
        let mut args: Vec<&str> = line.split(' ').collect();
        args.push(ID);
        let pin = pin.to_str().unwrap();
        if line == "approve" {
            args.extend(["--pin-file", pin]);
        }
        let came = quorate(dir.path(), &args);
        assert_eq!(came.code, 0, "{line}: {}", came.side);
        assert!(
            came.side.contains(
                "3f9a12bc lost its slot to another request and was asked again as 77777777"
            ),
            "{line}: {}",
            came.side
        );
        assert!(
            last(&daemon).line.contains(&later),
            "{line}: {}",
            last(&daemon).line
        );
        assert!(came.out.contains("In place of"), "{line}: {}", came.out);
    }
}
