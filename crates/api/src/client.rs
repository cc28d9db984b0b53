//! The blocking client.

use std::cell::Cell;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use ureq::http::Response;
use ureq::{Agent, Body};
use zeroize::Zeroizing;

use crate::{
    API_VERSION, AddChain, AddressView, ApiError, Approve, BalanceQuery, BalanceView, ChainView,
    ChangeSecret, Check, ClientError, ConfirmRoster, CreateVault, CreatedVault, Done, Endpoint,
    EventPage, EventQuery, Hello, HelloQuery, Invitation, JoinVault, LogPage, LogQuery,
    MAX_ANSWER_BYTES, MAX_BODY_BYTES, MAX_BUNDLE_BYTES, NodeStatus, Preview, Reject, Replace,
    RequestQuery, RequestView, SendPayment, VaultView, WaitQuery, hello_proof_matches,
};

/// Longest wait for any answer. Above [`crate::MAX_WAIT_MS`], pairing and Argon2id included.
const TIMEOUT: Duration = Duration::from_secs(90);

/// Longest wait for a connection on the loopback interface.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to one daemon that has proved to know the folder's token, and proves it again before
/// every request that changes something or carries a secret.
///
/// One method a route of the table in the crate's documentation. Every method fails with
/// [`ClientError::Api`] where the daemon refuses, and with [`ClientError::Transport`] or
/// [`ClientError::Malformed`] where there is no sensible answer.
pub struct Client {
    agent: Agent,
    base: String,
    address: String,
    token: Zeroizing<String>,
    nonces: Nonces,
}

impl Client {
    /// Connects to the daemon of `dir`. `nonce` is 32 fresh random bytes.
    ///
    /// # Errors
    /// As [`Endpoint::read`]; [`ClientError::DaemonNotRunning`] if nobody listens,
    /// [`ClientError::Impostor`] if whoever does cannot prove to know the token,
    /// [`ClientError::Version`] if the daemon speaks another version.
    pub fn connect(dir: &Path, nonce: [u8; 32]) -> Result<Self, ClientError> {
        let endpoint = Endpoint::read(dir)?;
        let address = endpoint.addr.to_string();
        let client = Self {
            agent: agent(),
            base: format!("http://{address}/v1"),
            address,
            token: endpoint.token,
            nonces: Nonces::new(nonce),
        };
        match client.say_hello() {
            Err(ClientError::DaemonNotRunning { .. }) => {
                Err(ClientError::DaemonNotRunning { dir: dir.into() })
            }
            other => other.map(|()| client),
        }
    }

    fn say_hello(&self) -> Result<(), ClientError> {
        let impostor = || ClientError::Impostor {
            address: self.address.clone(),
        };
        let query = HelloQuery {
            nonce: self.nonces.next(),
        };
        let answer = self
            .agent
            .get(format!("{}/hello", self.base))
            .query("nonce", &query.nonce)
            .call();
        let mut answer = answer.map_err(|error| connect_error(&error))?;
        let hello: Hello = read_json(&mut answer, MAX_ANSWER_BYTES).map_err(|_| impostor())?;
        if !hello_proof_matches(&self.token, &query.nonce, &hello.proof) {
            return Err(impostor());
        }
        if hello.api != API_VERSION {
            return Err(ClientError::Version {
                ours: API_VERSION,
                theirs: hello.api,
            });
        }
        Ok(())
    }

    /// How the daemon, its vaults, peers and chains stand.
    pub fn status(&self) -> Result<NodeStatus, ClientError> {
        self.fetch("/status")
    }

    /// What the daemon finds when it looks itself over.
    pub fn doctor(&self) -> Result<Vec<Check>, ClientError> {
        self.fetch("/doctor")
    }

    /// Events after `query.since`; a long poll.
    pub fn events(&self, query: &EventQuery) -> Result<EventPage, ClientError> {
        self.fetch_with("/events", query)
    }

    /// Changes the PIN of this member's device key.
    pub fn change_pin(&self, body: &ChangeSecret) -> Result<Done, ClientError> {
        self.post("/pin", body)
    }

    /// Changes the passphrase of the store.
    pub fn change_passphrase(&self, body: &ChangeSecret) -> Result<Done, ClientError> {
        self.post("/passphrase", body)
    }

    /// Every chain that was added.
    pub fn chains(&self) -> Result<Vec<ChainView>, ClientError> {
        self.fetch("/chains")
    }

    /// Adds a chain.
    pub fn add_chain(&self, body: &AddChain) -> Result<ChainView, ClientError> {
        self.post("/chains", body)
    }

    /// Removes a chain by name.
    pub fn remove_chain(&self, name: &str) -> Result<Done, ClientError> {
        let url = format!("{}/chains/{}", self.base, segment(name));
        let call = self.agent.delete(url);
        self.answer(call.header("Authorization", self.bearer().as_str()).call())
    }

    /// Every vault of this member.
    pub fn vaults(&self) -> Result<Vec<VaultView>, ClientError> {
        self.fetch("/vaults")
    }

