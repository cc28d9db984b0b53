//! Signed notes (C2SP `signed-note`): text, a blank line, signature lines.
//!
//! ```text
//! text\n
//! \n
//! — <key name> base64(key id[4] || signature)\n
//! ```
//!
//! Only Ed25519 (type `0x01`) is made and checked here. Signatures of other keys and types, such as witness
//! cosignatures (type `0x04`), are kept as they came and ignored, as the specification asks; their place is here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::NoteError;

/// Largest note read or made, in bytes.
pub const MAX_NOTE_BYTES: usize = 16 * 1024;

/// Most signatures on one note.
pub const MAX_NOTE_SIGNATURES: usize = 32;

const ED25519: u8 = 0x01;
const KEY_ID_BYTES: usize = 4;
const LINE_PREFIX: &str = "\u{2014} ";

/// The key id of an Ed25519 key: `SHA-256(key name || 0x0A || 0x01 || key)[..4]`.
pub fn ed25519_key_id(key_name: &str, key: &VerifyingKey) -> [u8; KEY_ID_BYTES] {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(key_name)
        .chain_update([b'\n', ED25519])
        .chain_update(key.as_bytes())
        .finalize()
        .into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

/// A well-formed note with at least one signature, none of which is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct NoteSignature {
    key_name: String,
    key_id: [u8; KEY_ID_BYTES],
    /// What follows the key id; its form depends on the key's type.
    signature: Vec<u8>,
}

impl SignedNote {
    /// Signs `text`, which must end in a newline and have no control characters but newlines.
    pub fn sign(text: &str, key: &SigningKey, key_name: &str) -> Result<Self, NoteError> {
        check_text(text)?;
        let mut note = Self {
            text: text.to_owned(),
            signatures: Vec::new(),
        };
        note.add_signature(key, key_name)?;
        Ok(note)
    }

    /// Adds a signature after those that are there.
    pub fn add_signature(&mut self, key: &SigningKey, key_name: &str) -> Result<(), NoteError> {
        check_key_name(key_name)?;
        let signature = NoteSignature {
            key_name: key_name.to_owned(),
            key_id: ed25519_key_id(key_name, &key.verifying_key()),
            signature: key.sign(self.text.as_bytes()).to_bytes().to_vec(),
        };
        let bytes = self.to_string().len() + signature.to_string().len();
        if self.signatures.len() >= MAX_NOTE_SIGNATURES || bytes > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Parses a note; strict, so that one note has one form.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        let split = note
            .rfind("\n\n")
            .ok_or(NoteError::Malformed("no blank line before the signatures"))?;
        let (text, rest) = note.split_at(split + 1);
        check_text(text)?;
        let lines = rest
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
            .ok_or(NoteError::Malformed("no newline after the signatures"))?;
        if lines.split('\n').count() > MAX_NOTE_SIGNATURES {
            return Err(NoteError::TooLarge);
        }
        let signatures = lines
            .split('\n')
            .map(NoteSignature::parse)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// Checks the signature by `key` under `key_name` and gives the text.
    ///
    /// Other signatures are ignored; several by the asked key must all verify.
    pub fn verify(&self, key_name: &str, key: &VerifyingKey) -> Result<&str, NoteError> {
        let key_id = ed25519_key_id(key_name, key);
        let mut verified = false;
        for line in &self.signatures {
            if line.key_name == key_name && line.key_id == key_id {
                let signature =
                    Signature::from_slice(&line.signature).map_err(|_| NoteError::BadSignature)?;
                key.verify_strict(self.text.as_bytes(), &signature)
                    .map_err(|_| NoteError::BadSignature)?;
                verified = true;
            }
        }
        if verified {
            Ok(&self.text)
        } else {
            Err(NoteError::Unsigned)
        }
    }

    /// The text, which nobody may believe before [`SignedNote::verify`].
    pub fn text_unverified(&self) -> &str {
        &self.text
    }

    /// How many signatures there are, checked or not.
    pub fn signature_count(&self) -> usize {
        self.signatures.len()
    }
}

impl std::fmt::Display for SignedNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|line| write!(f, "{line}"))
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Result<Self, NoteError> {
        let (key_name, encoded) = line
            .strip_prefix(LINE_PREFIX)
            .and_then(|line| line.split_once(' '))
            .ok_or(NoteError::Malformed("signature line"))?;
        check_key_name(key_name)?;
        let blob = STANDARD
            .decode(encoded)
            .map_err(|_| NoteError::Malformed("signature is not base64"))?;
        let (key_id, signature) = blob
            .split_first_chunk()
            .filter(|(_, signature)| !signature.is_empty())
            .ok_or(NoteError::Malformed("signature too short"))?;
        Ok(Self {
            key_name: key_name.to_owned(),
            key_id: *key_id,
            signature: signature.to_vec(),
        })
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let blob = [self.key_id.as_slice(), &self.signature].concat();
        writeln!(
            f,
            "{LINE_PREFIX}{} {}",
            self.key_name,
            STANDARD.encode(blob)
        )
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.len() > MAX_NOTE_BYTES {
        return Err(NoteError::TooLarge);
    }
    if !text.ends_with('\n') {
        return Err(NoteError::Malformed("text does not end in a newline"));
    }
    if text.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Malformed("control character in the text"));
    }
    Ok(())
}

fn check_key_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.chars().any(bad) {
        return Err(NoteError::KeyName);
    }
    Ok(())
}
