//! Making, opening and closing a store, and its passphrase.

use std::fmt;
use std::fs::File;
use std::path::Path;

use rand_core::CryptoRngCore;
use rusqlite::{Connection, OptionalExtension};
use zeroize::Zeroizing;

use crate::Error;
use crate::commit::{read_head, write_head};
use crate::digest::{Key, RowSum};
use crate::files::{Layout, Mark};
use crate::phrase::{Shut, open_under_phrase, seal_under_phrase};
use crate::rows::{Keys, RowKey, Rows, Table};
use crate::schema;

const SLOT: &str = "slot";
const SLOT_DOMAIN: &str = "quorate/store/slot/v1";

/// An open store: this process holds its lock until it is dropped.
pub struct Store {
    pub(crate) connection: Connection,
    pub(crate) keys: Keys,
    pub(crate) sum: RowSum,
    pub(crate) commits: u64,
    pub(crate) broken: bool,
    /// The write-ahead log holds pages that were to be gone.
    pub(crate) untidy: bool,
    pub(crate) mark: Mark,
    _lock: File,
}

impl Store {
    /// Makes a store in `dir`, which is made too if need be, and opens it. Takes about a tenth of a
    /// second (Argon2id). Interrupted at any instant, there is a whole store or none.
    ///
    /// # Errors
    /// [`Error::AlreadyInitialised`], [`Error::EmptyPassphrase`], [`Error::LoosePermissions`],
    /// [`Error::Locked`], [`Error::DiskFull`], [`Error::Io`].
    pub fn init(dir: &Path, passphrase: &[u8], rng: &mut dyn CryptoRngCore) -> Result<Self, Error> {
        let layout = Layout::new(dir);
        layout.prepare()?;
        let lock = layout.lock()?;
        if layout.is_initialised()? {
            return Err(Error::AlreadyInitialised {
                path: dir.to_owned(),
            });
        }
        layout.remove_drafts()?;
        let mut data = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(data.as_mut_slice());
        let slot = seal_under_phrase(passphrase, SLOT_DOMAIN, &[], data.as_slice(), rng)?;
        let keys = Keys::derive(&Key::new(data));
        layout.make_draft()?;
        let connection = schema::create(&layout.draft)?;
        write_first(&connection, &keys, &slot)?;
        schema::checkpoint(&connection)?;
        connection.close().map_err(|(_, error)| error)?;
        layout.make_mark(&keys.mark, 0)?;
        layout.publish()?;
        Self::load(&layout, lock, schema::open(&layout.database)?, keys)
    }

    /// Opens the store in `dir`. Checks every stored value, in time linear in the store, and writes
    /// nothing before all of it has been found whole.
    ///
    /// # Errors
    /// [`Error::NotInitialised`], [`Error::WrongPassphrase`], [`Error::ForeignDatabase`],
    /// [`Error::NewerVersion`], [`Error::Corrupt`], [`Error::LoosePermissions`], [`Error::Locked`], [`Error::Io`].
    pub fn open(dir: &Path, passphrase: &[u8]) -> Result<Self, Error> {
        Self::open_with(dir, |slot| open_slot(slot, passphrase))
    }

    /// Opens with whatever turns the slot into the data key.
    pub(crate) fn open_with(
        dir: &Path,
        unseal: impl FnOnce(&[u8]) -> Result<Key, Error>,
    ) -> Result<Self, Error> {
        let layout = Layout::new(dir);
        layout.check()?;
        schema::check_header(&layout.database)?;
        let lock = layout.lock()?;
        let connection = schema::open(&layout.database)?;
        let data = unseal(&read_slot(&connection)?)?;
        Self::load(&layout, lock, connection, Keys::derive(&data))
    }

