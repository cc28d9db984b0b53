//! A fresh member, and changing the passphrase of one whose daemon is stopped.

use std::path::{Path, PathBuf};

use quorate_api::{MIN_PASSPHRASE_CHARS, MIN_PIN_CHARS, is_name};
use quorate_store::Store;
use quorate_vault::PartyId;
use rand_core::OsRng;
use zeroize::Zeroizing;

use crate::error::NodeError;
use crate::keys;

/// What a fresh member is made of.
pub struct InitOptions {
    /// The folder; made if it is not there.
    pub dir: PathBuf,
    /// What other members call it.
    pub name: String,
    /// Opens the store.
    pub passphrase: Zeroizing<String>,
    /// Opens the key that approves.
    pub pin: Zeroizing<String>,
}

/// A member that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitReport {
    /// The folder.
    pub dir: PathBuf,
    /// Its name.
    pub name: String,
    /// Its stable name.
    pub party: PartyId,
}

/// Makes a member: a store, three keys, a signed card. Takes some tenths of a second (Argon2id, twice).
///
/// # Errors
/// [`NodeError`]: a name, passphrase or PIN that cannot be, or the store's reasons. A folder that already holds a
/// member stays as it is.
pub fn init(options: InitOptions) -> Result<InitReport, NodeError> {
    let InitOptions {
        dir,
        name,
        passphrase,
        pin,
    } = options;
    if !is_name(&name) {
        return Err(NodeError::Name(name));
    }
    check_passphrase(&passphrase)?;
    if pin.chars().count() < MIN_PIN_CHARS {
        return Err(NodeError::ShortPin);
    }
    let mut store = Store::init(&dir, passphrase.as_bytes(), &mut OsRng)?;
    let (party, writes) = keys::make(&name, pin.as_bytes())?;
    store.commit(writes, &mut OsRng)?;
    store.close()?;
    Ok(InitReport { dir, name, party })
}

/// Puts the store of a stopped daemon under another passphrase.
///
/// # Errors
/// [`NodeError`]: the old passphrase is wrong, the new one too short, or a daemon has the store open.
pub fn change_passphrase(
    dir: &Path,
    old: &Zeroizing<String>,
    new: &Zeroizing<String>,
) -> Result<(), NodeError> {
    check_passphrase(new)?;
    let mut store = Store::open(dir, old.as_bytes())?;
    store.change_passphrase(old.as_bytes(), new.as_bytes(), &mut OsRng)?;
    Ok(store.close()?)
}

fn check_passphrase(passphrase: &str) -> Result<(), NodeError> {
    if passphrase.chars().count() < MIN_PASSPHRASE_CHARS {
        return Err(NodeError::ShortPassphrase);
    }
    Ok(())
}
