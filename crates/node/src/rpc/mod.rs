//! What the chains say, asked over JSON-RPC. Observed, never proven: a lying endpoint can make this member wait or
//! refuse, and cannot make it sign more than was approved.

mod client;
mod evm;
mod wire;

pub use client::{
    MAX_ANSWER_BYTES, MAX_BLOCK_BYTES, MAX_URL_BYTES, RpcClient, RpcError, TIMEOUT, parse_url,
    redacted,
};
pub use evm::{Balance, Evm};
