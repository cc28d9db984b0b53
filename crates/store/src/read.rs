//! Reading: every value is checked again as it is read.

use zeroize::Zeroizing;

use crate::commit::sealing_aad;
use crate::digest::Key;
use crate::rows::{Part, RowKey, Rows, Table};
use crate::sealing::open;
use crate::write::number;
use crate::{Error, Store};

/// One entry of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Party whose log it is.
    pub author: [u8; 32],
    /// Incarnation of that log.
    pub incarnation: u64,
    /// Position in it.
    pub position: u64,
    /// The entry's bytes.
    pub entry: Vec<u8>,
}

/// The checkpoint note held for one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRecord {
    /// Party whose log it is.
    pub author: [u8; 32],
    /// Incarnation of that log.
    pub incarnation: u64,
    /// The note's bytes.
    pub note: Vec<u8>,
}

/// What a secret is called, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName {
    /// Name it was stored under.
    pub name: String,
    /// Epoch whose wrapping key seals it.
    pub epoch: u64,
}

impl Store {
    /// Every log entry of a vault, ordered by author, incarnation, position.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn logs(&self, vault: &[u8; 32]) -> Result<Vec<LogRecord>, Error> {
        let mut found = Vec::new();
        self.rows().scan(Table::Log, Some(vault), |key, entry| {
            let mut key = Fields::of(Table::Log, &key);
            key.id()?;
            let (author, incarnation, position) = (key.id()?, key.number()?, key.number()?);
            found.push(LogRecord {
                author,
                incarnation,
                position,
                entry,
            });
            Ok(())
        })?;
        Ok(found)
    }

    /// Every checkpoint note of a vault, ordered by author, incarnation.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn checkpoints(&self, vault: &[u8; 32]) -> Result<Vec<CheckpointRecord>, Error> {
        let mut found = Vec::new();
        self.rows()
            .scan(Table::Checkpoint, Some(vault), |key, note| {
                let mut key = Fields::of(Table::Checkpoint, &key);
                key.id()?;
                found.push(CheckpointRecord {
                    author: key.id()?,
                    incarnation: key.number()?,
                    note,
                });
                Ok(())
            })?;
        Ok(found)
    }

    /// Every vault that has a log entry, checkpoint or secret here, ordered; the member's own secrets
    /// (vault of zeros) do not count.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn vaults(&self) -> Result<Vec<[u8; 32]>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT vault FROM log UNION SELECT vault FROM checkpoint UNION SELECT vault FROM secret ORDER BY 1",
        )?;
        let found = statement
            .query_map((), |row| row.get(0))?
            .collect::<Result<Vec<[u8; 32]>, _>>()?;
        Ok(found
            .into_iter()
            .filter(|vault| vault != &[0; 32])
            .collect())
    }

    /// One setting.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn setting(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.rows().find(Table::Setting, &RowKey::name(key))
    }

    /// Every setting whose name begins with `prefix`, ordered by name.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn settings(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut found = Vec::new();
        self.rows().scan(Table::Setting, None, |key, value| {
            let name = Fields::of(Table::Setting, &key).text()?;
            if name.starts_with(prefix) {
                found.push((name, value));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Opens one secret. `None` if there is none, or its epoch was erased.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn secret(
        &self,
        vault: &[u8; 32],
        name: &str,
        epoch: u64,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let epoch = number("an epoch", epoch)?;
        let key = RowKey::secret(vault, name, epoch);
        let Some(sealed) = self.rows().find(Table::Secret, &key)? else {
            return Ok(None);
        };
        let damaged = || Error::corrupt(Table::Secret.name(), key.describe());
        let wrapping = self
            .rows()
            .wrapping_key(vault, epoch)?
            .ok_or_else(damaged)?;
        open(&wrapping, &sealing_aad(Table::Secret, &key), &sealed)
            .map(Some)
            .ok_or_else(damaged)
    }

    /// Names of the secrets of a vault, ordered by name, epoch.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn secret_names(&self, vault: &[u8; 32]) -> Result<Vec<SecretName>, Error> {
        let mut found = Vec::new();
        self.rows().scan(Table::Secret, Some(vault), |key, _| {
            let mut key = Fields::of(Table::Secret, &key);
            key.id()?;
            found.push(SecretName {
                name: key.text()?,
                epoch: key.number()?,
            });
            Ok(())
        })?;
        Ok(found)
    }

    fn rows(&self) -> Rows<'_> {
        Rows {
            connection: &self.connection,
            keys: &self.keys,
        }
    }
}

impl Rows<'_> {
    /// The wrapping key of an epoch, if it is there.
    pub(crate) fn wrapping_key(&self, vault: &[u8; 32], epoch: i64) -> Result<Option<Key>, Error> {
        let row = RowKey::epoch(vault, epoch);
        let Some(wrapped) = self.find(Table::Epoch, &row)? else {
            return Ok(None);
        };
        let opened = open(
            &self.keys.wrapping,
            &sealing_aad(Table::Epoch, &row),
            &wrapped,
        );
        let bytes = opened.and_then(|key| Some(Zeroizing::new(*key.first_chunk::<32>()?)));
        bytes
            .map(|key| Some(Key::new(key)))
            .ok_or_else(|| Error::corrupt(Table::Epoch.name(), row.describe()))
    }
}

/// Takes a key apart, in the order of its columns.
struct Fields<'a> {
    table: Table,
    parts: std::slice::Iter<'a, Part>,
}

impl<'a> Fields<'a> {
    fn of(table: Table, key: &'a RowKey) -> Self {
        Self {
            table,
            parts: key.0.iter(),
        }
    }

    fn unexpected(&self) -> Error {
        Error::corrupt(self.table.name(), "a key of another shape")
    }

    fn id(&mut self) -> Result<[u8; 32], Error> {
        match self.parts.next() {
            Some(Part::Bytes(bytes)) => bytes.as_slice().try_into().map_err(|_| self.unexpected()),
            _ => Err(self.unexpected()),
        }
    }

    fn number(&mut self) -> Result<u64, Error> {
        match self.parts.next() {
            Some(Part::Number(number)) => u64::try_from(*number).map_err(|_| self.unexpected()),
            _ => Err(self.unexpected()),
        }
    }

    fn text(&mut self) -> Result<String, Error> {
        match self.parts.next() {
            Some(Part::Text(text)) => Ok(text.clone()),
            _ => Err(self.unexpected()),
        }
    }
}
