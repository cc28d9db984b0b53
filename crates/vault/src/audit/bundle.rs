//! The bundle: every member's log in one self-contained JSON value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_log::Log;
use serde::{Deserialize, Serialize};

use super::AuditError;
use crate::ids::VaultId;

/// The version that is written and read.
pub const BUNDLE_VERSION: u32 = 1;
/// Most logs in one bundle: four incarnations of 16 members.
pub const MAX_BUNDLED_LOGS: usize = 64;

/// Every member's log of one vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`BUNDLE_VERSION`].
    pub version: u32,
    /// The vault's id, 64 hexadecimal digits.
    pub vault: String,
    /// One for each incarnation of each member's log.
    pub logs: Vec<BundledLog>,
}

/// One log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledLog {
    /// Whose: a party id, 64 hexadecimal digits.
    pub author: String,
    /// Which incarnation.
    pub incarnation: u32,
    /// Every entry from position 0 on, base64 (RFC 4648, padded).
    pub entries: Vec<String>,
    /// The author's checkpoint over exactly these entries, a C2SP signed note.
    pub checkpoint: String,
}

impl Bundle {
    /// Bundles logs up to their newest checkpoint; entries that nobody signed yet are left out, and so are logs
    /// without any checkpoint.
    pub fn of<'a>(vault: &VaultId, logs: impl IntoIterator<Item = &'a Log>) -> Self {
        Self {
            version: BUNDLE_VERSION,
            vault: vault.to_string(),
            logs: logs.into_iter().filter_map(BundledLog::of).collect(),
        }
    }

    /// The vault that it says it is of.
    pub(super) fn vault_id(&self) -> Result<VaultId, AuditError> {
        id(&self.vault)
            .map(VaultId)
            .ok_or_else(|| AuditError::VaultId {
                text: self.vault.chars().take(80).collect(),
            })
    }
}

impl BundledLog {
    fn of(log: &Log) -> Option<Self> {
        let checkpoint = log.checkpoint()?.to_string();
        let signed = usize::try_from(log.signed_size()).ok()?;
        Some(Self {
            author: hex::encode(log.origin().author),
            incarnation: log.origin().incarnation,
            entries: log
                .entries()
                .iter()
                .take(signed)
                .map(|entry| STANDARD.encode(entry))
                .collect(),
            checkpoint,
        })
    }

    /// Entry bytes; `Err` with the position of the first that is no base64.
    pub(super) fn entry_bytes(&self) -> Result<Vec<Vec<u8>>, usize> {
        let decoded = self.entries.iter().enumerate();
        decoded
            .map(|(position, text)| STANDARD.decode(text).map_err(|_| position))
            .collect()
    }
}

/// 32 bytes from 64 lower-case hexadecimal digits.
pub(super) fn id(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    (hex::encode(bytes) == text).then_some(bytes)
}
