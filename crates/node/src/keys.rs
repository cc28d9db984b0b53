//! The member's own keys: identity and endpoint are open while the daemon runs; the credential that approves lies under
//! the PIN as well and is opened for one approval.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ed25519_dalek::SigningKey;
use quorate_store::{Store, Write, open_with_pin, seal_with_pin};
use quorate_vault::PartyId;
use quorate_wire::{PartyCard, VerifiedCard};
use rand_core::OsRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::error::NodeError;
use crate::process::now_ms;
use crate::shared::lock;
use crate::shelf::{Shelf, keep, keep_secret, load, own_secret, unreadable};

const IDENTITY: &str = "identity";
const ENDPOINT: &str = "endpoint";
const CREDENTIAL: &str = "credential";
const CARD: &str = "self/card";
const PIN_FAILURES: &str = "self/pin-failures";
/// What a credential is bound to, besides the PIN.
const CREDENTIAL_AAD: &[u8] = b"quorate/credential/v1";

/// Wrong PINs in a row that cost nothing but the try.
const FREE_TRIES: u32 = 5;
/// Wait after the last free try; doubles with each further one.
const FIRST_WAIT_MS: u64 = 30_000;
/// Longest wait.
const LONGEST_WAIT_MS: u64 = 60 * 60 * 1000;

/// Who this member is.
pub(crate) struct Me {
    /// Stable name of the party.
    pub(crate) party: PartyId,
    /// What people call it.
    pub(crate) name: String,
    /// Signs log heads, protocol messages and greetings.
    pub(crate) identity: Arc<SigningKey>,
    /// Where connections end.
    pub(crate) endpoint: Zeroizing<[u8; 32]>,
    card: Mutex<VerifiedCard>,
}

/// The writes that give a fresh member its keys and its card.
///
/// # Errors
/// [`NodeError::Name`], or the store's for a PIN.
pub(crate) fn make(name: &str, pin: &[u8]) -> Result<(PartyId, Vec<Write>), NodeError> {
    let [identity, endpoint, credential] = [(); 3].map(|()| SigningKey::generate(&mut OsRng));
    let card = PartyCard {
        name: name.to_owned(),
        identity: identity.verifying_key().to_bytes(),
        endpoint: endpoint.verifying_key().to_bytes(),
        credential: credential.verifying_key().to_bytes(),
        controller: "owner".to_owned(),
        trust_domains: vec![name.to_owned()],
        revision: 1,
        addresses: Vec::new(),
    };
    let party = PartyId::of_identity(&card.identity);
    let card = VerifiedCard::sign(card, &identity, &credential)
        .map_err(|_| NodeError::Name(name.to_owned()))?;
    let sealed = seal_with_pin(pin, &secret_bytes(&credential), CREDENTIAL_AAD, &mut OsRng)?;
    let writes = vec![
        keep_secret(IDENTITY, secret_bytes(&identity)),
        keep_secret(ENDPOINT, secret_bytes(&endpoint)),
        keep_secret(CREDENTIAL, Zeroizing::new(sealed)),
        keep(CARD, &card.encode()),
    ];
    Ok((party, writes))
}

fn secret_bytes(key: &SigningKey) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(key.as_bytes().to_vec())
}

impl Me {
    /// Reads the keys of the store in `dir`.
    ///
    /// # Errors
    /// [`NodeError::Unfinished`], or the store's.
    pub(crate) fn load(dir: &Path, store: &Store) -> Result<Self, NodeError> {
        let Some(card): Option<Vec<u8>> = load(store, CARD)? else {
            return Err(NodeError::Unfinished {
                dir: dir.to_owned(),
            });
        };
        let card = VerifiedCard::decode(&card).map_err(|_| unreadable(CARD))?;
        let secret = key(store, IDENTITY)?;
        let identity = Arc::new(SigningKey::from_bytes(&secret));
        if identity.verifying_key().to_bytes() != card.card().identity {
            return Err(unreadable(IDENTITY).into());
        }
        Ok(Self {
            party: PartyId::of_identity(&card.card().identity),
            name: card.card().name.clone(),
            identity,
            endpoint: key(store, ENDPOINT)?,
            card: Mutex::new(card),
        })
    }

    /// What this member says of itself.
    pub(crate) fn card(&self) -> VerifiedCard {
        lock(&self.card).clone()
    }

    /// Says where it is reached now; durable if that is news. Tells whether it is.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn move_to(
        &self,
        store: &mut Store,
        addresses: &[SocketAddr],
    ) -> Result<bool, quorate_store::Error> {
        let mut card = lock(&self.card);
        let addresses: Vec<SocketAddr> = addresses
            .iter()
            .copied()
            .take(quorate_wire::MAX_ADDRESSES)
            .collect();
        if card.card().addresses == addresses {
            return Ok(false);
        }
        let moved = card
            .moved(addresses, &self.identity)
            .map_err(|_| unreadable(CARD))?;
        store.commit(vec![keep(CARD, &moved.encode())], &mut OsRng)?;
        *card = moved;
        Ok(true)
    }
}

