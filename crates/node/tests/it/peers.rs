//! Channels between parties, and those who should get none.

use std::time::{Duration, Instant};

use iroh::endpoint::Connection;
use quorate_node::peers::{PeerEvent, dial_address};
use quorate_wire::{Channel, EXPORTER_LABEL, Frame, Hello};

use crate::people::{Person, Running};

const SOON: Duration = Duration::from_secs(10);
const VAULT: [u8; 32] = [7; 32];

async fn pair(a: &Person, b: &Person) -> (Running, Running) {
    let (mut at_a, mut at_b) = (a.start(0).await, b.start(0).await);
    at_a.peers.know(b.contact(at_b.addresses.clone()));
    at_b.peers.know(a.contact(at_a.addresses.clone()));
    at_a.connected(b).await;
    at_b.connected(a).await;
    (at_a, at_b)
}

async fn says(from: &Running, to: &mut Running, sender: &Person, receiver: &Person, words: &[u8]) {
    // The first channel can give way to the one of the other side; what was in it is lost, as on any channel.
    let (party, words) = (sender.party(), words.to_vec());
    let talk = async {
        loop {
            from.peers.send(receiver.party(), VAULT, words.clone());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let listen = to.until(SOON, |from, event| match event {
        PeerEvent::Vault {
            vault: VAULT,
            payload,
        } if from == party && payload == words => Some(()),
        _ => None,
    });
    tokio::select! { () = talk => {}, () = listen => {} }
}

#[tokio::test]
async fn two_parties_find_each_other_and_talk_both_ways() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let (mut at_a, mut at_b) = pair(&alice, &bob).await;
    says(&at_a, &mut at_b, &alice, &bob, b"hello bob").await;
    says(&at_b, &mut at_a, &bob, &alice, b"hello alice").await;
    let large = vec![9; 900_000];
    says(&at_a, &mut at_b, &alice, &bob, &large).await;
    assert!(at_a.peers.is_online(bob.party()) && at_b.peers.is_online(alice.party()));
    assert!(at_a.problem(&bob).is_none());
}

#[tokio::test]
async fn one_stale_address_book_is_enough() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let (mut at_a, mut at_b) = (alice.start(0).await, bob.start(0).await);
    at_a.peers
        .know(bob.contact(vec!["127.0.0.1:9".parse().unwrap()]));
    at_b.peers.know(alice.contact(at_a.addresses.clone()));
    at_a.connected(&bob).await;
    says(&at_a, &mut at_b, &alice, &bob, b"found").await;
}

#[tokio::test]
async fn a_peer_that_dies_without_a_word_is_missed_within_five_seconds_and_found_again() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_a = alice.start(0).await;
    let (died, port) = {
        // Its whole runtime vanishes, as a killed process does: no goodbye is sent.
        let addresses = at_a.addresses.clone();
        let (tell, told) = tokio::sync::oneshot::channel();
        let (kill, killed) = std::sync::mpsc::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let running = runtime.block_on(async {
                let running = Person::new("bob").start(0).await;
                running.peers.know(Person::new("alice").contact(addresses));
                running
            });
            tell.send(running.addresses[0]).unwrap();
            killed.recv().unwrap();
            runtime.shutdown_background();
            drop(running);
        });
        let address = told.await.unwrap();
        at_a.peers.know(bob.contact(vec![address]));
        at_a.connected(&bob).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        kill.send(()).unwrap();
        (Instant::now(), address.port())
    };
    let party = bob.party();
    at_a.until(SOON, |from, event| {
        (from == party && matches!(event, PeerEvent::Disconnected)).then_some(())
    })
    .await;
    assert!(
        died.elapsed() < Duration::from_secs(5),
        "missed after {:?}",
        died.elapsed()
    );
    assert_eq!(at_a.problem(&bob).as_deref(), Some("stopped answering"));

    let mut at_b = bob.start(port).await;
    at_b.peers.know(alice.contact(at_a.addresses.clone()));
    says(&at_a, &mut at_b, &alice, &bob, b"welcome back").await;
}

/// Opens a connection as `caller` and says `hello` as the first message.
async fn call_and_say(
    caller: &Person,
    called: &Person,
    running: &Running,
    hello: impl Fn(&Channel) -> Vec<u8>,
) -> Connection {
    let endpoint = caller.bind(0).await;
    let address = dial_address(
        called.endpoint.verifying_key().as_bytes(),
        &running.addresses,
    )
    .unwrap();
    let connection = endpoint.connect(address, quorate_wire::ALPN).await.unwrap();
    let mut exporter = [0; 32];
    connection
        .export_keying_material(&mut exporter, EXPORTER_LABEL, b"")
        .unwrap();
    let ours = caller.endpoint.verifying_key().to_bytes();
    let channel = Channel {
        ours,
        theirs: called.endpoint.verifying_key().to_bytes(),
        exporter,
    };
    let (mut send, receive) = connection.open_bi().await.unwrap();
    send.write_all(&quorate_wire::framed(&hello(&channel)).unwrap())
        .await
        .unwrap();
    let vault = Frame::Vault {
        vault: VAULT,
        payload: b"let me in".to_vec(),
    }
    .encode()
    .unwrap();
    send.write_all(&quorate_wire::framed(&vault).unwrap())
        .await
        .ok();
    std::mem::forget((send, receive, endpoint));
    connection
}

async fn stays_out(running: &mut Running, connection: &Connection) {
    tokio::time::timeout(Duration::from_secs(5), connection.closed())
        .await
        .expect("it was not turned away");
    let event = tokio::time::timeout(
        Duration::from_millis(200),
        running.until(SOON, |_, event| Some(event)),
    )
    .await;
    assert!(event.is_err(), "{event:?}");
}

