//! JSON-RPC 2.0 over HTTP, by a client that believes nothing: bounded time, bounded size, no redirects.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thiserror::Error;

/// Longest wait for one answer.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest answer to anything but a block with its transactions, bytes.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Longest block with its transactions, bytes.
pub const MAX_BLOCK_BYTES: usize = 32 * 1024 * 1024;
/// Longest URL of an endpoint, bytes.
pub const MAX_URL_BYTES: usize = 2048;
/// Longest excerpt of an endpoint's own words that is shown to people, characters.
const MAX_WORDS: usize = 200;

/// Why an endpoint's answer cannot be used. No variant repeats the URL: paths and queries hold API keys.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum RpcError {
    #[error("{0} is not a URL that begins with http:// or https://")]
    Url(String),
    #[error("this machine's certificates cannot be read, so https does not work: {0}")]
    Certificates(String),
    #[error("{host} does not answer: {why}")]
    Unreachable { host: String, why: String },
    #[error("{host} did not answer within {} seconds", TIMEOUT.as_secs())]
    TimedOut { host: String },
    #[error("{host} answered HTTP status {status}")]
    Status { host: String, status: u16 },
    #[error("{host} answered {method} with more than {limit} bytes")]
    TooLong {
        host: String,
        method: &'static str,
        limit: usize,
    },
    #[error("{host} answered {method} with something that makes no sense: {why}")]
    Malformed {
        host: String,
        method: &'static str,
        why: String,
    },
    #[error("{host} refused {method}: {message}")]
    Refused {
        host: String,
        method: &'static str,
        code: i64,
        message: String,
    },
    #[error("{host} serves {answered}, not {expected}")]
    WrongChain {
        host: String,
        expected: String,
        answered: String,
    },
}

/// One endpoint.
pub struct RpcClient {
    http: Client,
    url: Url,
    next: AtomicU64,
}

#[derive(Deserialize)]
struct Envelope {
    id: Value,
    #[serde(default)]
    result: Value,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

impl RpcClient {
    /// A client of the endpoint at `url`; nothing is sent yet.
    ///
    /// # Errors
    /// [`RpcError::Url`], or [`RpcError::Certificates`] for `https` on a machine without any.
    pub fn new(url: &str) -> Result<Self, RpcError> {
        let url = parse_url(url)?;
        install_tls_provider();
        let mut http = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy();
        if url.scheme() == "http" {
            // Without TLS no certificates are needed; a machine that has none can still talk to its own node.
            http = http.tls_certs_only([]);
        }
        let http = http
            .build()
            .map_err(|e| RpcError::Certificates(words(&e.to_string())))?;
        Ok(Self {
            http,
            url,
            next: AtomicU64::new(1),
        })
    }

    /// Scheme, host and port, then `/...` if there is more: what may be shown.
    pub fn host(&self) -> String {
        redacted(&self.url)
    }

    /// Calls `method`; a `null` result is `None`.
    ///
    /// # Errors
    /// Every way in which an answer can be missing or unusable.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
        limit: usize,
    ) -> Result<Option<T>, RpcError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let response = self.http.post(self.url.clone()).json(&request).send().await;
        let mut response = response.map_err(|e| self.transport(e))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.transport(e))? {
            if body.len() + chunk.len() > limit {
                return Err(RpcError::TooLong {
                    host: self.host(),
                    method,
                    limit,
                });
            }
            body.extend_from_slice(&chunk);
        }
        match serde_json::from_slice::<Envelope>(&body) {
            Ok(envelope) => self.open(envelope, id, method),
            // Some endpoints refuse with a status and a page for people.
            Err(_) if !status.is_success() => Err(RpcError::Status {
                host: self.host(),
                status: status.as_u16(),
            }),
            Err(e) => Err(self.malformed(method, &e.to_string())),
        }
    }

    fn open<T: DeserializeOwned>(
        &self,
        envelope: Envelope,
        id: u64,
        method: &'static str,
    ) -> Result<Option<T>, RpcError> {
        if let Some(refusal) = envelope.error {
            let Refusal { code, message } = refusal;
            return Err(RpcError::Refused {
                host: self.host(),
                method,
                code,
                message: words(&message),
            });
        }
        if envelope.id != json!(id) {
            return Err(self.malformed(method, "it answers another call"));
        }
        match envelope.result {
            Value::Null => Ok(None),
            result => serde_json::from_value(result)
                .map(Some)
                .map_err(|e| self.malformed(method, &e.to_string())),
        }
    }

    /// The error for an answer that makes no sense.
    pub fn malformed(&self, method: &'static str, why: &str) -> RpcError {
        RpcError::Malformed {
            host: self.host(),
            method,
            why: words(why),
        }
    }

    fn transport(&self, error: reqwest::Error) -> RpcError {
        if error.is_timeout() {
            return RpcError::TimedOut { host: self.host() };
        }
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        RpcError::Unreachable {
            host: self.host(),
            why: words(&cause.to_string()),
        }
    }
}

/// The URL of an endpoint: `http` or `https`, with a host, at most [`MAX_URL_BYTES`].
///
/// # Errors
/// [`RpcError::Url`].
pub fn parse_url(text: &str) -> Result<Url, RpcError> {
    let refuse = || RpcError::Url(words(text.split(['?', '@']).next().unwrap_or_default()));
    if text.len() > MAX_URL_BYTES {
        return Err(refuse());
    }
    let url = Url::parse(text).map_err(|_| refuse())?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host();
    if plain { Ok(url) } else { Err(refuse()) }
}

/// What of an endpoint's URL may be shown.
pub fn redacted(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let more = url.path().len() > 1 || url.query().is_some();
    let rest = if more { "/..." } else { "" };
    format!("{}://{host}{port}{rest}", url.scheme())
}

/// Somebody else's words, cut to a line that cannot play tricks with a terminal.
fn words(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(MAX_WORDS).map(clean).collect()
}

fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that somebody has installed one already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

#[cfg(test)]
mod tests {
    use super::{RpcError, parse_url, redacted};

    #[test]
    fn only_http_and_https_are_endpoints() {
        for bad in [
            "",
            "localhost:8545",
            "ftp://a/",
            "file:///etc/passwd",
            "http://",
        ] {
            assert!(matches!(parse_url(bad), Err(RpcError::Url(_))), "{bad}");
        }
        assert!(parse_url(&format!("http://a/{}", "x".repeat(3000))).is_err());
        assert!(parse_url("http://127.0.0.1:8545").is_ok());
    }

    #[test]
    fn keys_in_a_url_are_not_shown() {
        let shown = |text: &str| redacted(&parse_url(text).unwrap());
        assert_eq!(shown("http://127.0.0.1:8545"), "http://127.0.0.1:8545");
        assert_eq!(
            shown("https://user:pw@rpc.example/v3/KEY?token=T"),
            "https://rpc.example/..."
        );
        let error = parse_url("ftp://user:pw@host/?key=KEY")
            .unwrap_err()
            .to_string();
        assert!(!error.contains("KEY"), "{error}");
    }
}
