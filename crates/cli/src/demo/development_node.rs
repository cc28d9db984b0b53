//! The few calls to a development node that are not Quorate's: where demo funds come from.

use std::thread;
use std::time::{Duration, Instant};

use quorate_api::ErrorCode;
use serde_json::{Value, json};
use ureq::Agent;

use crate::Failure;
use crate::failure::Outcome;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for the funding transaction.
const MINING_PATIENCE: Duration = Duration::from_secs(30);

/// 1 ETH in wei, hexadecimal.
const FUNDS: &str = "0xde0b6b3a7640000";

/// A development node with unlocked accounts.
pub(super) struct DevelopmentNode {
    agent: Agent,
    url: String,
    funder: String,
    recipient: String,
}

impl DevelopmentNode {
    /// Asks the node at `url` for its unlocked accounts; a node of a real chain has none.
    pub(super) fn connect(url: &str) -> Outcome<Self> {
        let agent = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .build()
            .new_agent();
        let mut node = Self {
            agent,
            url: url.to_owned(),
            funder: String::new(),
            recipient: String::new(),
        };
        let accounts = node.call("eth_accounts", &json!([]))?;
        let mut accounts = accounts
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let funder = accounts.next().map(str::to_owned).ok_or_else(|| {
            Failure::new(
                ErrorCode::Denied,
                "this node has no unlocked account",
                "the demo takes funds only from a development node's own account; start one with `anvil`",
            )
        })?;
        node.recipient = accounts.next().unwrap_or(&funder).to_owned();
        node.funder = funder;
        Ok(node)
    }

    /// An account to pay to.
    pub(super) fn recipient(&self) -> &str {
        &self.recipient
    }

    /// Sends 1 ETH to `address` from the node's first account, and returns that account.
    pub(super) fn fund(&self, address: &str) -> Outcome<&str> {
        let transaction = json!([{ "from": self.funder, "to": address, "value": FUNDS }]);
        let hash = self.call("eth_sendTransaction", &transaction)?;
        let deadline = Instant::now() + MINING_PATIENCE;
        loop {
            let receipt = self.call("eth_getTransactionReceipt", &json!([hash]))?;
            if receipt.get("status").is_some_and(|status| status == "0x1") {
                return Ok(&self.funder);
            }
            if Instant::now() >= deadline {
                return Err(Failure::new(
                    ErrorCode::Network,
                    "the development node does not mine the funding transaction",
                    "let it mine by itself (anvil without --no-mining)",
                ));
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn call(&self, method: &str, params: &Value) -> Outcome<Value> {
        let failure = |problem: String| {
            Failure::new(
                ErrorCode::Network,
                format!("{method} at {}: {problem}", self.url),
                "start a development node, for example with `anvil`, and give its URL with --rpc",
            )
        };
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self.agent.post(&self.url).send_json(&body);
        let mut answer = answer.map_err(|error| failure(error.to_string()))?;
        let answer: Value = answer
            .body_mut()
            .read_json()
            .map_err(|error| failure(error.to_string()))?;
        if let Some(error) = answer.get("error") {
            return Err(failure(error.to_string()));
        }
        Ok(answer.get("result").cloned().unwrap_or(Value::Null))
    }
}
