//! What the creator of a vault and its joiners tell each other between pairing and founding.

use quorate_vault::Charter;
use serde::{Deserialize, Serialize};

use super::draft::Draft;
use super::record::Addresses;
use crate::record;

/// One message between the creator and a joiner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Said {
    /// The creator: this is the roster, and these are the commitments.
    Draft(Box<Draft>),
    /// A joiner: I have taken the draft, and this is my nonce.
    Nonce {
        /// The vault's nonce, which tells the vaults of one creator apart.
        vault: [u8; 32],
        /// The joiner's own.
        nonce: [u8; 32],
    },
    /// The creator: everybody has revealed, and this is the charter.
    Charter {
        /// The draft, opened.
        charter: Box<Charter>,
        /// Where its members are reached.
        addresses: Addresses,
    },
}

impl Said {
    /// The one encoding.
    pub(crate) fn encode(&self) -> Vec<u8> {
        record::encode(self)
    }

    /// The message whose one encoding this is.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        record::decode(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use quorate_vault::Charter;
    use quorate_vault::charter::Rule;

    use super::{Draft, Said};

    /// What members say to each other, byte for byte.
    #[test]
    fn messages_keep_their_encoding() {
        let charter = Charter {
            version: 1,
            name: "v".into(),
            nonce: [3; 32],
            threshold: 2,
            rule: Rule::Approvals { k: 2 },
            members: Vec::new(),
        };
        let encoded = format!("010176{}02000200", "03".repeat(32));
        let cases = [
            (
                Said::Draft(Box::new(Draft::of_commitments(charter.clone()))),
                format!("0100{encoded}"),
            ),
            (
                Said::Nonce {
                    vault: [3; 32],
                    nonce: [4; 32],
                },
                format!("0101{}{}", "03".repeat(32), "04".repeat(32)),
            ),
            (
                Said::Charter {
                    charter: Box::new(charter),
                    addresses: Vec::new(),
                },
                format!("0102{encoded}00"),
            ),
        ];
        for (said, golden) in cases {
            assert_eq!(hex::encode(said.encode()), golden);
            assert_eq!(Said::decode(&said.encode()), Some(said));
        }
    }
}
