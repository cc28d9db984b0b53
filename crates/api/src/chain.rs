//! Chains, addresses, balances.

use serde::{Deserialize, Serialize};

/// Body of `POST /v1/chains`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddChain {
    /// Local name ([`crate::is_name`]).
    pub name: String,
    /// JSON-RPC endpoint, `http://` or `https://`.
    pub rpc_url: String,
    /// CAIP-2 id that the endpoint must answer with; without it the endpoint is asked.
    /// An endpoint of another chain is [`crate::ErrorCode::Denied`].
    pub chain: Option<String>,
}

/// A chain that was added, and how its endpoint answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainView {
    /// Local name.
    pub name: String,
    /// CAIP-2 id: `eip155:1`.
    pub chain: String,
    /// Scheme, host and port of the endpoint, then `/...` if there is more:
    /// paths and queries hold API keys.
    pub rpc: String,
    /// Whether the endpoint answers, for the right chain.
    pub reachable: bool,
    /// CAIP-2 id that the endpoint answered with.
    pub answered: Option<String>,
    /// Newest block the endpoint told.
    pub block: Option<u64>,
    /// Why it is not reachable, one sentence.
    pub problem: Option<String>,
}

/// An address of a vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressView {
    /// Chain family it is good for: `eip155`.
    pub namespace: String,
    /// The address, EIP-55.
    pub address: String,
    /// Suite of the key behind it: `ecdsa-secp256k1`.
    pub suite: String,
}

/// Query of `GET /v1/vault/{vault}/balance`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BalanceQuery {
    /// Only this chain (name or CAIP-2); all of them without.
    pub chain: Option<String>,
}

/// What one chain says of a vault's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceView {
    /// CAIP-2 id.
    pub chain: String,
    /// Local name.
    pub chain_name: String,
    /// Address.
    pub address: String,
    /// Symbol of the native asset: `ETH`.
    pub asset: String,
    /// Balance at `block`; none when the endpoint does not answer.
    pub balance_wei: Option<String>,
    /// What open requests can take of it at the most, fees included.
    pub reserved_wei: String,
    /// Block the balance is of.
    pub block: Option<u64>,
    /// Why there is no balance, one sentence.
    pub problem: Option<String>,
}
