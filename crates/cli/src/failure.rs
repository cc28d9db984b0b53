//! How a command ends badly: a class, a sentence, and what to do next.

use std::io;
use std::path::Path;

use quorate_api::{ApiError, ClientError, ErrorCode};

/// An error as the person sees it, and its exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    error: ApiError,
}

/// What commands return.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure with what to do next.
    pub fn new(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            error: ApiError::new(code, message, hint),
        }
    }

    /// A failure of another crate that knows its exit code; one outside 1 to 12 counts as internal.
    pub fn with_exit_code(
        exit_code: u8,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let code = ErrorCode::ALL
            .into_iter()
            .find(|code| code.exit_code() == exit_code)
            .unwrap_or(ErrorCode::Internal);
        Self::new(code, message, hint)
    }

    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorCode::Usage, message, hint)
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        let message = format!("{}: {error}", path.display());
        match error.kind() {
            io::ErrorKind::NotFound => Self::new(ErrorCode::NotFound, message, "check the path"),
            io::ErrorKind::AlreadyExists => Self::new(
                ErrorCode::Duplicate,
                message,
                "name a file that does not exist yet",
            ),
            io::ErrorKind::PermissionDenied => Self::new(
                ErrorCode::Internal,
                message,
                "check who owns it and its mode",
            ),
            io::ErrorKind::StorageFull => Self::new(
                ErrorCode::Internal,
                message,
                "free some space and try again",
            ),
            _ => Self::new(ErrorCode::Internal, message, "check the path and the disk"),
        }
    }

    /// Class of the failure.
    pub fn code(&self) -> ErrorCode {
        self.error.code
    }

    /// One sentence.
    pub fn message(&self) -> &str {
        &self.error.message
    }

    /// What to do next.
    pub fn hint(&self) -> &str {
        &self.error.hint
    }

    pub(crate) fn as_api(&self) -> &ApiError {
        &self.error
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self {
            error: error.to_api(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use quorate_api::{ApiError, ClientError, ErrorCode};

    use super::Failure;

    #[test]
    fn every_exit_code_finds_its_class() {
        for code in ErrorCode::ALL {
            let failure = Failure::with_exit_code(code.exit_code(), "m", "h");
            assert_eq!(failure.code(), code);
        }
        for odd in [0, 13, 255] {
            assert_eq!(
                Failure::with_exit_code(odd, "m", "h").code(),
                ErrorCode::Internal
            );
        }
    }

    #[test]
    fn the_daemons_error_keeps_its_class_and_hint() {
        let error = ApiError::new(ErrorCode::Denied, "expired", "request it again");
        let failure = Failure::from(ClientError::Api(error));
        assert_eq!(failure.code().exit_code(), 6);
        assert_eq!(failure.hint(), "request it again");
    }

    #[test]
    fn no_daemon_is_a_network_failure_and_no_folder_is_not_found() {
        let dir = PathBuf::from("d");
        let down = Failure::from(ClientError::DaemonNotRunning { dir: dir.clone() });
        assert_eq!(down.code().exit_code(), 4);
        let none = Failure::from(ClientError::NotInitialised { dir });
        assert_eq!(none.code().exit_code(), 5);
    }
}
