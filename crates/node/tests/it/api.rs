//! Other programs and web pages against the local API: spoken by hand over TCP.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use quorate_api::{ChangeSecret, ErrorCode, EventQuery, hello_proof_matches};

use crate::member::{Member, PIN, refused, secret};

struct Answer {
    status: u16,
    body: String,
}

/// Sends one request as it is written; `{host}` and `{token}` stand for the daemon's own.
fn say(member: &Member, request: &str) -> Answer {
    let address = member.running.as_ref().unwrap().api();
    let token = std::fs::read_to_string(member.folder().join("api.token")).unwrap();
    let request = request
        .replace("{host}", &address.to_string())
        .replace("{token}", &token)
        .replace('\n', "\r\n");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(!head.to_lowercase().contains("access-control"), "{head}");
    Answer {
        status,
        body: body.to_owned(),
    }
}

fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST /v1{path} HTTP/1.1\nConnection: close\nContent-Type: application/json\nContent-Length: {}\n{headers}\n{body}",
        body.len()
    )
}

const CREATE: &str = r#"{"name":"family","threshold":2,"members":3}"#;

/// CSRF, DNS rebinding and programs without the token: refused, and nothing has happened.
#[test]
fn strangers_are_refused_without_side_effects() {
    let member = Member::new("alice");
    let cases = [
        ("no token", "Host: {host}\n", 401),
        (
            "wrong token",
            "Host: {host}\nAuthorization: Bearer 00\n",
            401,
        ),
        (
            "token in another scheme",
            "Host: {host}\nAuthorization: Basic {token}\n",
            401,
        ),
        (
            "rebound name",
            "Host: evil.example\nAuthorization: Bearer {token}\n",
            403,
        ),
        (
            "a page of another origin",
            "Host: {host}\nOrigin: http://evil.example\nAuthorization: Bearer {token}\n",
            403,
        ),
        (
            "a sandboxed page",
            "Host: {host}\nOrigin: null\nAuthorization: Bearer {token}\n",
            403,
        ),
    ];
    for (name, headers, status) in cases {
        let answer = say(&member, &post("/vaults", headers, CREATE));
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
        assert!(answer.body.contains("\"hint\""), "{name}: {}", answer.body);
    }
    let preflight = "OPTIONS /v1/vaults HTTP/1.1\nConnection: close\nHost: {host}\nOrigin: http://evil.example\nAccess-Control-Request-Method: POST\n\n";
    assert_eq!(say(&member, preflight).status, 403);
    assert!(member.client().vaults().unwrap().is_empty());
    assert!(member.client().status().unwrap().pairing.is_none());

    let own = "Host: {host}\nAuthorization: Bearer {token}\n";
    assert_eq!(say(&member, &post("/vaults", own, CREATE)).status, 200);
    assert_eq!(member.client().vaults().unwrap().len(), 1);
}