#[tokio::test]
async fn an_endpoint_that_nobody_knows_is_turned_away() {
    let (alice, mallory) = (Person::new("alice"), Person::new("mallory"));
    let mut at_a = alice.start(0).await;
    let connection = call_and_say(&mallory, &alice, &at_a, |channel| {
        Hello::sign(&mallory.identity, channel, "quorate/9").encode()
    })
    .await;
    stays_out(&mut at_a, &connection).await;
}

/// A stolen endpoint key is not enough: the identity key has to be proved on the connection.
#[tokio::test]
async fn a_known_endpoint_with_another_identity_is_turned_away() {
    let (alice, bob, mallory) = (
        Person::new("alice"),
        Person::new("bob"),
        Person::new("mallory"),
    );
    let mut at_a = alice.start(0).await;
    at_a.peers.know(bob.contact(Vec::new()));
    let connection = call_and_say(&bob, &alice, &at_a, |channel| {
        Hello::sign(&mallory.identity, channel, "quorate/9").encode()
    })
    .await;
    stays_out(&mut at_a, &connection).await;
    assert!(
        at_a.problem(&bob).unwrap().contains("another party"),
        "{:?}",
        at_a.problem(&bob)
    );
}

/// A greeting recorded on one connection is worth nothing on another.
#[tokio::test]
async fn a_greeting_for_another_connection_is_turned_away() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_a = alice.start(0).await;
    at_a.peers.know(bob.contact(Vec::new()));
    let connection = call_and_say(&bob, &alice, &at_a, |channel| {
        Hello::sign(
            &bob.identity,
            &Channel {
                exporter: [0; 32],
                ..*channel
            },
            "quorate/9",
        )
        .encode()
    })
    .await;
    stays_out(&mut at_a, &connection).await;
    assert!(
        at_a.problem(&bob)
            .unwrap()
            .contains("does not have the identity key")
    );
}

#[tokio::test]
async fn a_peer_of_another_version_is_named_as_that() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_a = alice.start(0).await;
    at_a.peers.know(bob.contact(Vec::new()));
    let connection = call_and_say(&bob, &alice, &at_a, |channel| {
        let mut hello = Hello::sign(&bob.identity, channel, "quorate/9").encode();
        // The version stands behind the four bytes of mark, in every version (`quorate_wire::version`).
        hello[4..6].copy_from_slice(&2u16.to_be_bytes());
        hello
    })
    .await;
    stays_out(&mut at_a, &connection).await;
    let problem = at_a.problem(&bob).unwrap();
    assert!(
        problem.starts_with("speaks protocol 2 (quorate/9), this member speaks 1"),
        "{problem}"
    );
}

#[tokio::test]
async fn junk_in_place_of_a_greeting_is_turned_away() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_a = alice.start(0).await;
    at_a.peers.know(bob.contact(Vec::new()));
    let connection = call_and_say(&bob, &alice, &at_a, |_| vec![0x47; 600]).await;
    stays_out(&mut at_a, &connection).await;
    let connection = call_and_say(&bob, &alice, &at_a, |_| vec![0; 4000]).await;
    stays_out(&mut at_a, &connection).await;
}

#[tokio::test]
async fn a_peer_that_sends_junk_after_the_greeting_loses_its_channel() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_a = alice.start(0).await;
    at_a.peers.know(bob.contact(Vec::new()));
    let endpoint = bob.bind(0).await;
    let address = dial_address(alice.endpoint.verifying_key().as_bytes(), &at_a.addresses).unwrap();
    let connection = endpoint.connect(address, quorate_wire::ALPN).await.unwrap();
    let mut exporter = [0; 32];
    connection
        .export_keying_material(&mut exporter, EXPORTER_LABEL, b"")
        .unwrap();
    let channel = Channel {
        ours: bob.endpoint.verifying_key().to_bytes(),
        theirs: alice.endpoint.verifying_key().to_bytes(),
        exporter,
    };
    let (mut send, _receive) = connection.open_bi().await.unwrap();
    let hello = Hello::sign(&bob.identity, &channel, "quorate/9").encode();
    send.write_all(&quorate_wire::framed(&hello).unwrap())
        .await
        .unwrap();
    at_a.connected(&bob).await;
    send.write_all(&[0xff, 0xff, 0xff, 0xff, 1, 2, 3])
        .await
        .unwrap();
    let party = bob.party();
    at_a.until(SOON, |from, event| {
        (from == party && matches!(event, PeerEvent::Disconnected)).then_some(())
    })
    .await;
    assert!(
        at_a.problem(&bob).unwrap().contains("no message"),
        "{:?}",
        at_a.problem(&bob)
    );
}

/// A card proves no endpoint key: a liar who claims another member's cannot push that one out.
#[tokio::test]
async fn who_claims_the_endpoint_of_another_does_not_shut_it_out() {
    let (alice, bob, mallory) = (
        Person::new("alice"),
        Person::new("bob"),
        Person::new("mallory"),
    );
    let (mut at_a, mut at_b) = (alice.start(0).await, bob.start(0).await);
    let mut claim = mallory.contact(Vec::new());
    claim.endpoint = bob.endpoint.verifying_key().to_bytes();
    at_a.peers.know(claim);
    at_a.peers.know(bob.contact(Vec::new()));
    at_b.peers.know(alice.contact(at_a.addresses.clone()));
    at_a.connected(&bob).await;
    says(&at_b, &mut at_a, &bob, &alice, b"it is me").await;
    assert!(!at_a.peers.is_online(mallory.party()));
    at_b.connected(&alice).await;
}
