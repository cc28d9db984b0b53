//! Why a bundle cannot be verified, and what to do about it.

use quorate_vault::audit::AuditError;
use thiserror::Error;

use crate::MAX_BUNDLE_BYTES;

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// More than [`MAX_BUNDLE_BYTES`].
    #[error("the bundle has {bytes} bytes, more than the {MAX_BUNDLE_BYTES} that are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not JSON, or not of a bundle's shape.
    #[error("this is no log bundle: it cannot be read at line {line}, column {column}")]
    NotABundle {
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
    },
    /// A bundle, but without a charter to judge by.
    #[error("the bundle cannot be judged")]
    Audit(#[from] AuditError),
}

impl Error {
    /// What the person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "Check that this is the file that `quorate log export` wrote.",
            Self::NotABundle { .. } => {
                "Copy the file again from where `quorate log export` wrote it; it must not be edited."
            }
            Self::Audit(AuditError::Version { .. }) => {
                "Update Quorate on this machine, then verify again."
            }
            Self::Audit(_) => {
                "Ask a member of the vault to run `quorate log export` again; if it stays so, ask another member."
            }
        }
    }
}