/// Threat: a program without the token holds every place of the API with headers that it never finishes, or with bodies.
#[test]
fn slow_strangers_do_not_hold_the_api() {
    let member = Member::new("alice");
    let address = member.running.as_ref().unwrap().api();
    let starts = [
        "",
        "GET /v1/status HTTP/1.1\r\nHost: 127",
        "POST /v1/vaults HTTP/1.1\r\nHost: evil\r\nContent-Length: 9\r\n\r\n{",
    ];
    let mut held: Vec<TcpStream> = (0..300)
        .map(|number| {
            let mut stream = TcpStream::connect(address).unwrap();
            let start = starts[number % starts.len()];
            stream.write_all(start.as_bytes()).unwrap();
            stream
        })
        .collect();
    assert_eq!(member.client().status().unwrap().name, "alice");
    for stream in held.iter_mut().take(starts.len()) {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut answer = Vec::new();
        // It is hung up on, with a refusal or without; it does not stay open.
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

#[test]
fn bodies_are_bounded_and_unknown_fields_refused() {
    let member = Member::new("alice");
    let own = "Host: {host}\nAuthorization: Bearer {token}\n";
    let large = format!(
        r#"{{"name":"{}","threshold":2,"members":3}}"#,
        "x".repeat(70_000)
    );
    let odd = r#"{"name":"family","threshold":2,"members":3,"admin":true}"#;
    for body in [large.as_str(), odd, "", "[]", "{", r#"{"name":"family"}"#] {
        let answer = say(&member, &post("/vaults", own, body));
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    assert_eq!(say(&member, &post("/nothing", own, "{}")).status, 404);
    assert!(member.client().vaults().unwrap().is_empty());
}

/// A body that cannot be read may hold a PIN; no error repeats it.
#[test]
fn errors_do_not_repeat_what_was_sent() {
    let member = Member::new("alice");
    let own = "Host: {host}\nAuthorization: Bearer {token}\n";
    for body in [
        r#"{"old":"canary-4711"}"#,
        r#"{"old":"canary-4711","new":"canary-4712","canary":1}"#,
        r#"{"old":canary-4711}"#,
    ] {
        let answer = say(&member, &post("/pin", own, body));
        assert_eq!(answer.status, 400);
        assert!(!answer.body.contains("canary"), "{}", answer.body);
    }
}

#[test]
fn the_hello_proves_the_token_and_tells_it_to_nobody() {
    let member = Member::new("alice");
    let nonce = "ab".repeat(32);
    let answer = say(
        &member,
        &format!("GET /v1/hello?nonce={nonce} HTTP/1.1\nConnection: close\nHost: {{host}}\n\n"),
    );
    let token = std::fs::read_to_string(member.folder().join("api.token")).unwrap();
    let hello: quorate_api::Hello = serde_json::from_str(&answer.body).unwrap();
    assert!(hello_proof_matches(&token, &nonce, &hello.proof));
    assert!(!answer.body.contains(&token));
    let mode = std::fs::metadata(member.folder().join("api.token"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_token_is_fresh_each_time_and_gone_when_the_daemon_is() {
    let mut member = Member::new("alice");
    let path = member.folder().join("api.token");
    let first = std::fs::read_to_string(&path).unwrap();
    member.stop();
    assert!(!path.exists() && !member.folder().join("api.addr").exists());
    member.start();
    assert_ne!(first, std::fs::read_to_string(&path).unwrap());
}

/// Guessing the PIN: five tries, then waits, and a restart wins none.
#[test]
fn wrong_pins_run_out_and_a_restart_brings_none_back() {
    let mut member = Member::new("alice");
    let change = |old: &str| ChangeSecret {
        old: secret(old),
        new: secret("111222"),
    };
    for left in (1..=4).rev() {
        let (code, message) = refused(member.client().change_pin(&change("000000")));
        assert_eq!(
            (code, message.as_str()),
            (ErrorCode::Locked, "wrong PIN"),
            "{left}"
        );
    }
    assert_eq!(
        refused(member.client().change_pin(&change("000000"))).1,
        "too many wrong PINs"
    );
    assert_eq!(
        refused(member.client().change_pin(&change(PIN))).1,
        "too many wrong PINs"
    );
    member.stop();
    member.start();
    assert_eq!(
        refused(member.client().change_pin(&change(PIN))).1,
        "too many wrong PINs"
    );
}

#[test]
fn the_pin_and_the_passphrase_can_be_changed() {
    let mut member = Member::new("alice");
    let client = member.client();
    client
        .change_pin(&ChangeSecret {
            old: secret(PIN),
            new: secret("111222"),
        })
        .unwrap();
    assert_eq!(
        refused(client.change_pin(&ChangeSecret {
            old: secret(PIN),
            new: secret("999999")
        }))
        .0,
        ErrorCode::Locked
    );
    client
        .change_pin(&ChangeSecret {
            old: secret("111222"),
            new: secret(PIN),
        })
        .unwrap();
    assert_eq!(
        refused(client.change_pin(&ChangeSecret {
            old: secret(PIN),
            new: secret("1")
        }))
        .0,
        ErrorCode::Usage
    );

    let wrong = ChangeSecret {
        old: secret("not this one"),
        new: secret("another passphrase"),
    };
    assert_eq!(
        refused(client.change_passphrase(&wrong)).0,
        ErrorCode::Locked
    );
    let right = ChangeSecret {
        old: secret(crate::member::PASSPHRASE),
        new: secret("another passphrase"),
    };
    client.change_passphrase(&right).unwrap();
    member.stop();
    let old = quorate_node::start(crate::member::options(&member.folder()));
    assert_eq!(old.err().map(|error| error.exit_code()), Some(3));
}

#[test]
fn events_wait_for_what_happens() {
    let member = Member::new("alice");
    let client = member.client();
    let now = client.events(&EventQuery::default()).unwrap();
    let query = EventQuery {
        since: Some(now.next),
        vault: None,
        timeout_ms: Some(300),
    };
    let begun = std::time::Instant::now();
    let page = client.events(&query).unwrap();
    assert!(page.events.is_empty() && !page.gap);
    assert!(begun.elapsed() >= Duration::from_millis(300));
}
