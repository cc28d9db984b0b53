//! How handlers read a request and what they answer.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use quorate_api::{ApiError, ErrorCode};
use quorate_vault::fold::{Denied, Invalid, ProposeError};
use quorate_vault::machine;
use serde::de::DeserializeOwned;
use zeroize::Zeroize;

use crate::error::{split_remedy, store_code};
use crate::keys::PinError;
use crate::making::MakingError;
use crate::rpc::RpcError;
use crate::vaults::HostError;

/// What every handler answers.
pub(super) type Answer<T> = Result<Json<T>, Refusal>;

/// An error on its way to the client.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) ApiError);

/// A refusal with what to do next.
pub(super) fn refuse(
    code: ErrorCode,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Refusal {
    Refusal(ApiError::new(code, message, hint))
}

/// A refusal from words that also say what to do.
fn said(code: ErrorCode, words: &impl ToString) -> Refusal {
    let (message, hint) = split_remedy(&words.to_string());
    refuse(code, message, hint)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}

impl From<quorate_store::Error> for Refusal {
    fn from(error: quorate_store::Error) -> Self {
        said(store_code(&error), &error)
    }
}

impl From<MakingError> for Refusal {
    fn from(error: MakingError) -> Self {
        said(error.code(), &error)
    }
}

impl From<PinError> for Refusal {
    fn from(error: PinError) -> Self {
        match error {
            PinError::Store(error) => error.into(),
            wrong => said(ErrorCode::Locked, &wrong),
        }
    }
}

impl From<RpcError> for Refusal {
    fn from(error: RpcError) -> Self {
        let (code, hint) = match &error {
            RpcError::Url(_) => (
                ErrorCode::Usage,
                "write it as http://HOST:PORT or https://HOST/PATH",
            ),
            RpcError::Certificates(_) => (
                ErrorCode::Internal,
                "install the system's CA certificates, or use http",
            ),
            RpcError::WrongChain { .. } => (
                ErrorCode::Denied,
                "give the endpoint of the right chain, or leave --chain out to take what it serves",
            ),
            _ => (
                ErrorCode::Network,
                "check that the endpoint runs and the URL is right: `quorate chain list`",
            ),
        };
        refuse(code, error.to_string(), hint)
    }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Refused(refusal) => said(vault_code(&refusal), &refusal),
            HostError::Journal(words) => said(ErrorCode::Internal, &words),
            HostError::Stopping => said(ErrorCode::Network, &error),
        }
    }
}

/// The class of a vault's refusal.
fn vault_code(error: &machine::Error) -> ErrorCode {
    use machine::Error;
    match error {
        Error::Denied(denied) => denied_code(denied),
        Error::Propose(error) => propose_code(error),
        Error::TooLong { .. } | Error::Charter(_) => ErrorCode::Usage,
        Error::IdempotencyKey(_) => ErrorCode::Duplicate,
        Error::TooManyOpen { .. } | Error::NoRoom(_) => ErrorCode::Denied,
        Error::CatchingUp { .. } => ErrorCode::Network,
        Error::WordsDiffer
        | Error::RolledBack
        | Error::NotAMember
        | Error::Damaged { .. }
        | Error::ForeignLog(_) => ErrorCode::Integrity,
        _ => ErrorCode::Internal,
    }
}

fn denied_code(denied: &Denied) -> ErrorCode {
    match denied {
        Denied::UnknownRequest => ErrorCode::NotFound,
        Denied::AlreadyApproved
        | Denied::RejectedHere
        | Denied::AlreadySigned
        | Denied::AlreadyMined
        | Denied::AlreadyReplaced => ErrorCode::Duplicate,
        Denied::OtherIntent | Denied::BadApproval => ErrorCode::Integrity,
        _ => ErrorCode::Denied,
    }
}

fn propose_code(error: &ProposeError) -> ErrorCode {
    match error {
        ProposeError::Transfer(_) => ErrorCode::Usage,
        ProposeError::Invalid(Invalid::NoKeys | Invalid::WrongAccount) => ErrorCode::Denied,
        ProposeError::Invalid(_) => ErrorCode::Usage,
        ProposeError::NotActive | ProposeError::NothingToSend => ErrorCode::Denied,
    }
}

/// A JSON body; its bytes are erased once read, as they can hold a PIN.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| {
            usage(format!(
                "the body cannot be read: {}",
                rejection.body_text()
            ))
        })?;
        let mut bytes: Vec<u8> = bytes.into();
        let parsed = serde_json::from_slice(&bytes);
        bytes.zeroize();
        // serde's own words can quote the body, which can hold a PIN; its place is enough.
        parsed.map(Self).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            usage(format!("the body is not what this route takes ({place})"))
        })
    }
}

/// Query parameters.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = Query::from_request_parts(parts, state).await;
        let Query(value) = query.map_err(|rejection: QueryRejection| {
            usage(format!(
                "the query is not what this route takes: {}",
                rejection.body_text()
            ))
        })?;
        Ok(Self(value))
    }
}

fn usage(message: impl Into<String>) -> Refusal {
    refuse(
        ErrorCode::Usage,
        message,
        "run command and daemon from the same release",
    )
}
