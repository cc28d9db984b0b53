//! Which log this is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The identity of a log, bound by every checkpoint: `quorate/<vault hex>/<author hex>/<incarnation>`.
///
/// It is the origin line and also the key name of the author's signature. `author` names the party; which key that
/// party signs with is the caller's knowledge. After a proven rollback the same author goes on under the next incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The vault's id.
    pub vault: [u8; 32],
    /// The party that alone appends.
    pub author: [u8; 32],
    /// Counts from 0; rises by one each time the author starts a new log for the vault.
    pub incarnation: u32,
}

const PREFIX: &str = "quorate";

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{PREFIX}/{}/{}/{}",
            hex::encode(self.vault),
            hex::encode(self.author),
            self.incarnation
        )
    }
}

impl FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::Origin(text.chars().take(256).collect());
        let mut parts = text.split('/');
        let [
            Some(PREFIX),
            Some(vault),
            Some(author),
            Some(incarnation),
            None,
        ] = [(); 5].map(|()| parts.next())
        else {
            return Err(bad());
        };
        let id = |part: &str| {
            let mut bytes = [0; 32];
            hex::decode_to_slice(part, &mut bytes).ok().map(|()| bytes)
        };
        let origin = Self {
            vault: id(vault).ok_or_else(bad)?,
            author: id(author).ok_or_else(bad)?,
            incarnation: incarnation.parse().map_err(|_| bad())?,
        };
        // One log, one name: no capitals, signs or leading zeros.
        if origin.to_string() == text {
            Ok(origin)
        } else {
            Err(bad())
        }
    }
}
