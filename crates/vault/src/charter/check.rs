//! What a charter must satisfy before anybody confirms it.

use std::collections::BTreeSet;

use ed25519_dalek::VerifyingKey;
use quorate_threshold::Parameters;
use thiserror::Error;

use super::{Charter, FOUNDING_VERSION, MAX_CHARTER_BYTES, Member};
use crate::ids::PartyId;

/// Longest name of a vault or member, characters.
pub const MAX_NAME_CHARS: usize = 32;
/// Longest controller or trust-domain label, characters.
pub const MAX_LABEL_CHARS: usize = 64;
/// Most trust domains of one member.
pub const MAX_DOMAINS: usize = 8;

/// Why a charter cannot found a vault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum CharterError {
    #[error(
        "the charter has version {found}, and a vault is founded with version {FOUNDING_VERSION}; update the older member"
    )]
    Version { found: u32 },
    #[error(
        "{threshold} of {members} is not possible: 2 to 16 members, and the threshold more than half of them and at least 2"
    )]
    Parameters { threshold: u8, members: usize },
    #[error(
        "{k} approvals are not possible: choose at least the threshold of {threshold} and at most all {members} members"
    )]
    Approvals {
        k: u8,
        threshold: u8,
        members: usize,
    },
    #[error(
        "{what} {name:?} is not a name: choose 1 to {MAX_NAME_CHARS} letters, digits, single spaces, '-', '_' or '.'"
    )]
    Name { what: &'static str, name: String },
    #[error(
        "{label:?} of {name} is not a label: choose 1 to {MAX_LABEL_CHARS} printable characters, and at most {MAX_DOMAINS} domains, each once"
    )]
    Label { label: String, name: String },
    #[error("two members are called {name:?}; one of them must join again under another name")]
    DuplicateName { name: String },
    #[error("{name} has the {what} of another member; it must join again with keys of its own")]
    Duplicate { what: &'static str, name: String },
    #[error(
        "{name}'s approval key also serves as identity or endpoint; it must join again with an approval key of its own"
    )]
    CredentialReused { name: String },
    #[error("{name}'s party id is not the hash of its identity key; it must join again")]
    PartyId { name: String },
    #[error("{name}'s {what} key is not a usable Ed25519 key; it must join again")]
    Key { what: &'static str, name: String },
    #[error("the members make no committee: {0}")]
    Committee(quorate_threshold::Error),
    #[error("the charter is longer than {MAX_CHARTER_BYTES} bytes; shorten its labels")]
    TooLong,
}

/// Everything a founding charter promises.
pub(super) fn check(charter: &Charter) -> Result<(), CharterError> {
    if charter.version != FOUNDING_VERSION {
        return Err(CharterError::Version {
            found: charter.version,
        });
    }
    check_numbers(charter)?;
    check_name("vault", &charter.name)?;
    for member in &charter.members {
        check_member(member)?;
    }
    check_unique(charter)?;
    if charter.encode().len() > MAX_CHARTER_BYTES {
        return Err(CharterError::TooLong);
    }
    charter.committee().map(|_| ())
}

/// `2 <= t <= n <= 16`, `2t > n`, `t <= k <= n`.
fn check_numbers(charter: &Charter) -> Result<(), CharterError> {
    let members = charter.members.len();
    let threshold = charter.threshold;
    let parameters = u8::try_from(members)
        .ok()
        .and_then(|n| Parameters::new(threshold, n).ok())
        .ok_or(CharterError::Parameters { threshold, members })?;
    let k = charter.needed();
    if k < threshold || k > parameters.parties() {
        return Err(CharterError::Approvals {
            k,
            threshold,
            members,
        });
    }
    Ok(())
}