    /// Begins a vault.
    pub fn create_vault(&self, body: &CreateVault) -> Result<CreatedVault, ClientError> {
        self.post("/vaults", body)
    }

    /// Joins a vault by code.
    pub fn join_vault(&self, body: &JoinVault) -> Result<VaultView, ClientError> {
        self.post("/join", body)
    }

    /// One vault.
    pub fn vault(&self, vault: &str) -> Result<VaultView, ClientError> {
        self.fetch(&vault_path(vault, ""))
    }

    /// A fresh code for a seat that is still free.
    pub fn invite(&self, vault: &str) -> Result<Invitation, ClientError> {
        self.post(&vault_path(vault, "/invite"), &EMPTY)
    }

    /// Confirms the six words.
    pub fn confirm(&self, vault: &str, body: &ConfirmRoster) -> Result<VaultView, ClientError> {
        self.post(&vault_path(vault, "/confirm"), body)
    }

    /// Gives a vault up before its keys are made.
    pub fn abandon(&self, vault: &str) -> Result<Done, ClientError> {
        self.post(&vault_path(vault, "/abandon"), &EMPTY)
    }

    /// Addresses of a vault.
    pub fn addresses(&self, vault: &str) -> Result<Vec<AddressView>, ClientError> {
        self.fetch(&vault_path(vault, "/addresses"))
    }

    /// Balances of a vault.
    pub fn balance(
        &self,
        vault: &str,
        query: &BalanceQuery,
    ) -> Result<Vec<BalanceView>, ClientError> {
        self.fetch_with(&vault_path(vault, "/balance"), query)
    }

    /// Requests that reached a chain, newest first.
    pub fn history(&self, vault: &str) -> Result<Vec<RequestView>, ClientError> {
        self.fetch(&vault_path(vault, "/history"))
    }

    /// The members' logs.
    pub fn log(&self, vault: &str, query: &LogQuery) -> Result<LogPage, ClientError> {
        self.fetch_with(&vault_path(vault, "/log"), query)
    }

    /// The self-contained log bundle, as bytes.
    pub fn export_log(&self, vault: &str) -> Result<Vec<u8>, ClientError> {
        let url = format!("{}{}", self.base, vault_path(vault, "/log/export"));
        let call = self.agent.get(url);
        let mut response =
            self.accept(call.header("Authorization", self.bearer().as_str()).call())?;
        read_bytes(&mut response, MAX_BUNDLE_BYTES)
    }

    /// What [`Self::send`] would ask for.
    pub fn preview(&self, vault: &str, body: &SendPayment) -> Result<Preview, ClientError> {
        self.post(&vault_path(vault, "/preview"), body)
    }

    /// Requests a payment.
    pub fn send(&self, vault: &str, body: &SendPayment) -> Result<RequestView, ClientError> {
        self.post(&vault_path(vault, "/send"), body)
    }

    /// Requests, oldest first.
    pub fn requests(
        &self,
        vault: &str,
        query: &RequestQuery,
    ) -> Result<Vec<RequestView>, ClientError> {
        self.fetch_with(&vault_path(vault, "/requests"), query)
    }

    /// One request; `id` may be a unique prefix.
    pub fn request(&self, vault: &str, id: &str) -> Result<RequestView, ClientError> {
        self.fetch(&request_path(vault, id, ""))
    }

    /// Approves what the person was shown.
    pub fn approve(
        &self,
        vault: &str,
        id: &str,
        body: &Approve,
    ) -> Result<RequestView, ClientError> {
        self.post(&request_path(vault, id, "/approve"), body)
    }

    /// Rejects a request.
    pub fn reject(&self, vault: &str, id: &str, body: &Reject) -> Result<RequestView, ClientError> {
        self.post(&request_path(vault, id, "/reject"), body)
    }

    /// Takes back a request of this member's own.
    pub fn cancel(&self, vault: &str, id: &str) -> Result<RequestView, ClientError> {
        self.post(&request_path(vault, id, "/cancel"), &EMPTY)
    }

    /// Has the same payment signed again in the same slot, at a higher fee within what was approved.
    pub fn replace(
        &self,
        vault: &str,
        id: &str,
        body: &Replace,
    ) -> Result<RequestView, ClientError> {
        self.post(&request_path(vault, id, "/replace"), body)
    }

    /// Waits for a request; a long poll that may answer before it is as far.
    pub fn wait(
        &self,
        vault: &str,
        id: &str,
        query: &WaitQuery,
    ) -> Result<RequestView, ClientError> {
        self.fetch_with(&request_path(vault, id, "/wait"), query)
    }

