//! Judges a bundle of logs as an outsider: no member, no network, no secret.
//!
//! All that the outsider brings is the six words of the roster, as the members read them out. From there everything
//! is checked: the charter hashes to the vault id, the charter's keys sign the logs, the members' credentials sign the
//! approvals, the vault's key signs the transactions, and what was signed is what was approved.
//!
//! What cannot be seen from one bundle: entries after a log's checkpoint, and another branch of a log that forked.

mod bundle;
mod entries;
mod logs;
mod report;
mod signatures;
#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::charter::CharterError;
use crate::fold::{Act0, State};
use crate::ids::{PartyId, VaultId};

pub use self::bundle::{BUNDLE_VERSION, Bundle, BundledLog, MAX_BUNDLED_LOGS};
pub use self::report::{
    ApprovalReport, Finding, LineReport, MemberReport, ReceiptReport, Report, Severity,
    SignatureReport,
};

/// Why a bundle cannot be judged at all.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum AuditError {
    #[error(
        "the bundle has version {found}, this program knows {BUNDLE_VERSION}; use a newer Quorate"
    )]
    Version { found: u32 },
    #[error("{text:?} is no vault id; export the bundle again")]
    VaultId { text: String },
    #[error("the bundle has {found} logs, and {MAX_BUNDLED_LOGS} are the most; export it again")]
    TooManyLogs { found: usize },
    #[error("no log begins with a charter that founds vault {vault}; export the bundle again", vault = .vault.short())]
    NoCharter { vault: VaultId },
    #[error("the founding charter breaks a rule: {0}")]
    Charter(#[from] CharterError),
}

/// Checks everything in a bundle.
///
/// # Errors
/// [`AuditError`] if there is no charter to judge by. All else that is wrong or missing is a [`Finding`].
pub fn judge(bundle: &Bundle) -> Result<Report, AuditError> {
    if bundle.version != BUNDLE_VERSION {
        return Err(AuditError::Version {
            found: bundle.version,
        });
    }
    if bundle.logs.len() > MAX_BUNDLED_LOGS {
        return Err(AuditError::TooManyLogs {
            found: bundle.logs.len(),
        });
    }
    let vault = bundle.vault_id()?;
    let opened: Vec<logs::Opened> = bundle.logs.iter().map(logs::Opened::new).collect();
    let charter = logs::founding_charter(&opened, &vault).ok_or(AuditError::NoCharter { vault })?;
    // Nobody's judgement: an outsider has no receipts and no records of its own.
    let mut state = State::new(charter, PartyId([0; 32]))?;
    let mut findings = Vec::new();
    let sound = logs::sound(&opened, &state, &mut findings);
    for log in &sound {
        log.entries.iter().for_each(|(position, logged)| {
            state.absorb(log.author, log.incarnation, *position, logged);
        });
    }
    if !matches!(state.act0(), Act0::Active { .. }) {
        findings.push(Finding::missing(
            "act 0",
            "the bundle does not show that every member has the vault's keys",
        ));
    }
    entries::examine(&sound, &state, &mut findings);
    let signatures = signatures::examine(&sound, &state, &mut findings);
    Ok(report::assemble(&state, &sound, signatures, findings))
}
