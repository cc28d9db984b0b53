//! The local API: exactly the routes of `quorate_api`, on 127.0.0.1.

mod guard;

use std::net::SocketAddr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use quorate_api::{ApiError, ErrorCode};
use serde::de::DeserializeOwned;
use zeroize::Zeroize;

/// What every handler answers.
type Answer<T> = Result<Json<T>, Refusal>;

/// An error on its way to the client.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) ApiError);

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}

/// A JSON body; its bytes are erased once read, as they can hold a PIN.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| usage(format!("the body cannot be read: {}", rejection.body_text())))?;
        let mut bytes: Vec<u8> = bytes.into();
        let parsed = serde_json::from_slice(&bytes);
        bytes.zeroize();
        // serde's own words can quote the body, which can hold a PIN; its place is enough.
        parsed.map(Self).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Refusal(usage(format!("the body is not what this route takes ({place})")))
        })
    }
}

/// Query parameters.
struct Params<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = Query::from_request_parts(parts, state).await;
        let Query(value) = query.map_err(|rejection: QueryRejection| {
            Refusal(usage(format!("the query is not what this route takes: {}", rejection.body_text())))
        })?;
        Ok(Self(value))
    }
}

fn usage(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::Usage, message, "run command and daemon from the same release")
}
