//! What the client does with good, bad and hostile answers.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use quorate_api::{
    ADDR_FILE, API_VERSION, Approve, ChangeSecret, Client, ClientError, ErrorCode, LogQuery,
    STORE_FILE, Secret, TOKEN_FILE,
};
use tempfile::tempdir;

use crate::fake::{FakeDaemon, TOKEN, write_endpoint};

const NONCE: [u8; 32] = [7; 32];

fn refused(dir: &Path) -> ClientError {
    match Client::connect(dir, NONCE) {
        Ok(_) => panic!("connected"),
        Err(error) => error,
    }
}

#[test]
fn a_folder_without_a_store_is_not_initialised() {
    let dir = tempdir().unwrap();
    let error = refused(dir.path());
    assert!(
        matches!(error, ClientError::NotInitialised { .. }),
        "{error}"
    );
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert!(error.hint().contains("quorate node init"));
}

#[test]
fn without_endpoint_files_the_daemon_is_not_running() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join(STORE_FILE), "").unwrap();
    let error = refused(dir.path());
    assert!(
        matches!(error, ClientError::DaemonNotRunning { .. }),
        "{error}"
    );
    assert_eq!(error.code(), ErrorCode::Network);
    assert!(error.hint().contains("quorate node run"));
}

#[test]
fn a_port_that_nobody_serves_is_a_daemon_that_died() {
    let dir = tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    write_endpoint(dir.path(), &addr.to_string());
    let error = refused(dir.path());
    assert!(matches!(error, ClientError::DaemonNotRunning { dir: named } if named == dir.path()));
}

/// Threat: the daemon died, another user of the machine took its port, and waits for a PIN.
#[test]
fn a_listener_that_does_not_know_the_token_is_told_nothing() {
    let dir = tempdir().unwrap();
    let daemon = FakeDaemon::with_hello(dir.path(), API_VERSION, "another", |_| (200, "{}".into()));
    let error = refused(dir.path());
    assert!(matches!(error, ClientError::Impostor { .. }), "{error}");
    assert_eq!(error.code(), ErrorCode::Integrity);
    assert!(daemon.seen().is_empty());
}

/// Threat: the endpoint file is pointed at another machine.
#[test]
fn an_address_beyond_this_machine_is_refused() {
    let dir = tempdir().unwrap();
    for addr in [
        "192.0.2.1:80",
        "0.0.0.0:80",
        "localhost:80",
        "127.0.0.1",
        "",
    ] {
        write_endpoint(dir.path(), addr);
        let error = refused(dir.path());
        assert!(
            matches!(error, ClientError::EndpointFile { .. }),
            "{addr}: {error}"
        );
    }
}

/// Threat: another user of the machine reads the token.
#[test]
fn a_token_that_others_can_read_is_refused() {
    let dir = tempdir().unwrap();
    write_endpoint(dir.path(), "127.0.0.1:9");
    let token = dir.path().join(TOKEN_FILE);
    fs::set_permissions(&token, fs::Permissions::from_mode(0o640)).unwrap();
    let error = refused(dir.path());
    assert!(error.to_string().contains("other users"), "{error}");
}

#[test]
fn a_token_that_would_break_out_of_its_header_is_refused() {
    let dir = tempdir().unwrap();
    write_endpoint(dir.path(), "127.0.0.1:9");
    for token in ["", "a b", "a\r\nX: y"] {
        fs::write(dir.path().join(TOKEN_FILE), token).unwrap();
        assert!(matches!(
            refused(dir.path()),
            ClientError::EndpointFile { .. }
        ));
    }
    fs::write(dir.path().join(ADDR_FILE), "1".repeat(600)).unwrap();
    assert!(matches!(
        refused(dir.path()),
        ClientError::EndpointFile { .. }
    ));
}

#[test]
fn another_api_version_is_named() {
    let dir = tempdir().unwrap();
    let _daemon = FakeDaemon::with_hello(dir.path(), 2, TOKEN, |_| (200, "{}".into()));
    let error = refused(dir.path());
    assert!(
        matches!(error, ClientError::Version { ours: 1, theirs: 2 }),
        "{error}"
    );
}

#[test]
fn every_call_carries_the_token_and_stays_in_its_path() {
    let dir = tempdir().unwrap();
    let daemon = FakeDaemon::serve(dir.path(), |_| (200, r#"{"heads":[],"entries":[]}"#.into()));
    let client = Client::connect(dir.path(), NONCE).unwrap();
    let query = LogQuery {
        author: Some("a&b=c".to_owned()),
        from: Some(3),
        ..LogQuery::default()
    };
    client.log("x/../status", &query).unwrap();
    let seen = &daemon.seen()[0];
    assert_eq!(
        seen.line,
        "GET /v1/vault/x%2F%2E%2E%2Fstatus/log?author=a%26b%3Dc&from=3"
    );
    assert_eq!(seen.headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(seen.headers["host"], daemon.addr.to_string());
    assert!(!seen.headers.contains_key("origin"));
}

#[test]
fn a_pin_travels_in_the_body_alone() {
    let dir = tempdir().unwrap();
    let daemon = FakeDaemon::serve(dir.path(), |_| {
        let error = r#"{"code":"locked","message":"wrong PIN","hint":"try again"}"#;
        (401, error.into())
    });
    let client = Client::connect(dir.path(), NONCE).unwrap();
    let body = Approve {
        intent_digest: "ab".to_owned(),
        pin: Secret::new("123456".to_owned().into()),
    };
    let error = client.approve("family", "3f", &body).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Locked);
    assert_eq!(error.to_string(), "wrong PIN");
    assert_eq!(error.hint(), "try again");
    let seen = &daemon.seen()[0];
    assert_eq!(seen.line, "POST /v1/vault/family/request/3f/approve");
    assert_eq!(seen.body, r#"{"intent_digest":"ab","pin":"123456"}"#);
    assert!(!format!("{body:?}").contains("123456"));
}

#[test]
fn an_answer_that_makes_no_sense_is_no_panic() {
    let dir = tempdir().unwrap();
    let _daemon = FakeDaemon::serve(dir.path(), |seen| match seen.line.as_str() {
        "GET /v1/status" => (200, "[]".into()),
        "GET /v1/vaults" => (500, "<html>".into()),
        "GET /v1/chains" => (302, String::new()),
        _ => (200, "{".repeat(100_000)),
    });
    let client = Client::connect(dir.path(), NONCE).unwrap();
    assert!(matches!(client.status(), Err(ClientError::Malformed(_))));
    assert!(matches!(client.vaults(), Err(ClientError::Malformed(_))));
    assert!(matches!(client.chains(), Err(ClientError::Malformed(_))));
    assert!(matches!(client.vault("x"), Err(ClientError::Malformed(_))));
}

/// Threat: the daemon dies while the person types the PIN, and another program takes its port.
#[test]
fn who_listens_is_asked_again_before_a_secret_is_told() {
    let dir = tempdir().unwrap();
    let daemon = FakeDaemon::serve(dir.path(), |_| (200, r#"{"done":true}"#.into()));
    let client = Client::connect(dir.path(), NONCE).unwrap();
    daemon.forget_token();
    let secret = || Secret::new("123456".to_owned().into());
    let body = ChangeSecret {
        old: secret(),
        new: secret(),
    };
    let error = client.change_pin(&body).unwrap_err();
    assert!(matches!(error, ClientError::Impostor { .. }), "{error}");
    assert!(daemon.seen().is_empty());
}
