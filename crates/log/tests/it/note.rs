//! Signed notes and checkpoints: vectors of the Go reference implementation (`golang.org/x/mod/sumdb/note`,
//! `note_test.go`), our own golden checkpoint, and strict parsing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use quorate_log::{
    Checkpoint, MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES, NoteError, Origin, SignedCheckpoint,
    SignedNote, ed25519_key_id,
};

use crate::{key, origin, signed};

const NAME: &str = "PeterNeumann";
/// `0x01 || public key`.
const PUBLIC: &str = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// `0x01 || seed`.
const PRIVATE: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNATURE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn decoded(text: &str) -> [u8; 32] {
    STANDARD.decode(text).unwrap()[1..].try_into().unwrap()
}

fn peter() -> VerifyingKey {
    VerifyingKey::from_bytes(&decoded(PUBLIC)).unwrap()
}

fn note() -> String {
    format!("{TEXT}\n{SIGNATURE}")
}

#[test]
fn the_reference_note_verifies_and_is_made_byte_for_byte() {
    assert_eq!(hex::encode(ed25519_key_id(NAME, &peter())), "c74f20a3");
    let parsed = SignedNote::parse(&note()).unwrap();
    assert_eq!(parsed.verify(NAME, &peter()), Ok(TEXT));
    assert_eq!(parsed.to_string(), note());
    let signer = SigningKey::from_bytes(&decoded(PRIVATE));
    assert_eq!(
        SignedNote::sign(TEXT, &signer, NAME).unwrap().to_string(),
        note()
    );
}

#[test]
fn the_references_malformed_notes_are_refused() {
    let bad = [
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}\n{}", SIGNATURE.trim_end()),
        format!("\u{1}{TEXT}\n{SIGNATURE}"),
        format!("{TEXT}\n{}", SIGNATURE.replace("PeterNeumann", "Bad Name")),
        format!("{TEXT}\n{SIGNATURE}Unexpected line.\n"),
    ];
    for note in bad {
        assert!(
            matches!(SignedNote::parse(&note), Err(NoteError::Malformed(_))),
            "{note:?}"
        );
    }
}

#[test]
fn more_malformed_notes_are_refused() {
    let with = |line: &str| SignedNote::parse(&format!("{TEXT}\n{line}"));
    assert!(matches!(
        with("- PeterNeumann x08go/Y=\n"),
        Err(NoteError::Malformed(_))
    ));
    assert!(matches!(
        with(&SIGNATURE.replace('=', "")),
        Err(NoteError::Malformed(_))
    ));
    assert!(matches!(
        with("\u{2014} PeterNeumann x08goA==\n"),
        Err(NoteError::Malformed(_))
    ));
    assert!(matches!(
        with(&format!("{SIGNATURE}\n")),
        Err(NoteError::Malformed(_))
    ));
    assert!(matches!(
        with(&SIGNATURE.replace('\n', "\r\n")),
        Err(NoteError::Malformed(_))
    ));
    assert_eq!(
        with("\u{2014} Peter+Neumann x08go/ZJkuA=\n"),
        Err(NoteError::KeyName)
    );
    assert_eq!(with("\u{2014}  x08go/ZJkuA=\n"), Err(NoteError::KeyName));
    assert_eq!(
        with("\u{2014} Peter\u{a0}Neumann x08go/ZJkuA=\n"),
        Err(NoteError::KeyName)
    );
    let many = SIGNATURE.repeat(MAX_NOTE_SIGNATURES + 1);
    assert_eq!(with(&many), Err(NoteError::TooLarge));
    assert!(with(&SIGNATURE.repeat(MAX_NOTE_SIGNATURES)).is_ok());
    let long = "x".repeat(MAX_NOTE_BYTES);
    assert_eq!(
        SignedNote::parse(&format!("{long}\n\n{SIGNATURE}")),
        Err(NoteError::TooLarge)
    );
    assert_eq!(
        SignedNote::sign(&format!("{long}\n"), &key(), NAME),
        Err(NoteError::TooLarge)
    );
    assert!(SignedNote::sign("no newline", &key(), NAME).is_err());
    assert!(SignedNote::sign("tab\t\n", &key(), NAME).is_err());
    assert_eq!(
        SignedNote::sign(TEXT, &key(), "a b"),
        Err(NoteError::KeyName)
    );
}

