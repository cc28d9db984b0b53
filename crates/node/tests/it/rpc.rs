//! Endpoints of chains that lie, stall, flood or serve another chain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use quorate_chain::ChainId;
use quorate_chain::evm::{self, Address, Fees, Transfer, TransferTerms, Wei};
use quorate_node::rpc::{Evm, RpcError};
use quorate_vault::io::SlotStatus;
use serde_json::{Value, json};

use crate::endpoint::{Say, endpoint};

const CHAIN: ChainId = ChainId::Eip155(31337);

fn evm(address: SocketAddr) -> Evm {
    Evm::new(CHAIN, &format!("http://{address}")).unwrap()
}

/// An endpoint of the right chain that answers everything else by `answer`.
async fn right_chain(answer: impl Fn(&str, &Value) -> Say + Send + Sync + 'static) -> Evm {
    let address = endpoint(move |method, params| match method {
        "eth_chainId" => Say::Result(json!("0x7a69")),
        _ => answer(method, params),
    })
    .await;
    evm(address)
}

#[tokio::test]
async fn fees_are_read() {
    let evm = right_chain(|method, _| match method {
        "eth_feeHistory" => Say::Result(
            json!({"baseFeePerGas": ["0x1", "0x3b9aca00"], "reward": [["0x7"], ["0x9"]]}),
        ),
        "eth_maxPriorityFeePerGas" => Say::Error(-32601, "method not found"),
        _ => panic!("{method}"),
    })
    .await;
    let quote = evm.fees().await.unwrap();
    assert_eq!((quote.base_fee_per_gas, quote.tip), (1_000_000_000, 9));
}

#[tokio::test]
async fn another_chain_is_named_and_asked_nothing_else() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let address = endpoint(move |method, _| {
        assert_eq!(method, "eth_chainId");
        counter.fetch_add(1, Ordering::Relaxed);
        Say::Result(json!("0x1"))
    })
    .await;
    let error = evm(address).broadcast(&[2], [0; 32]).await.unwrap_err();
    assert!(
        matches!(&error, RpcError::WrongChain { answered, expected, .. } if answered == "eip155:1" && expected == "eip155:31337")
    );
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn garbage_is_refused_by_name() {
    for body in [
        "",
        "null",
        "[]",
        "<html>busy</html>",
        "{\"id\":1}",
        "{\"id\":99,\"result\":\"0x7a69\"}",
        "{\"id\":1,\"result\":5}",
    ] {
        let address = endpoint(move |_, _| Say::Raw(200, body.as_bytes().to_vec())).await;
        let error = evm(address).head().await.unwrap_err();
        assert!(
            matches!(error, RpcError::Malformed { .. }),
            "{body}: {error}"
        );
    }
    let address = endpoint(|_, _| Say::Raw(503, b"<html>busy</html>".to_vec())).await;
    assert!(matches!(
        evm(address).head().await,
        Err(RpcError::Status { status: 503, .. })
    ));
}

#[tokio::test]
async fn an_error_with_a_status_keeps_its_words() {
    let address = endpoint(|_, _| {
        Say::Raw(
            429,
            br#"{"id":1,"error":{"code":-32005,"message":"slow\u001b[31m down"}}"#.to_vec(),
        )
    })
    .await;
    let error = evm(address).head().await.unwrap_err();
    assert!(
        matches!(&error, RpcError::Refused { code: -32005, message, .. } if message == "slow [31m down"),
        "{error}"
    );
}

#[tokio::test]
async fn a_flood_is_cut_off() {
    let address = endpoint(|_, _| Say::Flood).await;
    let error = evm(address).head().await.unwrap_err();
    assert!(matches!(error, RpcError::TooLong { .. }), "{error}");
}

