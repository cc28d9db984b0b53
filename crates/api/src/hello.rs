//! The client asks who listens before it says anything worth stealing.
//!
//! A daemon that died leaves its port free, and any local user can take it. So the client sends
//! a nonce, and the listener proves that it knows the folder's token before it is shown the token,
//! a PIN or a passphrase.

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Version of the local API; a client refuses any other.
pub const API_VERSION: u32 = 1;

const DOMAIN: &[u8] = b"quorate/local-api/hello/v1";

/// Query of `GET /v1/hello`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HelloQuery {
    /// 32 fresh bytes, hex.
    pub nonce: String,
}

/// Answer of `GET /v1/hello`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hello {
    /// [`API_VERSION`] of the daemon.
    pub api: u32,
    /// [`hello_proof`] over the nonce, hex.
    pub proof: String,
}

/// `HMAC-SHA256(token, domain || nonce)`, hex. `token` and `nonce` are taken as the text they are.
pub fn hello_proof(token: &str, nonce: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes())
        .expect("invariant: HMAC takes a key of any length");
    mac.update(DOMAIN);
    mac.update(nonce.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Whether `proof` is the one for `token` and `nonce`, in constant time.
pub fn hello_proof_matches(token: &str, nonce: &str, proof: &str) -> bool {
    let expected = hello_proof(token, nonce);
    expected.as_bytes().ct_eq(proof.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::{hello_proof, hello_proof_matches};

    #[test]
    fn a_proof_holds_for_its_token_and_nonce_only() {
        let proof = hello_proof("token", "aa");
        assert!(hello_proof_matches("token", "aa", &proof));
        assert!(!hello_proof_matches("token", "ab", &proof));
        assert!(!hello_proof_matches("tokem", "aa", &proof));
        assert!(!hello_proof_matches("token", "aa", ""));
    }
}