fn key(store: &Store, name: &str) -> Result<Zeroizing<[u8; 32]>, quorate_store::Error> {
    let bytes = own_secret(store, name)?.ok_or_else(|| unreadable(name))?;
    let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| unreadable(name))?;
    Ok(Zeroizing::new(key))
}

/// Why a PIN does not open the credential.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub(crate) enum PinError {
    #[error("wrong PIN; try again, {} before there is a wait", tries(*.left))]
    Wrong { left: u32 },
    #[error("too many wrong PINs; wait {seconds} seconds, then try again")]
    Wait { seconds: u64 },
    #[error(transparent)]
    Store(#[from] quorate_store::Error),
}

fn tries(left: u32) -> String {
    if left == 1 {
        "1 more try".to_owned()
    } else {
        format!("{left} more tries")
    }
}

/// Wrong PINs in a row; survives a restart, so that restarting wins no tries.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Failures {
    wrong: u32,
    last_ms: u64,
}

impl Failures {
    /// Milliseconds until the next try is taken.
    fn wait_ms(self, now_ms: u64) -> u64 {
        let Some(beyond) = self.wrong.checked_sub(FREE_TRIES) else {
            return 0;
        };
        let wait = FIRST_WAIT_MS
            .saturating_mul(1u64.checked_shl(beyond).unwrap_or(u64::MAX))
            .min(LONGEST_WAIT_MS);
        // A clock that was put back waits in full, once.
        wait.saturating_sub(now_ms.saturating_sub(self.last_ms))
    }
}

/// One try at a time, so that tries side by side win nothing.
static TURN: Mutex<()> = Mutex::new(());

/// Opens the credential key. Slow on purpose (Argon2id). The try counts before it is made.
///
/// # Errors
/// [`PinError`].
pub(crate) fn open_credential(shelf: &Shelf, pin: &[u8]) -> Result<SigningKey, PinError> {
    let turn = lock(&TURN);
    let now_ms = now_ms();
    let (sealed, counted) = shelf.with(|store| count_try(store, now_ms))?;
    let opened = match open_with_pin(pin, &sealed, CREDENTIAL_AAD) {
        Err(quorate_store::Error::WrongPin) => {
            let left = FREE_TRIES.saturating_sub(counted.wrong);
            let seconds = counted.wait_ms(now_ms).div_ceil(1000);
            return Err(if left > 0 {
                PinError::Wrong { left }
            } else {
                PinError::Wait { seconds }
            });
        }
        other => other?,
    };
    let bytes: [u8; 32] = opened
        .as_slice()
        .try_into()
        .map_err(|_| unreadable(CREDENTIAL))?;
    let bytes = Zeroizing::new(bytes);
    shelf.with(|store| store.commit(vec![keep(PIN_FAILURES, &Failures::default())], &mut OsRng))?;
    drop(turn);
    Ok(SigningKey::from_bytes(&bytes))
}

/// Counts a try as wrong, durably; gives what it is made on.
fn count_try(store: &mut Store, now_ms: u64) -> Result<(Zeroizing<Vec<u8>>, Failures), PinError> {
    let before: Failures = load(store, PIN_FAILURES)?.unwrap_or_default();
    let wait_ms = before.wait_ms(now_ms);
    if wait_ms > 0 {
        return Err(PinError::Wait {
            seconds: wait_ms.div_ceil(1000),
        });
    }
    let counted = Failures {
        wrong: before.wrong.saturating_add(1),
        last_ms: now_ms,
    };
    store.commit(vec![keep(PIN_FAILURES, &counted)], &mut OsRng)?;
    let sealed = own_secret(store, CREDENTIAL)?.ok_or_else(|| unreadable(CREDENTIAL))?;
    Ok((sealed, counted))
}

/// Puts the credential key under another PIN.
///
/// # Errors
/// [`PinError`].
pub(crate) fn change_pin(shelf: &Shelf, old: &[u8], new: &[u8]) -> Result<(), PinError> {
    let credential = open_credential(shelf, old)?;
    let sealed = seal_with_pin(new, &secret_bytes(&credential), CREDENTIAL_AAD, &mut OsRng)?;
    shelf.with(|store| {
        store.commit(
            vec![keep_secret(CREDENTIAL, Zeroizing::new(sealed))],
            &mut OsRng,
        )
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{FIRST_WAIT_MS, Failures, LONGEST_WAIT_MS};

    #[test]
    fn waiting_begins_after_the_free_tries_and_doubles() {
        let after = |wrong| Failures {
            wrong,
            last_ms: 1_000,
        };
        assert_eq!(after(4).wait_ms(1_000), 0);
        assert_eq!(after(5).wait_ms(1_000), FIRST_WAIT_MS);
        assert_eq!(after(6).wait_ms(1_000), 2 * FIRST_WAIT_MS);
        assert_eq!(after(5).wait_ms(1_000 + FIRST_WAIT_MS), 0);
        assert_eq!(after(200).wait_ms(1_000), LONGEST_WAIT_MS);
    }

    #[test]
    fn putting_the_clock_back_wins_no_tries() {
        let failures = Failures {
            wrong: 7,
            last_ms: 1_000_000,
        };
        assert_eq!(failures.wait_ms(0), 4 * FIRST_WAIT_MS);
    }
}
