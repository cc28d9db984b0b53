//! A development Ethereum node of its own for each story.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use alloy_consensus::{Transaction, TxEnvelope, transaction::SignerRecoverable};
use alloy_eips::eip2718::Decodable2718;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

use super::wait_for;

/// A running `anvil`; stops when dropped.
pub(crate) struct Anvil {
    child: Child,
    port: u16,
    chain: u64,
}

/// What the chain holds about one transaction.
#[derive(Debug)]
pub(crate) struct Mined {
    pub(crate) signer: String,
    pub(crate) to: String,
    pub(crate) nonce: u64,
    pub(crate) gas_used: u64,
    pub(crate) success: bool,
    pub(crate) raw: Vec<u8>,
}

impl Anvil {
    /// Starts one that mines each transaction at once, serving chain id `chain`.
    pub(crate) fn start(chain: u64) -> Result<Self> {
        let port = free_port()?;
        let child = Command::new("anvil")
            .args([
                "--silent",
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
            ])
            .args(["--chain-id", &chain.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("anvil does not start; run this by scripts/story, which installs it")?;
        let anvil = Self { child, port, chain };
        wait_for("anvil to answer", 20, || {
            Ok(anvil.rpc("eth_chainId", json!([])).ok())
        })?;
        Ok(anvil)
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// CAIP-2 id of the chain.
    pub(crate) fn caip2(&self) -> String {
        format!("eip155:{}", self.chain)
    }

    /// One JSON-RPC call.
    pub(crate) fn rpc(&self, method: &str, params: Value) -> Result<Value> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .into();
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut answer: Value = agent
            .post(self.url())
            .send_json(&call)?
            .body_mut()
            .read_json()?;
        match answer.get("error") {
            Some(error) => bail!("{method}: {error}"),
            None => Ok(answer
                .get_mut("result")
                .map(Value::take)
                .unwrap_or_default()),
        }
    }

    /// Gives `address` this many wei from one of the node's own unlocked accounts.
    pub(crate) fn fund(&self, address: &str, wei: u128) -> Result<()> {
        let accounts = self.rpc("eth_accounts", json!([]))?;
        let from = accounts
            .get(0)
            .cloned()
            .context("anvil has no unlocked account")?;
        let value = format!("0x{wei:x}");
        self.rpc(
            "eth_sendTransaction",
            json!([{"from": from, "to": address, "value": value}]),
        )?;
        Ok(())
    }

    /// The balance of `address`, wei.
    pub(crate) fn balance(&self, address: &str) -> Result<u128> {
        quantity(&self.rpc("eth_getBalance", json!([address, "latest"]))?)
    }

    /// How many transactions `address` has had mined.
    pub(crate) fn nonce(&self, address: &str) -> Result<u128> {
        quantity(&self.rpc("eth_getTransactionCount", json!([address, "latest"]))?)
    }

    /// Every transaction in every block so far, oldest first.
    pub(crate) fn transactions(&self) -> Result<Vec<Mined>> {
        let last = quantity(&self.rpc("eth_blockNumber", json!([]))?)?;
        let mut all = Vec::new();
        for number in 0..=last {
            let block = self.rpc(
                "eth_getBlockByNumber",
                json!([format!("0x{number:x}"), false]),
            )?;
            for hash in block
                .get("transactions")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                all.push(self.mined(hash.as_str().unwrap_or_default())?);
            }
        }
        Ok(all)
    }

    /// One mined transaction, its signer recovered here from the raw bytes.
    pub(crate) fn mined(&self, hash: &str) -> Result<Mined> {
        let raw = self.rpc("eth_getRawTransactionByHash", json!([hash]))?;
        let raw = hex::decode(raw.as_str().unwrap_or_default().trim_start_matches("0x"))?;
        let tx =
            TxEnvelope::decode_2718(&mut raw.as_slice()).map_err(|e| anyhow!("{hash}: {e}"))?;
        let signer = tx.recover_signer().map_err(|e| anyhow!("{hash}: {e}"))?;
        let receipt = self.rpc("eth_getTransactionReceipt", json!([hash]))?;
        Ok(Mined {
            signer: signer.to_checksum(None),
            to: tx.to().map(|to| to.to_checksum(None)).unwrap_or_default(),
            nonce: tx.nonce(),
            gas_used: u64::try_from(quantity(receipt.get("gasUsed").unwrap_or(&Value::Null))?)?,
            success: receipt.get("status").and_then(Value::as_str) == Some("0x1"),
            raw,
        })
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn quantity(value: &Value) -> Result<u128> {
    let text = value.as_str().context("no quantity in the answer")?;
    Ok(u128::from_str_radix(text.trim_start_matches("0x"), 16)?)
}
