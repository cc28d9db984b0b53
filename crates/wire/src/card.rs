//! Who a party is.

use std::net::SocketAddr;

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use crate::codec::{self, DecodeError};
use crate::signature::{SignatureBytes, public_key, sign, verify};

/// Longest name of a party, in characters.
pub const MAX_NAME_CHARS: usize = 32;

/// Longest controller or trust domain, in characters.
pub const MAX_LABEL_CHARS: usize = 32;

/// Most trust domains of one party.
pub const MAX_TRUST_DOMAINS: usize = 8;

/// Most addresses on one card.
pub const MAX_ADDRESSES: usize = 8;

/// Most bytes that a signed card takes: every text at its longest (4 bytes a character), every key,
/// address and signature.
pub const MAX_CARD_BYTES: usize = 2048;

const VERSION: u8 = 1;
const IDENTITY_DOMAIN: &str = "quorate/wire/card/identity/v1";
const CREDENTIAL_DOMAIN: &str = "quorate/wire/card/credential/v1";

/// What a party says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyCard {
    /// Name that people see: 1 to [`MAX_NAME_CHARS`] letters, digits, single inner spaces and ASCII
    /// punctuation, so that nothing invisible or text-reversing is in it.
    pub name: String,
    /// Ed25519 key that the party is known by, for good.
    pub identity: [u8; 32],
    /// Ed25519 key of its transport: where connections to it end.
    pub endpoint: [u8; 32],
    /// Ed25519 key that its person approves with, on the device.
    pub credential: [u8; 32],
    /// Who controls the party; `owner` unless said otherwise.
    pub controller: String,
    /// What could take several parties at once: a cloud account, an office.
    pub trust_domains: Vec<String>,
    /// Rises with every card of one identity; of two cards the higher one counts.
    pub revision: u32,
    /// Where it can be reached, most useful first.
    pub addresses: Vec<SocketAddr>,
}

/// Why a card is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// The bytes are not a card.
    #[error("the party card is unreadable: {0}")]
    Decode(#[from] DecodeError),
    /// A name or label is empty, too long, or has characters that people cannot see or tell apart.
    #[error(
        "the {field} of the party card must be 1 to {max} visible characters with single spaces between; choose another"
    )]
    Text {
        /// Which text.
        field: &'static str,
        /// Most characters.
        max: usize,
    },
    /// More of something than a card holds, or the same twice.
    #[error("the party card has too many {field} or one twice (at most {max}); remove some")]
    Count {
        /// Of what.
        field: &'static str,
        /// Most of it.
        max: usize,
    },
    /// One of the three keys is not a usable Ed25519 key, or two are the same.
    #[error(
        "the {field} key of the party card is not usable or is used twice; the party has to make new keys"
    )]
    Key {
        /// Which key.
        field: &'static str,
    },
    /// A signature is not by the key that the card names.
    #[error("the party card is not signed by its own {by} key; it was altered, ask for it again")]
    Signature {
        /// Which key should have signed.
        by: &'static str,
    },
}

impl PartyCard {
    /// Checks texts, numbers and keys; signatures are [`SignedCard::verify`].
    ///
    /// # Errors
    /// [`CardError::Text`], [`CardError::Count`], [`CardError::Key`].
    pub fn check(&self) -> Result<(), CardError> {
        check_text("name", &self.name, MAX_NAME_CHARS)?;
        check_text("controller", &self.controller, MAX_LABEL_CHARS)?;
        self.trust_domains
            .iter()
            .try_for_each(|label| check_text("trust domain", label, MAX_LABEL_CHARS))?;
        check_list("trust domains", &self.trust_domains, MAX_TRUST_DOMAINS)?;
        check_list("addresses", &self.addresses, MAX_ADDRESSES)?;
        let keys = [
            ("identity", &self.identity),
            ("endpoint", &self.endpoint),
            ("credential", &self.credential),
        ];
        for (index, (field, key)) in keys.iter().enumerate() {
            let repeated = keys.iter().take(index).any(|(_, earlier)| earlier == key);
            if repeated || public_key(key).is_none() {
                return Err(CardError::Key { field });
            }
        }
        Ok(())
    }

