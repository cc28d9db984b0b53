//! The database file: its format, its settings, and the checks before anything in it is believed.
//!
//! Settings, and why:
//! - `journal_mode=WAL`: a commit appends to one file and needs one fsync; with the rollback journal
//!   it would need several and write every page twice.
//! - `synchronous=FULL`: in WAL mode the default (`NORMAL`) does not fsync on commit, so a power cut could
//!   take acknowledged commits with it. A one-time value whose use was forgotten could be used again,
//!   so every commit is fsynced before it is acknowledged.
//! - `locking_mode=EXCLUSIVE`: one process only, so the WAL's index stays in memory and no shared-memory
//!   file exists.
//! - `secure_delete=ON`: deleted wrapping keys are overwritten in the database file.
//! - closing never checkpoints by itself, so that a store found damaged is left as it was.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::Error;

/// Marks the file as a Quorate store (SQLite's `application_id`): "QRTE".
pub(crate) const APPLICATION_ID: i32 = 0x5152_5445;

/// Format of the store (SQLite's `user_version`).
pub(crate) const FORMAT: u32 = 1;

/// One statement a table, in order of name; stored by SQLite as written and compared on opening.
const TABLES: [(&str, &str); 7] = [
    (
        "checkpoint",
        "CREATE TABLE checkpoint (vault BLOB NOT NULL, author BLOB NOT NULL, incarnation INTEGER NOT NULL, \
         value BLOB NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (vault, author, incarnation)) STRICT, WITHOUT ROWID",
    ),
    (
        "epoch",
        "CREATE TABLE epoch (vault BLOB NOT NULL, epoch INTEGER NOT NULL, \
         value BLOB NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (vault, epoch)) STRICT, WITHOUT ROWID",
    ),
    (
        "head",
        "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), commits INTEGER NOT NULL, \
         sum BLOB NOT NULL, mac BLOB NOT NULL) STRICT",
    ),
    (
        "log",
        "CREATE TABLE log (vault BLOB NOT NULL, author BLOB NOT NULL, incarnation INTEGER NOT NULL, \
         position INTEGER NOT NULL, value BLOB NOT NULL, mac BLOB NOT NULL, \
         PRIMARY KEY (vault, author, incarnation, position)) STRICT, WITHOUT ROWID",
    ),
    (
        "meta",
        "CREATE TABLE meta (name TEXT NOT NULL, value BLOB NOT NULL, mac BLOB NOT NULL, \
         PRIMARY KEY (name)) STRICT, WITHOUT ROWID",
    ),
    (
        "secret",
        "CREATE TABLE secret (vault BLOB NOT NULL, name TEXT NOT NULL, epoch INTEGER NOT NULL, \
         value BLOB NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (vault, name, epoch), \
         FOREIGN KEY (vault, epoch) REFERENCES epoch (vault, epoch)) STRICT, WITHOUT ROWID",
    ),
    (
        "setting",
        "CREATE TABLE setting (name TEXT NOT NULL, value BLOB NOT NULL, mac BLOB NOT NULL, \
         PRIMARY KEY (name)) STRICT, WITHOUT ROWID",
    ),
];

/// Makes tables and markings in an empty file, and puts it into WAL mode for good.
pub(crate) fn create(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, flags())?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    for (_, sql) in TABLES {
        connection.execute(sql, ())?;
    }
    configure(&connection)?;
    Ok(connection)
}

/// Opens a database that [`check_header`] has passed, and checks that its structure is sound and is
/// exactly this format's. Writes nothing.
pub(crate) fn open(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, flags())?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    connection.pragma_update(None, "cell_size_check", true)?;
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" || connection.is_readonly("main")? {
        return Err(Error::corrupt("database", "header"));
    }
    check_tables(&connection)?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Error::corrupt("database", verdict));
    }
    Ok(connection)
}

/// Settings of a connection that is going to write.
pub(crate) fn configure(connection: &Connection) -> Result<(), Error> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Error::corrupt("database", "journal mode"));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

/// Moves everything from the write-ahead log into the database and empties the log.
pub(crate) fn checkpoint(connection: &Connection) -> Result<(), Error> {
    let busy: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
    if busy != 0 {
        return Err(Error::corrupt(
            "database",
            "a second connection holds the write-ahead log",
        ));
    }
    Ok(())
}

/// Reads the file's own header, without SQLite (which could recover into a foreign file): it is a
/// SQLite database, of ours, in a format we know. <https://www.sqlite.org/fileformat.html>, section 1.3.
pub(crate) fn check_header(path: &Path) -> Result<(), Error> {
    let foreign = |why: &str| Error::ForeignDatabase {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    let mut header = [0u8; 100];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut header))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => foreign("it is too short for a database"),
            _ => Error::io("reading", path, error),
        })?;
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(foreign("it is not a SQLite database"));
    }
    let number = |offset: usize| {
        header
            .get(offset..)
            .and_then(|rest| rest.first_chunk())
            .map(|four| u32::from_be_bytes(*four))
    };
    if number(68) != Some(APPLICATION_ID.cast_unsigned()) {
        return Err(foreign("its application id is another program's"));
    }
    match number(60) {
        Some(FORMAT) => Ok(()),
        Some(found) if found > FORMAT => Err(Error::NewerVersion {
            found,
            known: FORMAT,
        }),
        _ => Err(foreign("it has no format version")),
    }
}

fn check_tables(connection: &Connection) -> Result<(), Error> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?;
    let found: Vec<(String, String)> = statement
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let known = TABLES.iter().map(|(name, sql)| (*name, *sql));
    if !found
        .iter()
        .map(|(name, sql)| (name.as_str(), sql.as_str()))
        .eq(known)
    {
        return Err(Error::corrupt("database", "tables"));
    }
    Ok(())
}

/// Never creates: files are made beforehand, with the right mode.
fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}