#[test]
fn signatures_of_others_are_kept_and_ignored_wrong_ones_of_the_asked_key_are_not() {
    let mut two = SignedNote::parse(&note()).unwrap();
    two.add_signature(&key(), "other").unwrap();
    assert_eq!(two.signature_count(), 2);
    let two = SignedNote::parse(&two.to_string()).unwrap();
    assert_eq!(two.verify(NAME, &peter()), Ok(TEXT));
    assert_eq!(two.verify("other", &key().verifying_key()), Ok(TEXT));
    assert_eq!(
        two.verify("Other", &key().verifying_key()),
        Err(NoteError::Unsigned)
    );
    assert_eq!(two.verify("other", &peter()), Err(NoteError::Unsigned));

    let corrupted = SIGNATURE.replace("RyyBwJnAM=", "RyyBwJnBM=");
    for lines in [
        format!("{SIGNATURE}{corrupted}"),
        format!("{corrupted}{SIGNATURE}"),
        corrupted.clone(),
    ] {
        let note = SignedNote::parse(&format!("{TEXT}\n{lines}")).unwrap();
        assert_eq!(note.verify(NAME, &peter()), Err(NoteError::BadSignature));
    }
    // A cosignature (type 0x04) is longer than an Ed25519 signature; it stays where it is.
    let cosignature = format!("\u{2014} witness.example {}\n", STANDARD.encode([7; 76]));
    let note = format!("{}{cosignature}", note());
    let parsed = SignedNote::parse(&note).unwrap();
    assert_eq!(parsed.verify(NAME, &peter()), Ok(TEXT));
    assert_eq!(parsed.to_string(), note);
}

#[test]
fn changed_text_does_not_verify() {
    let changed = note().replace("cryptography", "cryptographY");
    let parsed = SignedNote::parse(&changed).unwrap();
    assert_eq!(parsed.verify(NAME, &peter()), Err(NoteError::BadSignature));
}

/// Golden: a checkpoint of three entries, signed with the key of RFC 8032's first test.
const GOLDEN: &str = "quorate/1111111111111111111111111111111111111111111111111111111111111111/2222222222222222222222222222222222222222222222222222222222222222/0
3
Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=

\u{2014} quorate/1111111111111111111111111111111111111111111111111111111111111111/2222222222222222222222222222222222222222222222222222222222222222/0 KUGoK8/Y65COq/YkyHzgsGiqDSN3Xqryy34nIc0xOhmVe+HJRGtoaBk9ZVZq1Y8QyQCpscugGt/OAwnqnpBQuddVHgg=
";

#[test]
fn the_checkpoint_is_golden() {
    let log = signed(&["one", "two", "three"]);
    let checkpoint = log.checkpoint().unwrap();
    assert_eq!(checkpoint.to_string(), GOLDEN);
    assert_eq!(SignedCheckpoint::parse(GOLDEN).as_ref(), Ok(checkpoint));
    let head = checkpoint.verify_author(&key().verifying_key()).unwrap();
    assert_eq!((head.size, head.root), (3, log.tree().root()));
    let bytes = postcard::to_stdvec(checkpoint).unwrap();
    assert_eq!(bytes[2..], *GOLDEN.as_bytes());
    assert_eq!(
        &postcard::from_bytes::<SignedCheckpoint>(&bytes).unwrap(),
        checkpoint
    );
}

#[test]
fn checkpoints_have_one_form() {
    let root = STANDARD.encode([5; 32]);
    let text = format!("origin\n7\n{root}\n");
    let checkpoint = Checkpoint {
        origin: "origin".into(),
        size: 7,
        root: [5; 32],
    };
    assert_eq!(Checkpoint::parse(&text), Ok(checkpoint.clone()));
    assert_eq!(checkpoint.to_string(), text);
    let short = STANDARD.encode([5; 31]);
    let bad = [
        format!("origin\n7\n{root}"),
        format!("\n7\n{root}\n"),
        format!("origin\n07\n{root}\n"),
        format!("origin\n+7\n{root}\n"),
        format!("origin\n-7\n{root}\n"),
        format!("origin\n18446744073709551616\n{root}\n"),
        format!("origin\n7\n{short}\n"),
        format!("origin\n7\n{}\n", root.trim_end_matches('=')),
        format!("origin\n7\n{root}\nextension\n"),
        "origin\n7\n".to_owned(),
    ];
    for text in bad {
        assert!(
            matches!(Checkpoint::parse(&text), Err(NoteError::Checkpoint(_))),
            "{text:?}"
        );
    }
    let two_lines = Checkpoint {
        origin: "a\n9".into(),
        ..checkpoint
    };
    assert!(two_lines.sign(&key(), "name").is_err());
}

#[test]
fn origins_have_one_form() {
    let text = origin().to_string();
    assert_eq!(text.parse::<Origin>().unwrap(), origin());
    let last = Origin {
        incarnation: u32::MAX,
        ..origin()
    };
    assert_eq!(last.to_string().parse::<Origin>().unwrap(), last);
    let vault = "11".repeat(32);
    let author = "ab".repeat(32);
    for bad in [
        String::new(),
        format!("quorate/{vault}/{author}"),
        format!("quorate/{vault}/{author}/0/"),
        format!("quorate/{vault}/{author}/00"),
        format!("quorate/{vault}/{author}/+1"),
        format!("quorate/{vault}/{author}/4294967296"),
        format!("quorate/{vault}/{}/0", author.to_uppercase()),
        format!("quorate/{}/{author}/0", &vault[2..]),
        format!("Quorate/{vault}/{author}/0"),
    ] {
        assert!(bad.parse::<Origin>().is_err(), "{bad:?}");
    }
}
