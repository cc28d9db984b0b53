//! What is kept of a vault besides its logs: how far its making has come, and its founding charter.

use quorate_api::is_name;
use quorate_threshold::Parameters;
use quorate_vault::charter::{Addresses, MAX_LABEL_CHARS};
use quorate_wire::{PartyCard, VerifiedCard};
use serde::{Deserialize, Serialize};

/// A vault, as the daemon keeps it under `vault/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VaultRecord {
    /// When it was begun or joined here.
    pub(crate) created_ms: u64,
    /// How far it has come.
    pub(crate) stage: Stage,
}

/// How far a vault has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Begun here; members are joining.
    Inviting(Inviting),
    /// Joined; the inviter has yet to send the roster.
    Joined(Joined),
    /// The roster is complete; everything else is in the logs.
    Founded(Founded),
}

/// A vault begun here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inviting {
    /// What everybody is invited to.
    pub(crate) terms: Terms,
    /// The creator's own labels.
    pub(crate) labels: Labels,
    /// Who has joined, in that order.
    pub(crate) seats: Vec<Seat>,
}

/// A member that has joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seat {
    /// Its verified card, encoded.
    pub(crate) card: Vec<u8>,
    /// Its labels.
    pub(crate) labels: Labels,
}

/// A vault joined here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Joined {
    /// What the invitation said.
    pub(crate) terms: Terms,
    /// This member's own labels.
    pub(crate) labels: Labels,
    /// The inviter's verified card, encoded.
    pub(crate) inviter: Vec<u8>,
}

/// A vault whose roster is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Founded {
    /// Encoded [`Charter`](quorate_vault::Charter).
    pub(crate) charter: Vec<u8>,
    /// Where members were reached when it was made.
    pub(crate) addresses: Addresses,
}

/// What an invitation says about a vault; the charter must say the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// What people call it.
    pub(crate) name: String,
    /// The charter's nonce.
    pub(crate) nonce: [u8; 32],
    /// Signers that a signature needs.
    pub(crate) threshold: u8,
    /// Members in all.
    pub(crate) size: u8,
    /// Approvals that a request needs.
    pub(crate) needed: u8,
}

impl Terms {
    /// Whether a vault can be made on these terms.
    pub(crate) fn are_sound(&self) -> bool {
        let possible = Parameters::new(self.threshold, self.size).is_ok();
        is_name(&self.name) && possible && (self.threshold..=self.size).contains(&self.needed)
    }
}

/// Who controls a member, and what could take it together with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Labels {
    /// `owner`, `provider`, ...
    pub(crate) controller: String,
    /// A cloud account, an office.
    pub(crate) domain: String,
}

impl Labels {
    /// The labels asked for, or those on the card.
    pub(crate) fn or_card(
        controller: Option<String>,
        domain: Option<String>,
        card: &PartyCard,
    ) -> Self {
        let of_card = || {
            card.trust_domains
                .first()
                .cloned()
                .unwrap_or_else(|| card.name.clone())
        };
        Self {
            controller: controller.unwrap_or_else(|| card.controller.clone()),
            domain: domain.unwrap_or_else(of_card),
        }
    }

    /// Whether a charter takes them.
    pub(crate) fn are_sound(&self) -> bool {
        let plain = |c: char| c.is_alphanumeric() || c.is_ascii_graphic() || c == ' ';
        [&self.controller, &self.domain].iter().all(|label| {
            let length = label.chars().count();
            (1..=MAX_LABEL_CHARS).contains(&length)
                && label.chars().all(plain)
                && label.trim() == label.as_str()
        })
    }
}

impl Seat {
    /// The card, if it still verifies.
    pub(crate) fn card(&self) -> Option<VerifiedCard> {
        VerifiedCard::decode(&self.card).ok()
    }
}

#[cfg(test)]
mod tests {
    use quorate_vault::PartyId;

    use super::{Founded, Inviting, Joined, Labels, Seat, Stage, Terms, VaultRecord};
    use crate::record::{decode, encode};

    fn terms() -> Terms {
        Terms {
            name: "family".into(),
            nonce: [7; 32],
            threshold: 2,
            size: 3,
            needed: 2,
        }
    }

    fn labels() -> Labels {
        Labels {
            controller: "owner".into(),
            domain: "office".into(),
        }
    }

    /// What stands on disk, byte for byte: a change here needs a new version and a way to read the old one.
    #[test]
    fn records_keep_their_encoding() {
        let nonce = "07".repeat(32);
        let said = format!("0666616d696c79{nonce}020302");
        let labelled = "056f776e6572066f6666696365";
        let cases = [
            (
                Stage::Inviting(Inviting {
                    terms: terms(),
                    labels: labels(),
                    seats: vec![Seat {
                        card: vec![1, 2],
                        labels: labels(),
                    }],
                }),
                format!("01e80700{said}{labelled}01020102{labelled}"),
            ),
            (
                Stage::Joined(Joined {
                    terms: terms(),
                    labels: labels(),
                    inviter: vec![3],
                }),
                format!("01e80701{said}{labelled}0103"),
            ),
            (
                Stage::Founded(Founded {
                    charter: vec![4],
                    addresses: vec![(PartyId([9; 32]), vec!["127.0.0.1:7300".parse().unwrap()])],
                }),
                format!("01e80702010401{}01007f0000018439", "09".repeat(32)),
            ),
        ];
        for (stage, golden) in cases {
            let record = VaultRecord {
                created_ms: 1000,
                stage,
            };
            assert_eq!(hex::encode(encode(&record)), golden);
            assert_eq!(decode::<VaultRecord>(&encode(&record)), Some(record));
        }
    }

    #[test]
    fn labels_and_terms_that_no_charter_takes_are_refused() {
        assert!(labels().are_sound() && terms().are_sound());
        for odd in ["", " owner", "own\ner", "own\u{202e}er"] {
            let odd = Labels {
                controller: odd.into(),
                ..labels()
            };
            assert!(!odd.are_sound(), "{odd:?}");
        }
        for (threshold, size, needed) in [(1, 3, 2), (2, 4, 2), (2, 3, 1), (2, 3, 4), (2, 17, 2)] {
            let odd = Terms {
                threshold,
                size,
                needed,
                ..terms()
            };
            assert!(!odd.are_sound(), "{odd:?}");
        }
    }
}
