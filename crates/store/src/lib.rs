//! Durable journal of opaque records and sealed secrets.