    /// Checks everything that needs the keys; only then touches the file.
    fn load(
        layout: &Layout,
        lock: File,
        connection: Connection,
        keys: Keys,
    ) -> Result<Self, Error> {
        let (commits, sum) = read_head(&connection, &keys)?;
        if (Rows {
            connection: &connection,
            keys: &keys,
        })
        .sum()?
            != sum
        {
            return Err(Error::corrupt(
                "database",
                "rows are missing or from another time",
            ));
        }
        let (mark, acknowledged) = layout.open_mark(&keys.mark)?;
        if acknowledged > commits {
            let lost = acknowledged - commits;
            return Err(Error::corrupt(
                "write-ahead log",
                format!("{lost} acknowledged commits are missing"),
            ));
        }
        schema::configure(&connection)?;
        let untidy = match schema::checkpoint(&connection) {
            // There is nothing to be read that is not whole, so reading goes on.
            Err(Error::DiskFull) => true,
            outcome => outcome.map(|()| false)?,
        };
        mark.write(&keys.mark, commits)?;
        Ok(Self {
            connection,
            keys,
            sum,
            commits,
            broken: false,
            untidy,
            mark,
            _lock: lock,
        })
    }

    /// Puts the data key under another passphrase; nothing else is sealed anew. Interrupted at any
    /// instant, exactly one of the two opens the store. The old passphrase still opens old copies.
    ///
    /// # Errors
    /// [`Error::WrongPassphrase`] for `old`, [`Error::EmptyPassphrase`] for `new`, and those of
    /// [`Store::commit`].
    pub fn change_passphrase(
        &mut self,
        old: &[u8],
        new: &[u8],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(), Error> {
        let data = open_slot(&read_slot(&self.connection)?, old)?;
        let slot = seal_under_phrase(new, SLOT_DOMAIN, &[], data.expose(), rng)?;
        self.transact(|batch| batch.put(Table::Meta, &RowKey::name(SLOT), &slot))
    }

    /// Whether `passphrase` opens this store: asks again before something grave. Takes as long as opening.
    ///
    /// # Errors
    /// [`Error::WrongPassphrase`], [`Error::Corrupt`].
    pub fn check_passphrase(&self, passphrase: &[u8]) -> Result<(), Error> {
        open_slot(&read_slot(&self.connection)?, passphrase).map(drop)
    }

    /// Closes the store tidily: everything in one file, the mark on disk. Dropping does the same,
    /// without telling of errors; neither is needed for durability.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::DiskFull`].
    pub fn close(mut self) -> Result<(), Error> {
        self.tidy()
    }

    fn tidy(&mut self) -> Result<(), Error> {
        if self.broken {
            return Ok(());
        }
        self.broken = true;
        schema::checkpoint(&self.connection)?;
        self.mark.sync()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Everything acknowledged is durable already, and there is nobody to tell.
        self.tidy().ok();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("commits", &self.commits)
            .finish_non_exhaustive()
    }
}

/// The first rows of a new database: the slot and the head, in one transaction.
fn write_first(connection: &Connection, keys: &Keys, slot: &[u8]) -> Result<(), Error> {
    let transaction = connection.unchecked_transaction()?;
    let mut sum = RowSum::EMPTY;
    Rows {
        connection: &transaction,
        keys,
    }
    .put(&mut sum, Table::Meta, &RowKey::name(SLOT), slot)?;
    write_head(&transaction, keys, 0, sum)?;
    Ok(transaction.commit()?)
}

/// The sealed data key; its MAC can only be checked once it is open.
fn read_slot(connection: &Connection) -> Result<Vec<u8>, Error> {
    let slot = connection
        .query_row("SELECT value FROM meta WHERE name = ?1", [SLOT], |row| {
            row.get(0)
        })
        .optional()?;
    slot.ok_or_else(|| Error::corrupt("meta", SLOT))
}

fn open_slot(slot: &[u8], passphrase: &[u8]) -> Result<Key, Error> {
    if passphrase.is_empty() {
        return Err(Error::WrongPassphrase);
    }
    let data =
        open_under_phrase(passphrase, SLOT_DOMAIN, &[], slot).map_err(|shut| match shut {
            Shut::Damaged => Error::corrupt("meta", SLOT),
            Shut::WrongPhrase => Error::WrongPassphrase,
            Shut::Refused(error) => error,
        })?;
    let data = Zeroizing::new(
        data.as_slice()
            .try_into()
            .map_err(|_| Error::corrupt("meta", SLOT))?,
    );
    Ok(Key::new(data))
}
