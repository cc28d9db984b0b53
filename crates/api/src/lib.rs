//! Types and client of the local API.