    fn fetch<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.fetch_with(path, &EMPTY)
    }

    fn fetch_with<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &impl Serialize,
    ) -> Result<T, ClientError> {
        let call = self.agent.get(format!("{}{path}", self.base));
        let call = call.query_pairs(query_pairs(query)?);
        self.answer(call.header("Authorization", self.bearer().as_str()).call())
    }

    fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        // One allocation that never moves, so that no copy of a PIN stays behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BODY_BYTES));
        serde_json::to_writer(&mut *bytes, body)
            .map_err(|error| ClientError::Malformed(error.to_string()))?;
        // A person may have sat at a prompt for long: is it still the daemon that listens?
        self.say_hello()?;
        let call = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("Content-Type", "application/json")
            .header("Authorization", self.bearer().as_str());
        self.answer(call.send(bytes.as_slice()))
    }

    fn bearer(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("Bearer {}", self.token.as_str()))
    }

    fn answer<T: DeserializeOwned>(&self, result: CallResult) -> Result<T, ClientError> {
        let mut response = self.accept(result)?;
        read_json(&mut response, MAX_ANSWER_BYTES)
    }

    /// Turns every status but 200 into the error that the body tells.
    fn accept(&self, result: CallResult) -> Result<Response<Body>, ClientError> {
        let mut response = result.map_err(|error| ClientError::Transport(error.to_string()))?;
        if response.status().as_u16() == 200 {
            return Ok(response);
        }
        let status = response.status();
        match read_json::<ApiError>(&mut response, MAX_ANSWER_BYTES) {
            Ok(error) => Err(ClientError::Api(error)),
            Err(_) => Err(ClientError::Malformed(format!(
                "status {status} without an error"
            ))),
        }
    }
}

/// Nonces of a connection, each used once: `SHA-256(seed || number)`.
struct Nonces {
    seed: [u8; 32],
    used: Cell<u64>,
}

impl Nonces {
    fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            used: Cell::new(0),
        }
    }

    /// The next one, hex.
    fn next(&self) -> String {
        let number = self.used.get();
        self.used.set(number.wrapping_add(1));
        let hash = Sha256::new()
            .chain_update(self.seed)
            .chain_update(number.to_be_bytes());
        hex::encode(hash.finalize())
    }
}

type CallResult = Result<Response<Body>, ureq::Error>;

#[derive(Serialize)]
struct Empty {}

const EMPTY: Empty = Empty {};

/// No proxy, no redirect: what goes to the loopback interface stays there, whatever the environment says.
/// No connection is kept for later, so that none breaks under a request that must not be made twice.
fn agent() -> Agent {
    Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .max_idle_connections(0)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(TIMEOUT))
        .build()
        .new_agent()
}

fn connect_error(error: &ureq::Error) -> ClientError {
    match error {
        ureq::Error::Io(io) if io.kind() == ErrorKind::ConnectionRefused => {
            ClientError::DaemonNotRunning {
                dir: Default::default(),
            }
        }
        ureq::Error::ConnectionFailed => ClientError::DaemonNotRunning {
            dir: Default::default(),
        },
        other => ClientError::Transport(other.to_string()),
    }
}

fn read_bytes(response: &mut Response<Body>, limit: usize) -> Result<Vec<u8>, ClientError> {
    response
        .body_mut()
        .with_config()
        .limit(limit as u64)
        .read_to_vec()
        .map_err(|error| ClientError::Transport(error.to_string()))
}

fn read_json<T: DeserializeOwned>(
    response: &mut Response<Body>,
    limit: usize,
) -> Result<T, ClientError> {
    let bytes = read_bytes(response, limit)?;
    serde_json::from_slice(&bytes).map_err(|error| ClientError::Malformed(error.to_string()))
}

/// The fields of a flat struct that are not null, as query pairs.
fn query_pairs(query: &impl Serialize) -> Result<Vec<(String, String)>, ClientError> {
    let malformed = |error: serde_json::Error| ClientError::Malformed(error.to_string());
    let serde_json::Value::Object(fields) = serde_json::to_value(query).map_err(malformed)? else {
        return Ok(Vec::new());
    };
    let pairs = fields.into_iter().filter_map(|(key, value)| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some((key, text)),
        other => Some((key, other.to_string())),
    });
    Ok(pairs.collect())
}

fn vault_path(vault: &str, rest: &str) -> String {
    format!("/vault/{}{rest}", segment(vault))
}

fn request_path(vault: &str, id: &str, rest: &str) -> String {
    format!("/vault/{}/request/{}{rest}", segment(vault), segment(id))
}

/// `text` as one path segment: everything but unreserved characters is percent-encoded,
/// and so are lone dots.
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{query_pairs, segment};
    use crate::{LogQuery, RequestFilter, RequestQuery};

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(segment("family-1_a"), "family-1_a");
        assert_eq!(segment("../x?y#z"), "%2E%2E%2Fx%3Fy%23z");
    }

    #[test]
    fn only_fields_that_are_set_are_asked() {
        let query = LogQuery {
            from: Some(3),
            ..LogQuery::default()
        };
        assert_eq!(
            query_pairs(&query).ok(),
            Some(vec![("from".to_owned(), "3".to_owned())])
        );
        let query = RequestQuery {
            state: RequestFilter::AwaitsYou,
        };
        let pairs = query_pairs(&query).ok();
        assert_eq!(
            pairs,
            Some(vec![("state".to_owned(), "awaits_you".to_owned())])
        );
    }
}
