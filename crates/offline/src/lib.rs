//! What works with nobody else there: no daemon, no network, no secret.
//!
//! [`verify_bundle`] reads what `quorate log export` wrote and says what it proves. Reading backups and exports,
//! restoring, and signing without any server get their modules beside it.

mod error;

pub use quorate_vault::audit::{
    ApprovalReport, AuditError, Finding, LineReport, MemberReport, ReceiptReport, Report, Severity,
    SignatureReport,
};

pub use self::error::Error;

use quorate_vault::audit::{Bundle, judge};

/// Longest bundle that is read, bytes.
pub const MAX_BUNDLE_BYTES: usize = 256 * 1024 * 1024;

/// Checks a log bundle and tells everything that it shows.
///
/// That an answer comes back does not mean that all is well: ask [`Report::is_sound`] and [`Report::is_complete`],
/// and compare the six words with the vault's members ([`Report::words_match`]); without that, a bundle proves only
/// that somebody's vault did all this.
///
/// # Errors
/// [`Error`] if the bytes are no bundle, or hold nothing to judge by.
pub fn verify_bundle(bytes: &[u8]) -> Result<Report, Error> {
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(Error::TooLarge { bytes: bytes.len() });
    }
    let bundle: Bundle = serde_json::from_slice(bytes).map_err(|error| Error::NotABundle {
        line: error.line(),
        column: error.column(),
    })?;
    Ok(judge(&bundle)?)
}
