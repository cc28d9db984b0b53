//! Checkpoints (C2SP `tlog-checkpoint`): a log's head in three lines, signed as a note.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::{Hash, NoteError, SignedNote};

/// A log's head: which log, how many entries, and the Merkle root over them.
///
/// The text form is `origin \n size \n base64(root) \n`. Extension lines are refused: our logs write none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The log's name, one line, see [`crate::Origin`].
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// RFC 6962 root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Signs this head. By convention the key name of the log's own signature is the origin.
    pub fn sign(&self, key: &SigningKey, key_name: &str) -> Result<SignedCheckpoint, NoteError> {
        let text = self.to_string();
        if Self::parse(&text).as_ref() != Ok(self) {
            return Err(NoteError::Checkpoint("origin must be one line of text"));
        }
        Ok(SignedCheckpoint {
            note: SignedNote::sign(&text, key, key_name)?,
            checkpoint: self.clone(),
        })
    }

    /// Parses the note text of a checkpoint.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let bad = NoteError::Checkpoint;
        let body = text.strip_suffix('\n').ok_or(bad("no final newline"))?;
        let mut lines = body.split('\n');
        let [Some(origin), Some(size), Some(root), None] = [(); 4].map(|()| lines.next()) else {
            return Err(bad("it must have three lines"));
        };
        if origin.is_empty() {
            return Err(bad("empty origin"));
        }
        let root = STANDARD
            .decode(root)
            .map_err(|_| bad("root is not base64"))?;
        let checkpoint = Self {
            origin: origin.to_owned(),
            size: size.parse().map_err(|_| bad("size is no number"))?,
            root: root.try_into().map_err(|_| bad("root is not 32 bytes"))?,
        };
        // No sign or leading zeros before the size.
        if checkpoint.to_string() == text {
            Ok(checkpoint)
        } else {
            Err(bad("not in its one form"))
        }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.root);
        writeln!(f, "{}\n{}\n{root}", self.origin, self.size)
    }
}

/// A checkpoint with one or more signatures: well-formed, and believed only through [`SignedCheckpoint::verify`].
///
/// It serialises as the note's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignedCheckpoint {
    note: SignedNote,
    checkpoint: Checkpoint,
}

impl SignedCheckpoint {
    /// Parses a note that holds a checkpoint; checks no signature.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        let note = SignedNote::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text_unverified())?;
        Ok(Self { note, checkpoint })
    }

    /// Checks the signature by `key` under `key_name` and gives the checkpoint.
    pub fn verify(&self, key_name: &str, key: &VerifyingKey) -> Result<&Checkpoint, NoteError> {
        self.note.verify(key_name, key)?;
        Ok(&self.checkpoint)
    }

    /// Checks the author's signature, whose key name is the origin, and gives the checkpoint.
    pub fn verify_author(&self, key: &VerifyingKey) -> Result<&Checkpoint, NoteError> {
        self.verify(&self.checkpoint.origin, key)
    }

    /// The checkpoint, which nobody may believe before a `verify`. Good for routing by origin.
    pub fn checkpoint_unverified(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Adds one more signature over the same text.
    pub fn add_signature(&mut self, key: &SigningKey, key_name: &str) -> Result<(), NoteError> {
        self.note.add_signature(key, key_name)
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

impl From<SignedCheckpoint> for String {
    fn from(signed: SignedCheckpoint) -> Self {
        signed.to_string()
    }
}

impl TryFrom<String> for SignedCheckpoint {
    type Error = NoteError;

    fn try_from(note: String) -> Result<Self, NoteError> {
        Self::parse(&note)
    }
}