    /// What lasts: everything but addresses and revision. The credential signs only this, so that a
    /// party that moved can say so without its person.
    fn lasting(&self) -> Self {
        Self {
            revision: 0,
            addresses: Vec::new(),
            ..self.clone()
        }
    }
}

fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), CardError> {
    let tidy = !text.is_empty() && text.trim() == text && !text.contains("  ");
    if tidy && text.chars().count() <= max && text.chars().all(is_visible) {
        return Ok(());
    }
    Err(CardError::Text { field, max })
}

/// A letter or digit of any script, or printable ASCII. Controls, format characters (bidirectional
/// overrides, zero-width joiners), other spaces, and the four letters that show nothing are out.
fn is_visible(c: char) -> bool {
    const BLANK_LETTERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];
    (' '..='~').contains(&c) || (c.is_alphanumeric() && !BLANK_LETTERS.contains(&c))
}

fn check_list<T: PartialEq>(field: &'static str, list: &[T], max: usize) -> Result<(), CardError> {
    let repeated = list
        .iter()
        .enumerate()
        .any(|(index, one)| list.iter().take(index).any(|earlier| earlier == one));
    if list.len() > max || repeated {
        return Err(CardError::Count { field, max });
    }
    Ok(())
}

/// A card with both signatures, as it travels: not yet believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCard {
    card: PartyCard,
    by_identity: SignatureBytes,
    by_credential: SignatureBytes,
}

impl SignedCard {
    /// Reads a card from bytes.
    ///
    /// # Errors
    /// [`CardError::Decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CardError> {
        Ok(codec::decode(VERSION, bytes, MAX_CARD_BYTES)?)
    }

    /// Believes the card if it is well-formed and both keys signed it.
    ///
    /// # Errors
    /// Every [`CardError`] but [`CardError::Decode`].
    pub fn verify(self) -> Result<VerifiedCard, CardError> {
        self.card.check()?;
        let whole = codec::encode(VERSION, &self.card);
        if !verify(
            &self.card.identity,
            IDENTITY_DOMAIN,
            &[&whole],
            &self.by_identity,
        ) {
            return Err(CardError::Signature { by: "identity" });
        }
        let lasting = codec::encode(VERSION, &self.card.lasting());
        if !verify(
            &self.card.credential,
            CREDENTIAL_DOMAIN,
            &[&lasting],
            &self.by_credential,
        ) {
            return Err(CardError::Signature { by: "credential" });
        }
        Ok(VerifiedCard(self))
    }
}

/// A card whose signatures hold: the named party has all of identity and credential, and says this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCard(SignedCard);

impl VerifiedCard {
    /// Signs one's own card.
    ///
    /// # Errors
    /// [`CardError`] if the card is not well-formed, or a key is not the one it names.
    pub fn sign(
        card: PartyCard,
        identity: &SigningKey,
        credential: &SigningKey,
    ) -> Result<Self, CardError> {
        let lasting = codec::encode(VERSION, &card.lasting());
        let by_credential = sign(credential, CREDENTIAL_DOMAIN, &[&lasting]);
        Self::sign_whole(card, identity, by_credential)
    }

    /// One's own card with other addresses and the next revision. Needs no credential: its signature
    /// covers only what lasts.
    ///
    /// # Errors
    /// [`CardError`] if there are too many addresses, or `identity` is not the card's key.
    pub fn moved(
        &self,
        addresses: Vec<SocketAddr>,
        identity: &SigningKey,
    ) -> Result<Self, CardError> {
        let revision = self.card().revision.saturating_add(1);
        let card = PartyCard {
            revision,
            addresses,
            ..self.card().clone()
        };
        Self::sign_whole(card, identity, self.0.by_credential)
    }

    fn sign_whole(
        card: PartyCard,
        identity: &SigningKey,
        by_credential: SignatureBytes,
    ) -> Result<Self, CardError> {
        let whole = codec::encode(VERSION, &card);
        let by_identity = sign(identity, IDENTITY_DOMAIN, &[&whole]);
        SignedCard {
            card,
            by_identity,
            by_credential,
        }
        .verify()
    }

    /// Reads and verifies a card.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CardError> {
        SignedCard::decode(bytes)?.verify()
    }

    /// The bytes that [`VerifiedCard::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(VERSION, &self.0)
    }

    /// What the party says.
    pub fn card(&self) -> &PartyCard {
        &self.0.card
    }
}
