//! The one store of the daemon, shared between its tasks, and the daemon's own records in it.

use std::sync::{Arc, Mutex};

use quorate_store::{Error, Store, Write};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::record;
use crate::shared::lock;

/// The vault of zeros: the member's own secrets.
pub(crate) const OWN: [u8; 32] = [0; 32];
/// The epoch under which the member's own secrets are sealed.
pub(crate) const OWN_EPOCH: u64 = 0;

/// A handle on the store. Every call can wait for the disk: async callers go through [`Shelf::apart`].
#[derive(Clone, Debug)]
pub(crate) struct Shelf(Arc<Mutex<Store>>);

impl Shelf {
    /// Shares `store`.
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    /// Does something with the store, alone.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Store) -> T) -> T {
        f(&mut lock(&self.0))
    }

    /// The same on a thread that may wait.
    ///
    /// # Errors
    /// Those of `f`; [`Error::Broken`] if it panicked.
    pub(crate) async fn apart<T, F>(&self, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Store) -> Result<T, Error> + Send + 'static,
    {
        let shelf = self.clone();
        tokio::task::spawn_blocking(move || shelf.with(f))
            .await
            .unwrap_or(Err(Error::Broken))
    }

    /// Takes the store back once nobody else holds a handle.
    pub(crate) fn into_store(self) -> Option<Store> {
        let store = Arc::into_inner(self.0)?;
        Some(
            store
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }
}

/// Reads a record of the daemon's own.
///
/// # Errors
/// Those of the store; [`Error::Corrupt`] if the bytes are not such a record.
pub(crate) fn load<T: Serialize + DeserializeOwned>(
    store: &Store,
    key: &str,
) -> Result<Option<T>, Error> {
    let Some(bytes) = store.setting(key)? else {
        return Ok(None);
    };
    record::decode(&bytes)
        .map(Some)
        .ok_or_else(|| unreadable(key))
}

/// Every record whose name begins with `family`, with the rest of its name.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_all<T: Serialize + DeserializeOwned>(
    store: &Store,
    family: &str,
) -> Result<Vec<(String, T)>, Error> {
    let open = |(key, bytes): (String, Vec<u8>)| {
        let value = record::decode(&bytes).ok_or_else(|| unreadable(&key))?;
        Ok((key.strip_prefix(family).unwrap_or(&key).to_owned(), value))
    };
    store.settings(family)?.into_iter().map(open).collect()
}

/// The write that keeps a record of the daemon's own.
pub(crate) fn keep<T: Serialize>(key: impl Into<String>, value: &T) -> Write {
    Write::Setting {
        key: key.into(),
        value: record::encode(value),
    }
}

/// The write that keeps a secret of the member's own.
pub(crate) fn keep_secret(name: &str, plain: Zeroizing<Vec<u8>>) -> Write {
    Write::Secret {
        vault: OWN,
        name: name.to_owned(),
        epoch: OWN_EPOCH,
        plain,
    }
}

/// Reads a secret of the member's own.
///
/// # Errors
/// Those of the store.
pub(crate) fn own_secret(store: &Store, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    store.secret(&OWN, name, OWN_EPOCH)
}

/// The error for a record that the store holds whole and that nobody here can read.
pub(crate) fn unreadable(key: &str) -> Error {
    Error::Corrupt {
        table: "setting",
        key: key.to_owned(),
    }
}