pub(super) fn check_member(member: &Member) -> Result<(), CharterError> {
    check_name("member", &member.name)?;
    check_label(&member.controller, &member.name)?;
    let distinct: BTreeSet<&String> = member.domains.iter().collect();
    if member.domains.len() > MAX_DOMAINS || distinct.len() != member.domains.len() {
        let label = member
            .domains
            .join(", ")
            .chars()
            .take(MAX_LABEL_CHARS)
            .collect();
        return Err(CharterError::Label {
            label,
            name: member.name.clone(),
        });
    }
    member
        .domains
        .iter()
        .try_for_each(|domain| check_label(domain, &member.name))?;
    member.identity_key()?;
    member.credential_key()?;
    key(&member.endpoint, "endpoint", &member.name)?;
    if member.party != PartyId::of_identity(&member.identity) {
        return Err(CharterError::PartyId {
            name: member.name.clone(),
        });
    }
    Ok(())
}

/// Names stand on screens where people compare them, so nothing invisible and no look-alike spacing.
fn check_name(what: &'static str, name: &str) -> Result<(), CharterError> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    let length = name.chars().count();
    let well_formed = (1..=MAX_NAME_CHARS).contains(&length)
        && name.chars().all(plain)
        && name.trim() == name
        && !name.contains("  ");
    if well_formed {
        return Ok(());
    }
    let name = name.chars().take(MAX_NAME_CHARS).collect();
    Err(CharterError::Name { what, name })
}

fn check_label(label: &str, name: &str) -> Result<(), CharterError> {
    let plain = |c: char| c.is_alphanumeric() || c.is_ascii_graphic() || c == ' ';
    let length = label.chars().count();
    if (1..=MAX_LABEL_CHARS).contains(&length) && label.chars().all(plain) && label.trim() == label
    {
        return Ok(());
    }
    Err(CharterError::Label {
        label: label.chars().take(MAX_LABEL_CHARS).collect(),
        name: name.to_owned(),
    })
}

fn check_unique(charter: &Charter) -> Result<(), CharterError> {
    let mut names = BTreeSet::new();
    let (mut parties, mut identities) = (BTreeSet::new(), BTreeSet::new());
    let (mut endpoints, mut credentials) = (BTreeSet::new(), BTreeSet::new());
    for member in &charter.members {
        let name = member.name.clone();
        let duplicate = |what| CharterError::Duplicate {
            what,
            name: name.clone(),
        };
        if !names.insert(name.to_lowercase()) {
            return Err(CharterError::DuplicateName { name });
        }
        if !parties.insert(member.party) {
            return Err(duplicate("party id"));
        }
        if !identities.insert(member.identity) {
            return Err(duplicate("identity key"));
        }
        if !endpoints.insert(member.endpoint) {
            return Err(duplicate("endpoint key"));
        }
        if !credentials.insert(member.credential) {
            return Err(duplicate("approval key"));
        }
    }
    // The approval key is opened by a PIN for each approval; one that also serves a daemon would be open all day.
    charter
        .members
        .iter()
        .find(|member| {
            identities.contains(&member.credential) || endpoints.contains(&member.credential)
        })
        .map_or(Ok(()), |member| {
            Err(CharterError::CredentialReused {
                name: member.name.clone(),
            })
        })
}

