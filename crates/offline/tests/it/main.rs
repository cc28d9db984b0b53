//! Bundles as files: what is read, what is refused, and what is said about it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use quorate_offline::{AuditError, Error, MAX_BUNDLE_BYTES, Severity, verify_bundle};
use serde_json::{Value, json};

/// Written by format version 1; must be readable for ever.
const BUNDLE: &str = include_str!("../../../vault/golden/bundle.json");

fn bundle() -> Value {
    serde_json::from_str(BUNDLE).unwrap()
}

fn verify(bundle: &Value) -> Result<quorate_offline::Report, Error> {
    verify_bundle(&serde_json::to_vec(bundle).unwrap())
}

#[test]
fn a_bundle_of_version_1_is_verified() {
    let report = verify_bundle(BUNDLE.as_bytes()).unwrap();
    assert!(report.is_complete(), "{:#?}", report.findings);
    assert_eq!(report.signatures.len(), 3);
    assert!(report.words_match("Nominee, unveil WANT pony-naive mention"));
    assert!(!report.words_match("nominee unveil want pony naive naive"));
}

#[test]
fn a_report_is_json_for_machines() {
    let report = serde_json::to_value(verify_bundle(BUNDLE.as_bytes()).unwrap()).unwrap();
    assert_eq!(
        report["signatures"][1]["approved"][0]["member"],
        json!("bob")
    );
    assert_eq!(report["findings"], json!([]));
    assert_eq!(report["words"].as_array().unwrap().len(), 6);
}

#[test]
fn tampering_is_named() {
    let mut bundle = bundle();
    bundle["logs"][1]["entries"][4] = bundle["logs"][1]["entries"][5].clone();
    let report = verify(&bundle).unwrap();
    assert!(!report.is_sound());
    let finding = &report.findings[0];
    assert_eq!(
        (finding.severity, finding.place.as_str()),
        (Severity::Wrong, "bob's log")
    );
}

#[test]
fn what_is_no_bundle_is_refused_with_a_hint() {
    let extra = {
        let mut bundle = bundle();
        bundle["comment"] = json!("hello");
        bundle.to_string()
    };
    let trailing = format!("{BUNDLE} {{}}");
    let deep = "[".repeat(100_000);
    let twice = BUNDLE.replacen("\"version\": 1,", "\"version\": 1, \"version\": 1,", 1);
    for text in [
        "",
        "{}",
        "[]",
        "not json",
        &BUNDLE[..500],
        &extra,
        &trailing,
        &deep,
        &twice,
    ] {
        let error = verify_bundle(text.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::NotABundle { .. }), "{error}");
        assert!(error.hint().ends_with('.'));
    }
    let error = verify_bundle(&[0xff, 0xfe]).unwrap_err();
    assert!(matches!(error, Error::NotABundle { .. }));
}

#[test]
fn a_bundle_beyond_the_limit_is_not_parsed() {
    let zeros = vec![0; MAX_BUNDLE_BYTES + 1];
    assert_eq!(
        verify_bundle(&zeros),
        Err(Error::TooLarge {
            bytes: MAX_BUNDLE_BYTES + 1
        })
    );
}

#[test]
fn a_bundle_of_another_version_or_vault_is_refused_with_a_hint() {
    let mut newer = bundle();
    newer["version"] = json!(2);
    let error = verify(&newer).unwrap_err();
    assert_eq!(error, Error::Audit(AuditError::Version { found: 2 }));
    assert!(error.hint().contains("Update"));
    let mut other = bundle();
    other["vault"] = json!("11".repeat(32));
    assert!(matches!(
        verify(&other).unwrap_err(),
        Error::Audit(AuditError::NoCharter { .. })
    ));
    let mut upper = bundle();
    upper["vault"] = json!(upper["vault"].as_str().unwrap().to_uppercase());
    assert!(matches!(
        verify(&upper).unwrap_err(),
        Error::Audit(AuditError::VaultId { .. })
    ));
}

#[test]
fn errors_say_their_cause() {
    let mut newer = bundle();
    newer["version"] = json!(2);
    let error = verify(&newer).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.to_string().contains("version 2"));
}
