//! What is derived may be deleted from the store, and comes back.

use std::time::{Duration, Instant};

use quorate_api::{
    AddChain, Approve, ConfirmRoster, CreateVault, JoinVault, LogQuery, Reject, RequestFilter,
    RequestQuery, SendPayment, VaultPhase,
};
use quorate_store::{Store, Write};
use rand_core::OsRng;
use serde_json::{Value, json};

use crate::endpoint::{Say, endpoint};
use crate::member::{Member, PASSPHRASE, PIN, secret};

/// A chain on which the vault has 100 ETH and nothing ever happens.
fn quiet(method: &str) -> Say {
    match method {
        "eth_chainId" => Say::Result(json!("0x7a69")),
        "eth_blockNumber" => Say::Result(json!("0x10")),
        "eth_getBalance" => Say::Result(json!("0x56bc75e2d63100000")),
        "eth_getTransactionCount" => Say::Result(json!("0x0")),
        "eth_maxPriorityFeePerGas" => Say::Result(json!("0x1")),
        "eth_feeHistory" => Say::Result(json!({"baseFeePerGas": ["0x1", "0x3b9aca00"]})),
        _ => Say::Error(-32601, "method not found"),
    }
}

fn vault_of(alice: &Member, bob: &Member) {
    let asked = CreateVault {
        name: "family".into(),
        threshold: 2,
        members: 2,
        controller: None,
        trust_domain: None,
    };
    let made = alice.client().create_vault(&asked).unwrap();
    let invited = JoinVault {
        code: made.invitations[0].code.clone(),
        address: made.invitations[0].address.clone(),
        name: None,
        controller: None,
        trust_domain: None,
    };
    bob.client().join_vault(&invited).unwrap();
    for member in [alice, bob] {
        let view = member.until("family", |view| view.phase == VaultPhase::Confirming);
        let confirmed = ConfirmRoster {
            words: view.words.unwrap(),
            pin: secret(PIN),
        };
        member.client().confirm("family", &confirmed).unwrap();
    }
    for member in [alice, bob] {
        member.until("family", |view| view.phase == VaultPhase::Active);
    }
}

/// Alice asks for two payments; she approves the first, whose id this gives, and bob rejects the second.
fn requests_of(alice: &Member, bob: &Member) -> String {
    for _ in 0..2 {
        let payment = SendPayment {
            chain: None,
            amount: "0.5".into(),
            asset: "ETH".into(),
            to: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".into(),
            note: Some("rent".into()),
            expires_in_ms: None,
            idempotency_key: None,
            max_fee_wei: None,
        };
        alice.client().send("family", &payment).unwrap();
    }
    let mut all = alice.client().requests("family", &everything()).unwrap();
    all.sort_by_key(|request| request.intent.nonce);
    let approval = Approve {
        intent_digest: all[0].intent.digest.clone(),
        pin: secret(PIN),
    };
    alice
        .client()
        .approve("family", &all[0].id, &approval)
        .unwrap();
    until("bob has both", || {
        bob.client()
            .requests("family", &everything())
            .unwrap()
            .len()
            == 2
    });
    let reason = Some("too much".to_owned());
    bob.client()
        .reject("family", &all[1].id, &Reject { reason })
        .unwrap();
    all[0].id.clone()
}

fn everything() -> RequestQuery {
    RequestQuery {
        state: RequestFilter::All,
    }
}

/// All that a person sees of the vault in `--json`, without what a connection or the clock decides.
fn shown(member: &Member) -> Value {
    let client = member.client();
    let mut vault = serde_json::to_value(client.vault("family").unwrap()).unwrap();
    for one in vault["members"].as_array_mut().unwrap() {
        for passing in ["online", "last_seen_ms", "problem"] {
            one.as_object_mut().unwrap().remove(passing);
        }
    }
    vault["waiting_for"].take();
    json!({
        "vault": vault,
        "requests": client.requests("family", &everything()).unwrap(),
        "history": client.history("family").unwrap(),
        "log": client.log("family", &LogQuery::default()).unwrap(),
    })
}

/// The head of one member's log.
fn head(view: &Value, author: &str) -> Value {
    let heads = view["log"]["heads"].as_array().unwrap();
    heads
        .iter()
        .find(|head| head["author"] == author)
        .unwrap()
        .clone()
}

#[track_caller]
fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !reached() {
        assert!(Instant::now() < end, "waited for: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Deletes what `quorate_store` calls derived; how many rows that were.
fn forget(member: &Member, vault: [u8; 32]) -> usize {
    let mut store = Store::open(&member.folder(), PASSPHRASE.as_bytes()).unwrap();
    let heads = store.checkpoints(&vault).unwrap().into_iter();
    let mut writes: Vec<Write> = heads
        .map(|head| Write::DeleteCheckpoint {
            vault,
            author: head.author,
            incarnation: head.incarnation,
        })
        .collect();
    let cards = store.settings("peer/").unwrap().into_iter();
    writes.extend(cards.map(|(key, _)| Write::DeleteSetting { key }));
    let count = writes.len();
    store.commit(writes, &mut OsRng).unwrap();
    assert!(store.checkpoints(&vault).unwrap().is_empty());
    store.close().unwrap();
    count
}

/// Everything derived is deleted at one member: it shows the same again once its peer is there, goes on with its own
/// log where it was, and nobody takes it for forked or rolled back.
#[test]
fn what_is_derived_may_be_deleted() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let chain = runtime.block_on(endpoint(|method, _| quiet(method)));
    let (mut alice, mut bob) = (Member::new("alice"), Member::new("bob"));
    for member in [&alice, &bob] {
        let dev = AddChain {
            name: "dev".into(),
            rpc_url: format!("http://{chain}"),
            chain: None,
        };
        member.client().add_chain(&dev).unwrap();
    }
    vault_of(&alice, &bob);
    let open = requests_of(&alice, &bob);
    until("both show the same", || {
        shown(&alice)["log"] == shown(&bob)["log"]
    });
    let before = shown(&bob);
    let id = hex::decode(before["vault"]["id"].as_str().unwrap()).unwrap();

    bob.stop();
    alice.stop();
    assert!(forget(&bob, id.try_into().unwrap()) >= 2);
    bob.start();
    let alone = shown(&bob);
    assert_eq!(
        head(&alone, "bob"),
        head(&before, "bob"),
        "the own log needs nobody"
    );
    let unsigned = head(&alone, "alice");
    assert_eq!(
        unsigned["size"], 0,
        "what alice did not sign does not count"
    );
    alice.start();
    until("bob shows what he showed before", || shown(&bob) == before);

    alice.client().cancel("family", &open).unwrap();
    until("the logs go on", || {
        let (at_alice, at_bob) = (shown(&alice), shown(&bob));
        at_alice["log"] == at_bob["log"] && at_bob != before
    });
    let warnings = bob.vault("family").warnings;
    assert_eq!(json!(warnings), before["vault"]["warnings"]);
}
