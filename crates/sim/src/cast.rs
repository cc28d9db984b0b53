//! Who plays: identities, credentials, the charter, the engine.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use quorate_threshold::Engine;
use quorate_vault::PartyId;
use quorate_vault::charter::{Charter, Member, Role as CharterRole, Rule};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// One member's keys.
pub struct Role {
    /// Stable name.
    pub party: PartyId,
    /// Signs protocol messages and checkpoints.
    pub identity: Arc<SigningKey>,
    /// Signs approvals.
    pub credential: SigningKey,
}

/// Everybody, and the protocols they speak.
pub struct Cast {
    /// The roster.
    pub charter: Charter,
    /// In the charter's order.
    pub roles: Vec<Role>,
    /// Stub or real.
    pub engine: Arc<dyn Engine>,
}

impl Cast {
    /// `n` members drawn from `seed`.
    pub fn new(seed: u64, threshold: u8, n: u8, engine: Arc<dyn Engine>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xca57);
        let mut roles = Vec::new();
        let mut members = Vec::new();
        for i in 0..n {
            let identity = SigningKey::generate(&mut rng);
            let endpoint = SigningKey::generate(&mut rng);
            let credential = SigningKey::generate(&mut rng);
            let party = PartyId::of_identity(&identity.verifying_key().to_bytes());
            members.push(Member {
                party,
                name: format!("member {}", i + 1),
                identity: identity.verifying_key().to_bytes(),
                endpoint: endpoint.verifying_key().to_bytes(),
                credential: credential.verifying_key().to_bytes(),
                controller: "owner".into(),
                domains: vec![format!("device {}", i + 1)],
                role: CharterRole::Signer,
                nonce: [i; 32],
            });
            roles.push(Role {
                party,
                identity: Arc::new(identity),
                credential,
            });
        }
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let rule = Rule::Approvals { k: threshold };
        let charter = Charter {
            version: 1,
            name: "sim".into(),
            nonce,
            threshold,
            rule,
            members,
        };
        Self {
            charter,
            roles,
            engine,
        }
    }
}
