//! `watch` and its hook.

use std::fs;

use quorate_api::{EventKind, EventPage, EventView, RequestState};
use serde_json::Value;
use tempfile::tempdir;

use crate::fake::FakeDaemon;
use crate::samples::{self, ID};
use crate::typed::quorate;

/// One event at first, then none, with one request that waits for this member.
fn daemon(dir: &std::path::Path) -> FakeDaemon {
    FakeDaemon::serve(dir, |seen| {
        if seen.line.contains("/requests?") {
            return samples::ok(&[samples::request(RequestState::WaitingForApprovals)]);
        }
        let event = EventView {
            seq: 1,
            at_ms: 1_795_000_000_000,
            kind: EventKind::Requested,
            vault: Some("family".to_owned()),
            request: Some(ID.to_owned()),
            summary: "alice requests 0.25 ETH".to_owned(),
        };
        let events = if seen.line.contains("since=0") {
            vec![event]
        } else {
            Vec::new()
        };
        let next = u64::from(seen.line.contains("since="));
        std::thread::sleep(std::time::Duration::from_millis(50));
        samples::ok(&EventPage {
            next,
            gap: false,
            events,
        })
    })
}

#[test]
fn the_hook_gets_the_id_as_argument_and_the_request_on_standard_input_once() {
    let dir = tempdir().unwrap();
    let _daemon = daemon(dir.path());
    let out = dir.path().join("told");
    let hook = format!("(echo \"$1\"; cat; echo) >> {}", out.display());
    let args = ["watch", "--vault", "family", "--exec", &hook, "--wait=1s"];
    let came = quorate(dir.path(), &args);
    assert_eq!(came.code, 0, "{}", came.side);
    let told = fs::read_to_string(out).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert_eq!(lines[0], ID);
    let value: Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(value["kind"], "request");
    assert_eq!(value["data"]["note"], "new roof");
}

#[test]
fn a_hook_that_fails_is_told_and_the_watch_goes_on() {
    let dir = tempdir().unwrap();
    let _daemon = daemon(dir.path());
    let args = [
        "watch",
        "--vault",
        "family",
        "--exec",
        "exit 3",
        "--wait=1s",
    ];
    let came = quorate(dir.path(), &args);
    assert_eq!(came.code, 0, "{}", came.side);
    assert!(
        came.side.contains("the hook ended with exit status: 3"),
        "{}",
        came.side
    );
}

#[test]
fn json_events_are_one_envelope_a_line() {
    let dir = tempdir().unwrap();
    let _daemon = daemon(dir.path());
    let came = quorate(
        dir.path(),
        &["watch", "--vault", "family", "--json", "--wait=1s"],
    );
    assert_eq!(came.out.lines().count(), 1, "{}", came.out);
    let value: Value = serde_json::from_str(&came.out).unwrap();
    assert_eq!(
        (&value["kind"], &value["data"]["kind"]),
        (&"event".into(), &"requested".into())
    );
}
