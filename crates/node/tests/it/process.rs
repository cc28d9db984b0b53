//! Folders that are not what they should be, and daemons side by side.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use quorate_node::{InitOptions, change_passphrase, init, start};

use crate::member::{Member, PASSPHRASE, PIN, make, options, text};

fn code_of(result: Result<impl Sized, quorate_node::NodeError>) -> u8 {
    let error = result.err().expect("it should have been refused");
    assert!(
        !error.hint().is_empty() && !error.sentence().is_empty(),
        "{error}"
    );
    error.exit_code()
}

#[test]
fn names_passphrases_and_pins_that_cannot_be_are_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("m");
    let with = |name: &str, passphrase: &str, pin: &str| {
        init(InitOptions {
            dir: folder.clone(),
            name: name.into(),
            passphrase: text(passphrase),
            pin: text(pin),
        })
    };
    assert_eq!(code_of(with("Alice Smith", PASSPHRASE, PIN)), 2);
    assert_eq!(code_of(with("alice", "short", PIN)), 2);
    assert_eq!(code_of(with("alice", PASSPHRASE, "1")), 2);
    assert!(!folder.exists());
}

#[test]
fn a_folder_is_made_once_and_opens_for_its_passphrase_only() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("m");
    assert_eq!(code_of(start(options(&folder))), 5);
    make(&folder, "alice").unwrap();
    assert_eq!(code_of(make(&folder, "bob")), 9);
    let mut wrong = options(&folder);
    wrong.passphrase = text("not the passphrase");
    assert_eq!(code_of(start(wrong)), 3);
    change_passphrase(&folder, &text(PASSPHRASE), &text("another passphrase")).unwrap();
    assert_eq!(code_of(start(options(&folder))), 3);
    assert_eq!(
        code_of(change_passphrase(
            &folder,
            &text(PASSPHRASE),
            &text("a third passphrase")
        )),
        3
    );
}

#[test]
fn one_folder_has_one_daemon() {
    let member = Member::new("alice");
    assert_eq!(code_of(start(options(&member.folder()))), 1);
    assert_eq!(
        code_of(change_passphrase(
            &member.folder(),
            &text(PASSPHRASE),
            &text("another passphrase")
        )),
        1
    );
    assert_eq!(member.client().status().unwrap().name, "alice");
}

#[test]
fn a_folder_that_others_can_read_is_refused() {
    let mut member = Member::new("alice");
    member.stop();
    std::fs::set_permissions(member.folder(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(code_of(start(options(&member.folder()))), 11);
}

#[test]
fn addresses_that_are_taken_or_open_to_the_world_are_named() {
    let mut member = Member::new("alice");
    member.stop();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut at = options(&member.folder());
    at.api = Some(taken.local_addr().unwrap());
    assert_eq!(code_of(start(at)), 1);
    let mut at = options(&member.folder());
    at.api = Some("0.0.0.0:0".parse().unwrap());
    assert_eq!(code_of(start(at)), 2);
}

/// Peers remember a port; a restart comes back on it, and gives way if somebody else has it.
#[test]
fn the_peers_port_stays_from_run_to_run() {
    let mut member = Member::new("alice");
    let first = member.running.as_ref().unwrap().listen().to_vec();
    member.stop();
    member.start();
    assert_eq!(member.running.as_ref().unwrap().listen(), first);
    member.stop();
    let taken = std::net::UdpSocket::bind(first[0]).unwrap();
    member.start();
    assert_ne!(member.running.as_ref().unwrap().listen(), first);
    drop(taken);
}
