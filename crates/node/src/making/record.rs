//! What is kept of a vault besides its logs: how far its making has come, and its founding charter.

use std::net::SocketAddr;

use quorate_api::is_name;
use quorate_threshold::Parameters;
use quorate_vault::PartyId;
use quorate_vault::charter::MAX_LABEL_CHARS;
use quorate_wire::{PartyCard, VerifiedCard};
use serde::{Deserialize, Serialize};

use super::draft::Draft;

/// Where members can be reached, told once; not part of the charter.
pub(crate) type Addresses = Vec<(PartyId, Vec<SocketAddr>)>;

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
    /// The creator's own nonce; nobody hears it before the charter is made.
    pub(crate) nonce: [u8; 32],
    /// Who has joined, in that order. Once every seat is taken, they are the draft and change no more.
    pub(crate) seats: Vec<Seat>,
}

/// A member that has joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seat {
    /// Its verified card, encoded.
    pub(crate) card: Vec<u8>,
    /// What it said when it took the seat.
    pub(crate) taken: Taken,
    /// Its nonce, once it has taken the draft; opens its commitment.
    pub(crate) nonce: Option<[u8; 32]>,
}

/// What a joiner says when it takes its seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// Its labels.
    pub(crate) labels: Labels,
    /// Its commitment to its nonce.
    pub(crate) commitment: [u8; 32],
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
    /// This member's own nonce; nobody hears it before a draft is taken.
    pub(crate) nonce: [u8; 32],
    /// The one draft that was taken.
    pub(crate) draft: Option<Draft>,
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
    /// The inviter's commitment to its nonce.
    pub(crate) commitment: [u8; 32],
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

impl Inviting {
    /// Seats that nobody has taken yet.
    pub(crate) fn free(&self) -> usize {
        usize::from(self.terms.size).saturating_sub(self.seats.len() + 1)
    }
}

impl Seat {
    /// The card, if it still verifies.
    pub(crate) fn card(&self) -> Option<VerifiedCard> {
        VerifiedCard::decode(&self.card).ok()
    }

    /// Whether it is the seat of the party with this identity key.
    pub(crate) fn is_of(&self, party: &PartyId) -> bool {
        self.card()
            .is_some_and(|card| PartyId::of_identity(&card.card().identity) == *party)
    }
}

impl Joined {
    /// Whether the party that invited has this id.
    pub(crate) fn is_from(&self, party: &PartyId) -> bool {
        VerifiedCard::decode(&self.inviter)
            .is_ok_and(|card| PartyId::of_identity(&card.card().identity) == *party)
    }
}

#[cfg(test)]
mod tests {
    use quorate_vault::PartyId;

    use super::{Founded, Inviting, Joined, Labels, Seat, Stage, Taken, Terms, VaultRecord};
    use crate::record::{decode, encode};

    fn terms() -> Terms {
        Terms {
            name: "family".into(),
            nonce: [7; 32],
            threshold: 2,
            size: 3,
            needed: 2,
            commitment: [6; 32],
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
        let said = format!("0666616d696c79{nonce}020302{}", "06".repeat(32));
        let labelled = "056f776e6572066f6666696365";
        let cases = [
            (
                Stage::Inviting(Inviting {
                    terms: terms(),
                    labels: labels(),
                    nonce: [5; 32],
                    seats: vec![Seat {
                        card: vec![1, 2],
                        taken: Taken {
                            labels: labels(),
                            commitment: [4; 32],
                        },
                        nonce: None,
                    }],
                }),
                format!(
                    "01e80700{said}{labelled}{}01020102{labelled}{}00",
                    "05".repeat(32),
                    "04".repeat(32)
                ),
            ),
            (
                Stage::Joined(Joined {
                    terms: terms(),
                    labels: labels(),
                    inviter: vec![3],
                    nonce: [5; 32],
                    draft: None,
                }),
                format!("01e80701{said}{labelled}0103{}00", "05".repeat(32)),
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
