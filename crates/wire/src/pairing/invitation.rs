//! An open invitation: lives in memory only, so a restart closes it.

use rand_core::CryptoRngCore;

use super::{PairingCode, PairingError};

/// Wrong codes that an invitation survives, less one.
pub const MAX_TRIES: u8 = 3;

/// How long a code is good for, in milliseconds.
pub const LIFETIME_MS: u64 = 10 * 60 * 1000;

/// A code, and what is left of it. One joins with it; it dies after [`MAX_TRIES`] wrong codes or
/// [`LIFETIME_MS`]. Anybody who reaches the node can use the tries up: that costs a new code, nothing more.
#[derive(Debug)]
pub struct Invitation {
    id: u32,
    code: PairingCode,
    created_at_ms: u64,
    tries_left: u8,
    used: bool,
}

impl Invitation {
    /// Opens an invitation at `now_ms`, from any clock that does not run backwards.
    pub fn create(now_ms: u64, rng: &mut dyn CryptoRngCore) -> Self {
        Self {
            id: rng.next_u32(),
            code: PairingCode::generate(rng),
            created_at_ms: now_ms,
            tries_left: MAX_TRIES,
            used: false,
        }
    }

    /// Number that tells open invitations of one node apart; public.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The code to be spoken.
    pub fn code(&self) -> &PairingCode {
        &self.code
    }

    /// Tries that are left.
    pub fn tries_left(&self) -> u8 {
        self.tries_left
    }

    /// When it expires, on the clock it was created by.
    pub fn expires_at_ms(&self) -> u64 {
        self.created_at_ms.saturating_add(LIFETIME_MS)
    }

    /// Whether somebody can still join with it. A clock that ran backwards counts as expired.
    ///
    /// # Errors
    /// [`PairingError::CodeUsed`], [`PairingError::CodeDead`], [`PairingError::CodeExpired`].
    pub fn check(&self, now_ms: u64) -> Result<(), PairingError> {
        if self.used {
            return Err(PairingError::CodeUsed);
        }
        if self.tries_left == 0 {
            return Err(PairingError::CodeDead);
        }
        if !(self.created_at_ms..self.expires_at_ms()).contains(&now_ms) {
            return Err(PairingError::CodeExpired);
        }
        Ok(())
    }

    pub(super) fn burn(&mut self) -> PairingError {
        self.tries_left = self.tries_left.saturating_sub(1);
        match self.tries_left {
            0 => PairingError::CodeDead,
            tries_left => PairingError::WrongCode { tries_left },
        }
    }

    pub(super) fn use_up(&mut self) {
        self.used = true;
    }
}
