//! Every error says what it is, what to do next, and ends with its exit code.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use quorate_api::{ApiError, Done, ErrorCode, STORE_FILE, VaultPhase};
use tempfile::tempdir;

use crate::fake::FakeDaemon;
use crate::samples;
use crate::typed::quorate;

#[test]
fn a_folder_that_is_none_is_exit_5() {
    let dir = tempdir().unwrap();
    let came = quorate(dir.path(), &["balance"]);
    assert_eq!(came.code, 5);
    assert!(came.side.starts_with("error: "), "{}", came.side);
    assert!(
        came.side
            .contains("\nhint: make this folder a member's with `quorate node init`")
    );
    assert_eq!(came.out, "");
}

#[test]
fn no_daemon_is_exit_4_for_every_command_that_needs_one() {
    let dir = tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(dir.path().join(STORE_FILE), "").unwrap();
    for line in [
        "send 1 ETH --to 0x00",
        "receive",
        "balance",
        "history",
        "approve 3f",
        "reject 3f",
        "requests",
        "request show 3f",
        "request cancel 3f",
        "request wait 3f",
        "request replace 3f",
        "watch",
        "vault create a --threshold 2 --members 2",
        "vault join c --at h:1",
        "vault join",
        "vault list",
        "vault show",
        "address list",
        "log show",
        "log export x",
        "chain add dev --rpc http://h",
        "chain list",
        "chain show dev",
        "chain remove dev",
        "node status",
        "node pin",
        "doctor",
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let came = quorate(dir.path(), &args);
        assert_eq!(came.code, 4, "{line}: {}", came.side);
        assert!(
            came.side.contains("hint: start it in another terminal"),
            "{line}"
        );
    }
}

#[test]
fn every_class_of_the_daemon_is_its_exit_code() {
    for code in ErrorCode::ALL {
        let dir = tempdir().unwrap();
        let error = ApiError::new(code, "what", "do this");
        let body = serde_json::to_string(&error).unwrap();
        let _daemon = FakeDaemon::serve(dir.path(), move |_| (code.http_status(), body.clone()));
        let came = quorate(dir.path(), &["chain", "list"]);
        assert_eq!(came.code, code.exit_code());
        assert_eq!(came.side, "error: what\nhint: do this\n");
    }
}

#[test]
fn with_json_an_error_is_an_envelope_too() {
    let dir = tempdir().unwrap();
    let came = quorate(dir.path(), &["vault", "list", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&came.out).unwrap();
    assert_eq!(error["version"], 1);
    assert_eq!(error["kind"], "error");
    assert_eq!(error["data"]["code"], "not_found");
    assert!(came.side.starts_with("error: "));
}

#[test]
fn usage_errors_are_exit_2_and_lead_to_examples() {
    let dir = tempdir().unwrap();
    for line in [
        "transfer",
        "send",
        "send -1 ETH --to 0x00",
        "send 1,5 ETH --to 0x00",
        "send 0 ETH --to 0x00",
        "send 0.0000000000000000001 ETH --to 0x00",
        "approve xyz",
        "vault create Family --threshold 2 --members 3",
        "vault create a --threshold 1 --members 3",
        "vault create a --threshold 2 --members 17",
        "vault create a --threshold 2 --members 4",
        "balance --wait=soon",
        "chain add dev --rpc ftp://x",
        "node run --listen nowhere",
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let came = quorate(dir.path(), &args);
        assert_eq!(came.code, 2, "{line}: {}", came.side);
        assert!(came.side.starts_with("error: "), "{line}: {}", came.side);
        assert!(came.side.contains("\nhint: "), "{line}: {}", came.side);
        assert!(!came.side.contains("For more information"), "{line}");
    }
}

#[test]
fn a_dry_run_that_would_be_none_is_refused() {
    let dir = tempdir().unwrap();
    let daemon = FakeDaemon::serve(dir.path(), |_| samples::ok(&Done::OK));
    let came = quorate(dir.path(), &["chain", "remove", "dev", "--dry-run"]);
    assert_eq!(came.code, 2);
    assert!(daemon.seen().is_empty());
}

#[test]
fn without_vaults_or_with_several_the_hint_says_how_to_go_on() {
    let dir = tempdir().unwrap();
    let _none = FakeDaemon::serve(dir.path(), |_| (200, "[]".into()));
    let came = quorate(dir.path(), &["balance"]);
    assert_eq!(came.code, 5);
    assert!(came.side.contains("quorate vault create"));

    let two = [
        samples::vault("family", VaultPhase::Active),
        samples::vault("club", VaultPhase::Active),
    ];
    let _two = FakeDaemon::serve(dir.path(), move |_| samples::ok(&two));
    let came = quorate(dir.path(), &["balance"]);
    assert_eq!(came.code, 2);
    assert!(
        came.side
            .contains("hint: name one with --vault: family, club"),
        "{}",
        came.side
    );
}

#[test]
fn help_version_and_completions_need_no_daemon() {
    let dir = tempdir().unwrap();
    for args in [
        &["--help"][..],
        &["send", "--help"],
        &["vault", "create", "-h"],
    ] {
        let came = quorate(dir.path(), args);
        assert_eq!(came.code, 0);
        assert!(
            came.out.starts_with("Examples:\n"),
            "{args:?}: {}",
            came.out
        );
    }
    assert!(
        quorate(dir.path(), &["--version"])
            .out
            .starts_with("quorate ")
    );
    let came = quorate(dir.path(), &["completions", "bash"]);
    assert!(came.code == 0 && came.out.contains("_quorate"));
}

#[test]
fn doctor_names_what_is_wrong_and_says_test_funds_only() {
    let dir = tempdir().unwrap();
    let came = quorate(dir.path(), &["doctor"]);
    assert_eq!(came.code, 5);
    assert!(came.out.contains("FAIL  folder"), "{}", came.out);
    assert!(came.out.contains("use test funds only"), "{}", came.out);

    let _daemon = FakeDaemon::serve(dir.path(), |_| {
        (
            200,
            r#"[{"name":"disk","level":"ok","detail":"40 GB free","hint":null}]"#.into(),
        )
    });
    let came = quorate(dir.path(), &["doctor"]);
    assert_eq!(came.code, 0, "{}", came.side);
    assert!(
        came.out.contains("ok    disk     40 GB free"),
        "{}",
        came.out
    );
}

#[test]
fn what_is_no_bundle_is_told_apart_from_what_is_not_there() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("bundle.json");
    let args = ["log", "verify", file.to_str().unwrap()];
    assert_eq!(quorate(dir.path(), &args).code, 5);
    for text in ["", "{}", "[1,2", "{\"version\":9}"] {
        fs::write(&file, text).unwrap();
        let came = quorate(dir.path(), &args);
        assert_eq!(came.code, 11, "{text}: {}", came.side);
        assert!(came.side.contains("hint: "), "{}", came.side);
    }
}
