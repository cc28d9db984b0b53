//! What the fold makes of logs written by hand.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod act0;
mod again;
mod approvals;
mod fork;
mod gossip;
mod order;
mod signing;
mod slots;
mod stuck;
