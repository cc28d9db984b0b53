//! `vault create` and `vault join` without a terminal.

use quorate_api::{CreatedVault, Invitation, VaultPhase};
use serde_json::Value;
use tempfile::tempdir;

use crate::fake::FakeDaemon;
use crate::samples::{self, WORDS};
use crate::typed::quorate;

#[test]
fn create_prints_the_lines_that_the_others_type() {
    let dir = tempdir().unwrap();
    let daemon = FakeDaemon::serve(dir.path(), |_| {
        samples::ok(&CreatedVault {
            vault: samples::vault("family", VaultPhase::Inviting),
            invitations: vec![Invitation {
                code: "7-tango-owl".to_owned(),
                address: "192.0.2.7:4410".to_owned(),
                expires_ms: 1_795_000_000_000,
            }],
        })
    });
    let args = [
        "vault",
        "create",
        "family",
        "--threshold",
        "2",
        "--members",
        "2",
    ];
    let came = quorate(dir.path(), &args);
    assert_eq!(came.code, 0, "{}", came.side);
    let line = "  quorate vault join 7-tango-owl --at 192.0.2.7:4410";
    assert!(came.out.lines().any(|it| it == line), "{}", came.out);
    let seen = &daemon.seen()[0];
    assert_eq!(seen.line, "POST /v1/vaults");
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(
        (&body["threshold"], &body["members"]),
        (&2.into(), &2.into())
    );

    let args = [&args[..], &["--json"]].concat();
    let came = quorate(dir.path(), &args);
    let value: Value = serde_json::from_str(&came.out).unwrap();
    assert_eq!(value["kind"], "created_vault");
    assert_eq!(value["data"]["invitations"][0]["code"], "7-tango-owl");
    assert!(
        value["data"]["next"]
            .as_str()
            .unwrap()
            .contains("six words")
    );
}

#[test]
fn a_dry_run_of_create_needs_no_daemon() {
    let dir = tempdir().unwrap();
    let args = [
        "vault",
        "create",
        "a",
        "--threshold",
        "2",
        "--members",
        "3",
        "--dry-run",
    ];
    let came = quorate(dir.path(), &args);
    assert_eq!(came.code, 0, "{}", came.side);
    assert!(came.out.contains("any 2 of 3 members can pay"));
}

#[test]
fn join_tells_code_and_address() {
    let dir = tempdir().unwrap();
    let daemon = FakeDaemon::serve(dir.path(), |_| {
        samples::ok(&samples::vault("family", VaultPhase::Confirming))
    });
    let came = quorate(
        dir.path(),
        &["vault", "join", "7-owl", "--at", "h:1", "--json"],
    );
    assert_eq!(came.code, 0, "{}", came.side);
    let body: Value = serde_json::from_str(&daemon.seen()[0].body).unwrap();
    assert_eq!(
        (&body["code"], &body["address"]),
        (&"7-owl".into(), &"h:1".into())
    );
    let value: Value = serde_json::from_str(&came.out).unwrap();
    assert_eq!(value["data"]["words"].as_array().unwrap().len(), 6);
    assert!(value["data"]["next"].as_str().unwrap().contains("--words"));
}

#[test]
fn words_confirm_the_only_vault_in_the_making() {
    let dir = tempdir().unwrap();
    let pin = samples::pin_file(dir.path());
    let daemon = FakeDaemon::serve(dir.path(), |seen| match seen.line.as_str() {
        "GET /v1/vaults" => samples::ok(&[
            samples::vault("old", VaultPhase::Active),
            samples::vault("family", VaultPhase::Confirming),
        ]),
        _ => samples::ok(&samples::vault("family", VaultPhase::Keygen)),
    });
    let upper = WORDS.to_uppercase();
    let args = [
        "vault",
        "join",
        "--words",
        &upper,
        "--pin-file",
        pin.to_str().unwrap(),
    ];
    let came = quorate(dir.path(), &args);
    assert_eq!(came.code, 0, "{}", came.side);
    let seen = daemon.seen();
    assert_eq!(seen[1].line, "POST /v1/vault/family/confirm");
    let body: Value = serde_json::from_str(&seen[1].body).unwrap();
    let words: Vec<&str> = WORDS.split(' ').collect();
    assert_eq!(body["words"], Value::from(words));
    assert_eq!(body["pin"], "135790");
}

#[test]
fn words_that_differ_are_exit_11() {
    let dir = tempdir().unwrap();
    let pin = samples::pin_file(dir.path());
    let _daemon = FakeDaemon::serve(dir.path(), |seen| match seen.line.as_str() {
        "GET /v1/vault/family" => samples::ok(&samples::vault("family", VaultPhase::Confirming)),
        _ => {
            let error = r#"{"code":"integrity","message":"the words differ","hint":"stop"}"#;
            (500, error.into())
        }
    });
    let pin = pin.to_str().unwrap();
    let args = [
        "vault",
        "join",
        "--vault",
        "family",
        "--words",
        WORDS,
        "--pin-file",
        pin,
    ];
    assert_eq!(quorate(dir.path(), &args).code, 11);
}

/// `--yes` never answers for the person who compares.
#[test]
fn without_terminal_and_words_nothing_is_confirmed() {
    let dir = tempdir().unwrap();
    let daemon = FakeDaemon::serve(dir.path(), |_| {
        samples::ok(&[samples::vault("family", VaultPhase::Confirming)])
    });
    let came = quorate(dir.path(), &["vault", "join", "--yes"]);
    assert_eq!(came.code, 12);
    assert!(came.side.contains("--words"));
    assert!(
        daemon
            .seen()
            .iter()
            .all(|seen| seen.line.starts_with("GET "))
    );
}

#[test]
fn a_vault_that_is_not_ready_in_time_is_exit_7_and_says_who_is_awaited() {
    let dir = tempdir().unwrap();
    let _daemon = FakeDaemon::serve(dir.path(), |_| {
        samples::ok(&samples::vault("family", VaultPhase::Inviting))
    });
    let args = ["vault", "join", "c", "--at", "h:1", "--wait=1s"];
    let came = quorate(dir.path(), &args);
    assert_eq!(came.code, 7, "{}", came.side);
    assert!(
        came.side
            .contains("Waiting for bob to confirm the six words."),
        "{}",
        came.side
    );
}

#[test]
fn receive_without_an_address_is_pending() {
    let dir = tempdir().unwrap();
    let _daemon = FakeDaemon::serve(dir.path(), |_| {
        samples::ok(&samples::vault("family", VaultPhase::Keygen))
    });
    let came = quorate(dir.path(), &["receive", "--vault", "family"]);
    assert_eq!(came.code, 7, "{}", came.side);
}