#[tokio::test]
async fn silence_ends_after_five_seconds() {
    let address = endpoint(|_, _| Say::Late(Duration::from_secs(20))).await;
    let begun = Instant::now();
    let error = evm(address).head().await.unwrap_err();
    assert!(matches!(error, RpcError::TimedOut { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(6));
}

#[tokio::test]
async fn nobody_there_is_said_as_that() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = evm(address).head().await.unwrap_err();
    assert!(matches!(error, RpcError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let victim = endpoint(|_, _| panic!("the redirect was followed")).await;
    let address = endpoint(move |_, _| Say::Redirect(format!("http://{victim}/"))).await;
    assert!(matches!(
        evm(address).head().await,
        Err(RpcError::Status { status: 307, .. })
    ));
}

#[tokio::test]
async fn what_is_known_already_counts_as_taken() {
    for (words, taken) in [
        ("already known", true),
        ("Transaction already imported", true),
        ("nonce too low", false),
        ("insufficient funds for gas * price + value", false),
    ] {
        let evm = right_chain(move |method, _| match method {
            "eth_sendRawTransaction" => Say::Error(-32000, words),
            "eth_getTransactionReceipt" => Say::Result(Value::Null),
            _ => panic!("{method}"),
        })
        .await;
        assert_eq!(
            evm.broadcast(&[2], [1; 32]).await.unwrap().is_ok(),
            taken,
            "{words}"
        );
    }
}

/// "nonce too low" is also what the transaction's own success looks like.
#[tokio::test]
async fn a_mined_transaction_counts_as_taken() {
    let (_, hash) = signed(0);
    let evm = right_chain(move |method, _| match method {
        "eth_sendRawTransaction" => Say::Error(-32000, "nonce too low"),
        "eth_getTransactionReceipt" => Say::Result(receipt(&hash, 3)),
        _ => panic!("{method}"),
    })
    .await;
    assert_eq!(evm.broadcast(&[2], hash).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn another_hash_in_answer_to_a_broadcast_is_no_success() {
    let evm = right_chain(|_, _| Say::Result(json!(format!("0x{}", "11".repeat(32))))).await;
    assert!(matches!(
        evm.broadcast(&[2], [0x22; 32]).await,
        Err(RpcError::Malformed { .. })
    ));
}

/// An account key of tests: Anvil's first.
fn account() -> (k256::ecdsa::SigningKey, Address) {
    let secret =
        hex::decode("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").unwrap();
    let key = k256::ecdsa::SigningKey::from_slice(&secret).unwrap();
    let sec1: [u8; 33] = key
        .verifying_key()
        .to_encoded_point(true)
        .as_bytes()
        .try_into()
        .unwrap();
    let address = Address::from_public_key(&sec1).unwrap();
    (key, address)
}

/// A signed transfer with this nonce: raw bytes and hash.
fn signed(nonce: u64) -> (Vec<u8>, [u8; 32]) {
    let (key, from) = account();
    let bounds = Fees {
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
    };
    let transfer = Transfer::new(TransferTerms {
        chain: CHAIN,
        from,
        to: Address::new([0xbb; 20]),
        value: Wei::from(5),
        nonce,
        gas_limit: evm::TRANSFER_GAS,
        bounds,
        fills_dead_slots_below: false,
    })
    .unwrap();
    let intent = quorate_chain::Intent::EvmTransfer(transfer);
    let signable = intent.check(&intent.build(bounds).unwrap()).unwrap();
    let (signature, recovery) = key.sign_prehash_recoverable(&signable.digest()).unwrap();
    let (r, s) = signature.split_bytes();
    let signed = signable
        .assemble(r.into(), s.into(), recovery.to_byte())
        .unwrap();
    (signed.raw, signed.hash)
}

fn quoted(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn receipt(hash: &[u8; 32], block: u64) -> Value {
    json!({
        "transactionHash": quoted(hash), "blockHash": quoted(&[block as u8; 32]), "blockNumber": format!("{block:#x}"),
        "from": quoted(account().1.as_bytes()), "status": "0x1", "gasUsed": "0x5208", "effectiveGasPrice": "0x3b9aca07",
    })
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

/// A chain of 1000 blocks in which nonce n was used by block 10 * (n + 1), for n up to 4; final up to block 30.
fn history(method: &str, params: &Value) -> Say {
    let (_, own) = account();
    let used = (0..=4u64).map(|nonce| (nonce, 10 * (nonce + 1)));
    match method {
        "eth_blockNumber" => Say::Result(json!("0x3e8")),
        "eth_getTransactionCount" => {
            let block = number(&params[1]);
            Say::Result(json!(format!(
                "{:#x}",
                used.filter(|(_, at)| *at <= block).count()
            )))
        }
        "eth_getBlockByNumber" if params[0] == "finalized" => {
            Say::Result(json!({"number": "0x1e", "hash": quoted(&[30; 32])}))
        }
        "eth_getBlockByNumber" if params[1] == false => {
            let block = number(&params[0]);
            Say::Result(json!({"number": params[0], "hash": quoted(&[block as u8; 32])}))
        }
        "eth_getBlockByNumber" => {
            let block = number(&params[0]);
            let ours = used.filter(|(_, at)| *at == block).map(|(nonce, _)| {
                json!({"hash": quoted(&signed(nonce).1), "from": quoted(own.as_bytes()), "nonce": format!("{nonce:#x}")})
            });
            let foreign =
                json!({"hash": quoted(&[9; 32]), "from": quoted(&[8; 20]), "nonce": "0x0"});
            Say::Result(
                json!({"transactions": std::iter::once(foreign).chain(ours).collect::<Vec<_>>()}),
            )
        }
        "eth_getTransactionReceipt" => {
            let found = used
                .map(|(nonce, at)| (signed(nonce).1, at))
                .find(|(hash, _)| params[0] == quoted(hash).as_str());
            Say::Result(found.map_or(Value::Null, |(hash, at)| receipt(&hash, at)))
        }
        "eth_getRawTransactionByHash" => Say::Error(-32601, "the method does not exist"),
        "eth_getTransactionByHash" => {
            let nonce = (0..5)
                .find(|nonce| params[0] == quoted(&signed(*nonce).1).as_str())
                .unwrap();
            Say::Result(fields(nonce))
        }
        _ => panic!("{method}"),
    }
}

/// A transaction as an endpoint tells it, field by field.
fn fields(nonce: u64) -> Value {
    let (raw, hash) = signed(nonce);
    // The last three items of the list: parity (one byte), then r and s of 33 bytes each with their headers.
    let tail = &raw[raw.len() - 67..];
    json!({
        "hash": quoted(&hash), "from": quoted(account().1.as_bytes()), "to": quoted(&[0xbb; 20]), "value": "0x5",
        "nonce": format!("{nonce:#x}"), "gas": "0x5208", "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x3b9aca00",
        "yParity": if tail[0] == 0x80 { "0x0" } else { "0x1" }, "v": "0x1",
        "r": quoted(&tail[2..34]), "s": quoted(&tail[35..67]),
    })
}

#[tokio::test]
async fn a_slot_is_found_in_the_block_that_used_it() {
    let evm = right_chain(history).await;
    for nonce in 0..=4 {
        let (raw, hash) = signed(nonce);
        let status = evm.slot(account().1, nonce, &[]).await.unwrap();
        let SlotStatus::Consumed {
            raw: found,
            mined,
            finalised,
        } = status
        else {
            panic!("{nonce} is open")
        };
        assert_eq!(
            (found, mined.hash, mined.block_number),
            (raw, hash, 10 * (nonce + 1))
        );
        assert_eq!(finalised, nonce <= 2, "{nonce}");
        assert!(mined.success && mined.gas_used == 21_000);
    }
    assert_eq!(
        evm.slot(account().1, 5, &[signed(5).1]).await.unwrap(),
        SlotStatus::Open
    );
}

#[tokio::test]
async fn an_own_attempt_is_looked_up_first() {
    let evm = right_chain(|method, params| match method {
        "eth_blockNumber" | "eth_getTransactionCount" => panic!("{method}"),
        _ => history(method, params),
    })
    .await;
    let (_, hash) = signed(1);
    let status = evm.slot(account().1, 1, &[[5; 32], hash]).await.unwrap();
    assert!(matches!(status, SlotStatus::Consumed { mined, .. } if mined.hash == hash));
}

/// An endpoint that shows somebody else's transaction for our slot, or ours for another slot.
#[tokio::test]
async fn a_receipt_for_another_slot_is_refused() {
    let evm = right_chain(history).await;
    let error = evm.slot(account().1, 3, &[signed(1).1]).await.unwrap_err();
    assert!(matches!(error, RpcError::Malformed { .. }), "{error}");
    let error = evm
        .slot(Address::new([1; 20]), 1, &[signed(1).1])
        .await
        .unwrap_err();
    assert!(matches!(error, RpcError::Malformed { .. }), "{error}");
}

/// An endpoint that alters what was mined: the bytes no longer have the hash.
#[tokio::test]
async fn altered_fields_are_refused() {
    let evm = right_chain(|method, params| match method {
        "eth_getTransactionByHash" => {
            let mut altered = fields(1);
            altered["value"] = json!("0x6");
            Say::Result(altered)
        }
        _ => history(method, params),
    })
    .await;
    let error = evm.slot(account().1, 1, &[signed(1).1]).await.unwrap_err();
    assert!(matches!(error, RpcError::Malformed { .. }), "{error}");
}

/// A block that was reorganised away is not final, whatever its height.
#[tokio::test]
async fn a_block_that_is_not_the_chains_own_is_not_final() {
    let evm = right_chain(|method, params| match method {
        "eth_getBlockByNumber" if params[1] == false && params[0] != "finalized" => {
            Say::Result(json!({"number": params[0], "hash": quoted(&[0xee; 32])}))
        }
        _ => history(method, params),
    })
    .await;
    let status = evm.slot(account().1, 1, &[signed(1).1]).await.unwrap();
    assert!(matches!(
        status,
        SlotStatus::Consumed {
            finalised: false,
            ..
        }
    ));
}