/// A key on the curve that is not of small order, under which anything would verify.
pub(super) fn key(
    bytes: &[u8; 32],
    what: &'static str,
    name: &str,
) -> Result<VerifyingKey, CharterError> {
    VerifyingKey::from_bytes(bytes)
        .ok()
        .filter(|key| !key.is_weak())
        .ok_or_else(|| CharterError::Key {
            what,
            name: name.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::{Charter, CharterError, MAX_DOMAINS};
    use crate::charter::Rule;
    use crate::testing::{charter, founders};

    type Change = fn(&mut Charter);

    #[test]
    fn sound_charters_pass() {
        for (threshold, members) in [(2, 2), (2, 3), (3, 5), (5, 9), (9, 16), (16, 16)] {
            charter(threshold, members).check().unwrap();
        }
    }

    #[test]
    fn sixteen_members_with_the_longest_labels_fit() {
        let mut c = charter(9, 16);
        for member in &mut c.members {
            member.controller = "ß".repeat(64);
            member.domains = (0..MAX_DOMAINS)
                .map(|i| format!("{i}{}", "ß".repeat(63)))
                .collect();
        }
        c.check().unwrap();
    }

    #[test]
    fn numbers_outside_their_bounds_are_refused() {
        for (threshold, members) in [(0, 3), (1, 1), (1, 2), (2, 4), (4, 3), (9, 17), (3, 6)] {
            let mut c = charter(2, 3);
            c.threshold = threshold;
            c.members = founders(members);
            assert!(
                matches!(c.check(), Err(CharterError::Parameters { .. })),
                "{threshold} of {members}"
            );
        }
        for k in [0, 1, 4, 255] {
            let mut c = charter(2, 3);
            c.rule = Rule::Approvals { k };
            assert!(
                matches!(c.check(), Err(CharterError::Approvals { .. })),
                "{k}"
            );
        }
    }

    /// Two members that share a key are one party with two voices.
    #[test]
    fn shared_names_and_keys_are_refused() {
        let changes: [(Change, &str); 4] = [
            (|c| c.members[1] = c.members[0].clone(), "called"),
            (
                |c| c.members[1].name = c.members[0].name.to_uppercase(),
                "called",
            ),
            (
                |c| c.members[1].endpoint = c.members[0].endpoint,
                "endpoint key",
            ),
            (
                |c| c.members[1].credential = c.members[0].credential,
                "approval key",
            ),
        ];
        for (change, says) in changes {
            let mut c = charter(2, 3);
            change(&mut c);
            let error = c.check().unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        let mut c = charter(2, 3);
        c.members[1].identity = c.members[0].identity;
        c.members[1].party = c.members[0].party;
        assert!(matches!(c.check(), Err(CharterError::Duplicate { .. })));
        let mut c = charter(2, 3);
        c.members[1].credential = c.members[2].endpoint;
        assert!(matches!(
            c.check(),
            Err(CharterError::CredentialReused { .. })
        ));
    }

    #[test]
    fn a_party_id_is_the_hash_of_its_first_identity() {
        let mut c = charter(2, 3);
        c.members[2].party.0[0] ^= 1;
        assert!(matches!(c.check(), Err(CharterError::PartyId { .. })));
    }

    /// Under the identity point every signature verifies for somebody.
    #[test]
    fn weak_keys_are_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        let changes: [fn(&mut Charter, [u8; 32]); 3] = [
            |c, key| c.members[0].identity = key,
            |c, key| c.members[0].endpoint = key,
            |c, key| c.members[0].credential = key,
        ];
        for change in changes {
            let mut c = charter(2, 3);
            change(&mut c, one);
            assert!(matches!(c.check(), Err(CharterError::Key { .. })));
        }
    }

    #[test]
    fn names_and_labels_show_what_they_are() {
        for bad in [
            "",
            " a",
            "a ",
            "a  b",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}",
            &"a".repeat(33),
        ] {
            let mut c = charter(2, 3);
            c.name = bad.to_owned();
            assert!(
                matches!(c.check(), Err(CharterError::Name { .. })),
                "{bad:?}"
            );
            let mut c = charter(2, 3);
            c.members[0].name = bad.to_owned();
            assert!(
                matches!(c.check(), Err(CharterError::Name { .. })),
                "{bad:?}"
            );
        }
        for bad in ["", "\t", "a\u{7f}", &"a".repeat(65)] {
            let mut c = charter(2, 3);
            c.members[0].controller = bad.to_owned();
            assert!(
                matches!(c.check(), Err(CharterError::Label { .. })),
                "{bad:?}"
            );
            let mut c = charter(2, 3);
            c.members[0].domains = vec![bad.to_owned()];
            assert!(
                matches!(c.check(), Err(CharterError::Label { .. })),
                "{bad:?}"
            );
        }
        let mut c = charter(2, 3);
        c.members[0].domains = vec!["office".to_owned(), "office".to_owned()];
        assert!(matches!(c.check(), Err(CharterError::Label { .. })));
    }

    #[test]
    fn another_version_is_refused() {
        let mut c = charter(2, 3);
        c.version = 2;
        assert_eq!(c.check(), Err(CharterError::Version { found: 2 }));
    }
}
