//! What `--json` prints.

use serde::{Deserialize, Serialize};

/// Version of the envelope and of every type inside it.
pub const ENVELOPE_VERSION: u32 = 1;

/// `{"version":1,"kind":"requests","data":...}`: one line of `--json` output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// [`ENVELOPE_VERSION`].
    pub version: u32,
    /// What `data` is: `request`, `requests`, `vault`, `status`, `error`, ...
    pub kind: String,
    /// The type itself.
    pub data: T,
}

impl<T> Envelope<T> {
    /// Wraps `data` under the current version.
    pub fn new(kind: &str, data: T) -> Self {
        Self {
            version: ENVELOPE_VERSION,
            kind: kind.to_owned(),
            data,
        }
    }
}
