//! Rows: a table, a key and a value, each under a MAC and in the sum over all rows.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use subtle::ConstantTimeEq;

use crate::Error;
use crate::digest::{Key, RowSum};

/// A table of rows. Every one has the columns of its key, then `value` and `mac`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Meta,
    Log,
    Checkpoint,
    Setting,
    Epoch,
    Secret,
}

impl Table {
    pub(crate) const ALL: [Self; 6] = [
        Self::Meta,
        Self::Log,
        Self::Checkpoint,
        Self::Setting,
        Self::Epoch,
        Self::Secret,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Log => "log",
            Self::Checkpoint => "checkpoint",
            Self::Setting => "setting",
            Self::Epoch => "epoch",
            Self::Secret => "secret",
        }
    }

    /// Whether its values are sealed: old ones must not linger in the write-ahead log.
    pub(crate) fn holds_secrets(self) -> bool {
        matches!(self, Self::Meta | Self::Epoch | Self::Secret)
    }

    /// Key columns, in the order of the primary key.
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Meta | Self::Setting => &["name"],
            Self::Log => &["vault", "author", "incarnation", "position"],
            Self::Checkpoint => &["vault", "author", "incarnation"],
            Self::Epoch => &["vault", "epoch"],
            Self::Secret => &["vault", "name", "epoch"],
        }
    }
}

/// One part of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Bytes(Vec<u8>),
    Number(i64),
    Text(String),
}

impl Part {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Blob(bytes) => Some(Self::Bytes(bytes.to_vec())),
            ValueRef::Integer(number) => Some(Self::Number(number)),
            ValueRef::Text(text) => Some(Self::Text(std::str::from_utf8(text).ok()?.to_owned())),
            ValueRef::Null | ValueRef::Real(_) => None,
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Bytes(bytes) => Value::Blob(bytes.clone()),
            Self::Number(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(text.clone()),
        }
    }

    /// Kind, length and bytes, so that no two keys have one encoding.
    fn encode(&self, out: &mut Vec<u8>) {
        let number;
        let (kind, bytes) = match self {
            Self::Bytes(bytes) => (b'b', bytes.as_slice()),
            Self::Text(text) => (b't', text.as_bytes()),
            Self::Number(value) => {
                number = value.to_be_bytes();
                (b'n', number.as_slice())
            }
        };
        out.push(kind);
        out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        out.extend_from_slice(bytes);
    }

    fn describe(&self) -> String {
        match self {
            Self::Bytes(bytes) => bytes
                .iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.escape_debug().to_string(),
        }
    }
}

/// Names one row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RowKey(pub(crate) Vec<Part>);

impl RowKey {
    pub(crate) fn name(name: &str) -> Self {
        Self(vec![Part::Text(name.to_owned())])
    }

    pub(crate) fn checkpoint(vault: &[u8; 32], author: &[u8; 32], incarnation: i64) -> Self {
        Self(vec![
            Part::Bytes(vault.to_vec()),
            Part::Bytes(author.to_vec()),
            Part::Number(incarnation),
        ])
    }

    pub(crate) fn log(
        vault: &[u8; 32],
        author: &[u8; 32],
        incarnation: i64,
        position: i64,
    ) -> Self {
        let Self(mut parts) = Self::checkpoint(vault, author, incarnation);
        parts.push(Part::Number(position));
        Self(parts)
    }

    pub(crate) fn epoch(vault: &[u8; 32], epoch: i64) -> Self {
        Self(vec![Part::Bytes(vault.to_vec()), Part::Number(epoch)])
    }

    pub(crate) fn secret(vault: &[u8; 32], name: &str, epoch: i64) -> Self {
        Self(vec![
            Part::Bytes(vault.to_vec()),
            Part::Text(name.to_owned()),
            Part::Number(epoch),
        ])
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.0.iter().for_each(|part| part.encode(&mut out));
        out
    }

    pub(crate) fn describe(&self) -> String {
        self.0
            .iter()
            .map(Part::describe)
            .collect::<Vec<_>>()
            .join("/")
    }
}

/// The keys that everything in a store is checked and wrapped with, derived from its data key.
pub(crate) struct Keys {
    row: Key,
    sum: Key,
    pub(crate) head: Key,
    pub(crate) mark: Key,
    pub(crate) wrapping: Key,
}

impl Keys {
    pub(crate) fn derive(data: &Key) -> Self {
        Self {
            row: data.derive("row"),
            sum: data.derive("sum"),
            head: data.derive("head"),
            mark: data.derive("mark"),
            wrapping: data.derive("wrapping"),
        }
    }

    fn tag(&self, table: Table, key: &RowKey, value: &[u8]) -> [u8; 32] {
        self.row.mac(&[
            b"quorate/store/row/v1",
            table.name().as_bytes(),
            &key.encode(),
            value,
        ])
    }

    fn number(&self, table: Table, key: &RowKey, value: &[u8]) -> [u8; 32] {
        self.sum.mac(&[
            b"quorate/store/sum/v1",
            table.name().as_bytes(),
            &key.encode(),
            value,
        ])
    }
}

