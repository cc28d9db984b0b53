//! What both sides derive, and what they bind it to.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use spake2::{Ed25519Group, Identity, Password, Spake2};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::message::SPAKE_BYTES;
use super::{PairingCode, PairingError};
use crate::hello::Channel;
use crate::signature::message;
use crate::version::PROTOCOL_VERSION;

pub(super) const INVITER: &str = "inviter";
pub(super) const JOINER: &str = "joiner";

/// Everything in the clear that the keys are bound to.
pub(super) struct Setting {
    pub(super) invitation: u32,
    pub(super) inviter: [u8; 32],
    pub(super) joiner: [u8; 32],
    pub(super) exporter: [u8; 32],
}

impl Setting {
    pub(super) fn at_inviter(invitation: u32, channel: &Channel) -> Self {
        Self {
            invitation,
            inviter: channel.ours,
            joiner: channel.theirs,
            exporter: channel.exporter,
        }
    }

    pub(super) fn at_joiner(invitation: u32, channel: &Channel) -> Self {
        Self {
            invitation,
            inviter: channel.theirs,
            joiner: channel.ours,
            exporter: channel.exporter,
        }
    }

    /// SPAKE2 identities of joiner (side A) and inviter (side B).
    pub(super) fn identities(&self) -> (Identity, Identity) {
        (Identity::new(&self.joiner), Identity::new(&self.inviter))
    }

    fn transcript(
        &self,
        from_joiner: &[u8; SPAKE_BYTES],
        from_inviter: &[u8; SPAKE_BYTES],
    ) -> [u8; 32] {
        let parts: [&[u8]; 7] = [
            &PROTOCOL_VERSION.to_be_bytes(),
            &self.invitation.to_be_bytes(),
            &self.joiner,
            &self.inviter,
            &self.exporter,
            from_joiner,
            from_inviter,
        ];
        Sha256::digest(message("quorate/pairing/transcript/v1", &parts)).into()
    }
}

/// The password that SPAKE2 works with.
pub(super) fn password(code: &PairingCode) -> Password {
    Password::new(code.reveal().as_bytes())
}

/// One run's keys; wiped when dropped.
pub(super) struct RunKeys {
    transcript: [u8; 32],
    confirm_joiner: Zeroizing<[u8; 32]>,
    confirm_inviter: Zeroizing<[u8; 32]>,
    seal_joiner: Zeroizing<[u8; 32]>,
    seal_inviter: Zeroizing<[u8; 32]>,
}

/// Which sealed message; also its nonce, so that no two under one key share it.
#[derive(Clone, Copy)]
pub(super) enum Sealed {
    InviterCard,
    JoinerCard,
    Details,
    Seat,
}

impl RunKeys {
    /// Finishes SPAKE2 and derives the keys. A point that is not one fails as a wrong code would be
    /// found: nothing is learnt from it.
    pub(super) fn derive(
        spake: Spake2<Ed25519Group>,
        setting: &Setting,
        from_joiner: &[u8; SPAKE_BYTES],
        from_inviter: &[u8; SPAKE_BYTES],
        theirs: &[u8; SPAKE_BYTES],
    ) -> Result<Self, PairingError> {
        let shared = Zeroizing::new(
            spake
                .finish(theirs)
                .map_err(|_| super::message::out_of_turn())?,
        );
        let transcript = setting.transcript(from_joiner, from_inviter);
        let hkdf = Hkdf::<Sha256>::new(Some(b"quorate/pairing/v1"), &shared);
        let expand = |purpose: &str, role: &str| {
            let mut key = Zeroizing::new([0u8; 32]);
            let context = message(
                "quorate/pairing/key/v1",
                &[purpose.as_bytes(), role.as_bytes(), &transcript],
            );
            hkdf.expand(&context, key.as_mut_slice())
                .expect("invariant: HKDF-SHA256 gives 32 bytes");
            key
        };
        Ok(Self {
            transcript,
            confirm_joiner: expand("confirm", JOINER),
            confirm_inviter: expand("confirm", INVITER),
            seal_joiner: expand("seal", JOINER),
            seal_inviter: expand("seal", INVITER),
        })
    }

    /// The proof that `role` has the keys.
    pub(super) fn confirmation(&self, role: &'static str) -> [u8; 32] {
        let key = if role == JOINER {
            &self.confirm_joiner
        } else {
            &self.confirm_inviter
        };
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key.as_slice())
            .expect("invariant: HMAC takes keys of any length");
        mac.update(&message(
            "quorate/pairing/confirmation/v1",
            &[role.as_bytes(), &self.transcript],
        ));
        mac.finalize().into_bytes().into()
    }

    /// Compares in constant time.
    pub(super) fn confirms(&self, role: &'static str, mac: &[u8; 32]) -> bool {
        self.confirmation(role).ct_eq(mac).into()
    }

    pub(super) fn seal(&self, what: Sealed, plain: &[u8]) -> Vec<u8> {
        let payload = Payload {
            msg: plain,
            aad: &self.transcript,
        };
        self.cipher(what)
            .encrypt(&nonce(what), payload)
            .expect("invariant: far below the cipher's limit")
    }

    pub(super) fn open(
        &self,
        what: Sealed,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, PairingError> {
        let payload = Payload {
            msg: sealed,
            aad: &self.transcript,
        };
        self.cipher(what)
            .decrypt(&nonce(what), payload)
            .map(Zeroizing::new)
            .map_err(|_| PairingError::Altered)
    }

    fn cipher(&self, what: Sealed) -> XChaCha20Poly1305 {
        let key = match what {
            Sealed::JoinerCard | Sealed::Seat => &self.seal_joiner,
            Sealed::InviterCard | Sealed::Details => &self.seal_inviter,
        };
        XChaCha20Poly1305::new(key.as_slice().into())
    }
}

/// Keys are of one run, each message is sealed once in it: a fixed nonce a message never repeats.
fn nonce(what: Sealed) -> XNonce {
    let number = match what {
        Sealed::InviterCard => 1,
        Sealed::JoinerCard => 2,
        Sealed::Details => 3,
        Sealed::Seat => 4,
    };
    let mut nonce = XNonce::default();
    if let Some(last) = nonce.last_mut() {
        *last = number;
    }
    nonce
}
