//! Golden encodings: what programs on the other side of the API rely on.

use std::fmt::Debug;

use quorate_api::{
    AddChain, ApiError, Envelope, ErrorCode, EventKind, EventView, IntentLine, IntentView,
    RequestFilter, RequestKind, RequestState, RequestView, SendPayment, Until, VaultPhase,
    WaitQuery,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn golden<T: Serialize + DeserializeOwned + Debug>(value: &T, text: &str) {
    assert_eq!(serde_json::to_string(value).unwrap(), text);
    let again: T = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
}

#[test]
fn the_envelope_is_versioned() {
    golden(
        &Envelope::new("requests", vec![1, 2]),
        r#"{"version":1,"kind":"requests","data":[1,2]}"#,
    );
}

#[test]
fn errors_tell_class_message_and_hint() {
    golden(
        &ApiError::new(
            ErrorCode::TooFewOnline,
            "carol is offline",
            "start her daemon",
        ),
        r#"{"code":"too_few_online","message":"carol is offline","hint":"start her daemon"}"#,
    );
}

#[test]
fn a_payment_is_text_in_whole_units() {
    golden(
        &SendPayment {
            chain: None,
            amount: "0.25".to_owned(),
            asset: "ETH".to_owned(),
            to: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".to_owned(),
            note: Some("roof".to_owned()),
            expires_in_ms: Some(1000),
            idempotency_key: None,
            max_fee_wei: None,
        },
        r#"{"chain":null,"amount":"0.25","asset":"ETH","to":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","note":"roof","expires_in_ms":1000,"idempotency_key":null,"max_fee_wei":null}"#,
    );
}

#[test]
fn unknown_fields_of_a_body_are_refused_and_missing_options_are_none() {
    let body: AddChain = serde_json::from_str(r#"{"name":"dev","rpc_url":"http://x"}"#).unwrap();
    assert_eq!(body.chain, None);
    let odd = r#"{"name":"dev","rpc_url":"http://x","follow":true}"#;
    assert!(serde_json::from_str::<AddChain>(odd).is_err());
}

#[test]
fn states_are_snake_case() {
    for (value, text) in [
        (
            serde_json::to_string(&RequestState::WaitingForApprovals),
            "\"waiting_for_approvals\"",
        ),
        (
            serde_json::to_string(&RequestKind::SlotFiller),
            "\"slot_filler\"",
        ),
        (
            serde_json::to_string(&RequestFilter::AwaitsYou),
            "\"awaits_you\"",
        ),
        (serde_json::to_string(&VaultPhase::Keygen), "\"keygen\""),
        (
            serde_json::to_string(&EventKind::SessionAborted),
            "\"session_aborted\"",
        ),
    ] {
        assert_eq!(value.unwrap(), text);
    }
    let query = WaitQuery {
        until: Until::Mined,
        timeout_ms: 5,
    };
    golden(&query, r#"{"until":"mined","timeout_ms":5}"#);
}

#[test]
fn an_event_of_a_later_version_is_other() {
    let text = r#"{"seq":1,"at_ms":2,"kind":"eclipse","vault":null,"request":null,"summary":"s"}"#;
    let event: EventView = serde_json::from_str(text).unwrap();
    assert_eq!(event.kind, EventKind::Other);
}

#[test]
fn a_request_has_every_field_always() {
    let line = IntentLine {
        label: "Pay".to_owned(),
        value: "1 ETH".to_owned(),
    };
    let intent = IntentView {
        digest: "ab".to_owned(),
        lines: vec![line],
        chain: "eip155:1".to_owned(),
        chain_name: None,
        from: "0xa".to_owned(),
        to: "0xb".to_owned(),
        asset: "ETH".to_owned(),
        value_wei: "1000000000000000000".to_owned(),
        nonce: 4,
        gas_limit: 21_000,
        max_fee_per_gas_wei: "2".to_owned(),
        max_priority_fee_per_gas_wei: "1".to_owned(),
        max_fee_wei: "42000".to_owned(),
        largest_cost_wei: "1000000000000042000".to_owned(),
    };
    let request = RequestView {
        id: "3f".to_owned(),
        vault: "family".to_owned(),
        kind: RequestKind::Transfer,
        state: RequestState::Ready,
        awaits_you: true,
        intent,
        requester: "alice".to_owned(),
        note: None,
        created_ms: 1,
        expires_ms: 2,
        in_place_of: None,
        asked_again_as: None,
        needed: 2,
        approvals: Vec::new(),
        rejections: Vec::new(),
        undecided: vec!["bob".to_owned()],
        blocked: None,
        sessions: Vec::new(),
        tx_hashes: Vec::new(),
        receipt: None,
    };
    golden(
        &request,
        r#"{"id":"3f","vault":"family","kind":"transfer","state":"ready","awaits_you":true,"intent":{"digest":"ab","lines":[{"label":"Pay","value":"1 ETH"}],"chain":"eip155:1","chain_name":null,"from":"0xa","to":"0xb","asset":"ETH","value_wei":"1000000000000000000","nonce":4,"gas_limit":21000,"max_fee_per_gas_wei":"2","max_priority_fee_per_gas_wei":"1","max_fee_wei":"42000","largest_cost_wei":"1000000000000042000"},"requester":"alice","note":null,"created_ms":1,"expires_ms":2,"in_place_of":null,"asked_again_as":null,"needed":2,"approvals":[],"rejections":[],"undecided":["bob"],"blocked":null,"sessions":[],"tx_hashes":[],"receipt":null}"#,
    );
}