/// Equality that takes the same time wherever two MACs differ.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Reads rows, checking each.
pub(crate) struct Rows<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) keys: &'a Keys,
}

impl Rows<'_> {
    /// Calls `each` with every row of a table in key order; `vault` narrows it to one vault.
    pub(crate) fn scan(
        &self,
        table: Table,
        vault: Option<&[u8; 32]>,
        mut each: impl FnMut(RowKey, Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let columns = table.columns().join(", ");
        let narrowed = if vault.is_some() {
            "WHERE vault = ?1 "
        } else {
            ""
        };
        let sql = format!(
            "SELECT {columns}, value, mac FROM {} {narrowed}ORDER BY {columns}",
            table.name()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(vault))?;
        while let Some(row) = rows.next()? {
            let (key, value) = self.read(table, row)?;
            each(key, value)?;
        }
        Ok(())
    }

    /// The value of one row.
    pub(crate) fn find(&self, table: Table, key: &RowKey) -> Result<Option<Vec<u8>>, Error> {
        let columns = table.columns();
        let sql = format!(
            "SELECT {}, value, mac FROM {} WHERE {}",
            columns.join(", "),
            table.name(),
            conditions(columns),
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement
            .query_row(params_from_iter(key.0.iter().map(Part::to_value)), |row| {
                Ok(self.read(table, row))
            })
            .optional()?
            .transpose()?;
        Ok(found.map(|(_, value)| value))
    }

    /// Key and value of a row whose MAC is right.
    fn read(&self, table: Table, row: &Row<'_>) -> Result<(RowKey, Vec<u8>), Error> {
        let width = table.columns().len();
        let mut parts = Vec::with_capacity(width);
        for index in 0..width {
            let part = Part::read(row.get_ref(index)?);
            parts.push(part.ok_or_else(|| Error::corrupt(table.name(), "a key of another type"))?);
        }
        let key = RowKey(parts);
        let (Ok(value), Ok(mac)) = (
            row.get::<_, Vec<u8>>(width),
            row.get::<_, Vec<u8>>(width + 1),
        ) else {
            return Err(Error::corrupt(table.name(), key.describe()));
        };
        if !same(&self.keys.tag(table, &key, &value), &mac) {
            return Err(Error::corrupt(table.name(), key.describe()));
        }
        Ok((key, value))
    }

    /// The sum over every row of every table, each checked on the way.
    pub(crate) fn sum(&self) -> Result<RowSum, Error> {
        let mut sum = RowSum::EMPTY;
        for table in Table::ALL {
            self.scan(table, None, |key, value| {
                sum.add(&self.keys.number(table, &key, &value));
                Ok(())
            })?;
        }
        Ok(sum)
    }

    /// Sets a row and keeps the sum in step. Returns whether it replaced one.
    pub(crate) fn put(
        &self,
        sum: &mut RowSum,
        table: Table,
        key: &RowKey,
        value: &[u8],
    ) -> Result<bool, Error> {
        let old = self.find(table, key)?;
        if let Some(old) = &old {
            sum.remove(&self.keys.number(table, key, old));
        }
        let columns = table.columns();
        let placeholders = (1..=columns.len() + 2)
            .map(|n| format!("?{n}"))
            .collect::<Vec<_>>()
            .join(", ");
        let sql = format!(
            "INSERT INTO {} ({columns}, value, mac) VALUES ({placeholders}) \
             ON CONFLICT ({columns}) DO UPDATE SET value = excluded.value, mac = excluded.mac",
            table.name(),
            columns = columns.join(", "),
        );
        let tag = self.keys.tag(table, key, value);
        let mut values: Vec<Value> = key.0.iter().map(Part::to_value).collect();
        values.push(Value::Blob(value.to_vec()));
        values.push(Value::Blob(tag.to_vec()));
        self.connection
            .prepare_cached(&sql)?
            .execute(params_from_iter(values))?;
        sum.add(&self.keys.number(table, key, value));
        Ok(old.is_some())
    }

    /// Removes a row and keeps the sum in step. Returns whether there was one.
    pub(crate) fn delete(
        &self,
        sum: &mut RowSum,
        table: Table,
        key: &RowKey,
    ) -> Result<bool, Error> {
        let Some(old) = self.find(table, key)? else {
            return Ok(false);
        };
        let sql = format!(
            "DELETE FROM {} WHERE {}",
            table.name(),
            conditions(table.columns())
        );
        let values = params_from_iter(key.0.iter().map(Part::to_value));
        self.connection.prepare_cached(&sql)?.execute(values)?;
        sum.remove(&self.keys.number(table, key, &old));
        Ok(true)
    }
}

/// `a = ?1 AND b = ?2` and so on.
fn conditions(columns: &[&str]) -> String {
    let each = columns
        .iter()
        .enumerate()
        .map(|(index, column)| format!("{column} = ?{}", index + 1));
    each.collect::<Vec<_>>().join(" AND ")
}
