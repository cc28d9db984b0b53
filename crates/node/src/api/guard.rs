//! Who may speak to the local API: a program of the same user that knows the token, and no web page.
//!
//! A page in a browser can send requests to 127.0.0.1, but cannot hide its `Origin` (CSRF, CORS), and a page that has
//! rebound its own name to 127.0.0.1 sends that name as `Host`. Both are refused before anything is looked at.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use quorate_api::{ApiError, ErrorCode};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::answer::Refusal;

/// The one path that needs no token: it proves that this daemon knows it.
const OPEN_PATH: &str = "/v1/hello";

/// What the guard compares with.
pub(crate) struct Guard {
    hosts: [String; 2],
    origins: [String; 2],
    token: Zeroizing<String>,
}

impl Guard {
    /// The guard of a server at `addr` whose clients know `token`.
    pub(crate) fn new(addr: SocketAddr, token: Zeroizing<String>) -> Self {
        let hosts = [addr.to_string(), format!("localhost:{}", addr.port())];
        let origins = hosts.clone().map(|host| format!("http://{host}"));
        Self {
            hosts,
            origins,
            token,
        }
    }

    /// The token itself, to prove knowledge of it.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    fn check(&self, path: &str, headers: &HeaderMap) -> Result<(), ApiError> {
        let host =
            only(headers, &HOST).ok_or_else(|| foreign("the request names no host, or several"))?;
        if !self.hosts.iter().any(|own| own == host) {
            return Err(foreign("the request names another host"));
        }
        if headers.contains_key(ORIGIN) {
            let origin = only(headers, &ORIGIN);
            if !self.origins.iter().any(|own| Some(own.as_str()) == origin) {
                return Err(foreign("the request comes from a web page"));
            }
        }
        if path == OPEN_PATH || self.knows_token(headers) {
            Ok(())
        } else {
            Err(unauthorised())
        }
    }

    fn knows_token(&self, headers: &HeaderMap) -> bool {
        let given = only(headers, &AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        given.is_some_and(|given| given.as_bytes().ct_eq(self.token.as_bytes()).into())
    }
}

/// Lets a request through or answers 403 or 401, without having read its body.
pub(crate) async fn stand_guard(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    match guard.check(request.uri().path(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => Refusal(error).into_response(),
    }
}

/// The value of a header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn foreign(why: &str) -> ApiError {
    ApiError::new(
        ErrorCode::Denied,
        why,
        "use the quorate command, or a program that sends this daemon's own address as Host and no Origin",
    )
}

fn unauthorised() -> ApiError {
    ApiError::new(
        ErrorCode::Locked,
        "the request does not carry this daemon's token",
        "send the content of api.token in the daemon's folder as a bearer token",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::Guard;

    fn guard() -> Guard {
        Guard::new(
            "127.0.0.1:4711".parse().unwrap(),
            "secret".to_owned().into(),
        )
    }

    fn status(path: &str, headers: &[(&'static str, &'static str)]) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        guard()
            .check(path, &map)
            .map_or_else(|error| error.code.http_status(), |()| 200)
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:4711");
    const TOKEN: (&str, &str) = ("authorization", "Bearer secret");

    #[test]
    fn the_token_opens_and_nothing_like_it_does() {
        assert_eq!(status("/v1/status", &[HOST, TOKEN]), 200);
        assert_eq!(
            status("/v1/status", &[("host", "localhost:4711"), TOKEN]),
            200
        );
        for wrong in [
            "Bearer secre",
            "Bearer secret1",
            "Bearer ",
            "secret",
            "Basic secret",
            "bearer secret",
        ] {
            assert_eq!(
                status("/v1/status", &[HOST, ("authorization", wrong)]),
                401,
                "{wrong}"
            );
        }
        assert_eq!(status("/v1/status", &[HOST]), 401);
        assert_eq!(status("/v1/status", &[HOST, TOKEN, TOKEN]), 401);
    }

    /// DNS rebinding: a page under its own name that now resolves to 127.0.0.1.
    #[test]
    fn another_host_is_refused_even_with_the_token() {
        for host in [
            "evil.example:4711",
            "127.0.0.1",
            "127.0.0.1:4712",
            "localhost",
            "",
            "127.0.0.1:4711.evil.example",
        ] {
            assert_eq!(status("/v1/hello", &[("host", host), TOKEN]), 403, "{host}");
        }
        assert_eq!(status("/v1/hello", &[TOKEN]), 403);
        assert_eq!(
            status("/v1/hello", &[HOST, ("host", "evil.example"), TOKEN]),
            403
        );
    }

    /// CSRF: a page of another origin that posts to the daemon.
    #[test]
    fn a_page_of_another_origin_is_refused_even_with_the_token() {
        for origin in [
            "http://evil.example",
            "null",
            "https://127.0.0.1:4711",
            "http://127.0.0.1",
            "",
        ] {
            assert_eq!(
                status("/v1/status", &[HOST, TOKEN, ("origin", origin)]),
                403,
                "{origin}"
            );
        }
        assert_eq!(
            status(
                "/v1/status",
                &[HOST, TOKEN, ("origin", "http://127.0.0.1:4711")]
            ),
            200
        );
    }

    #[test]
    fn only_the_hello_needs_no_token() {
        assert_eq!(status("/v1/hello", &[HOST]), 200);
        assert_eq!(status("/v1/hello/", &[HOST]), 401);
        assert_eq!(
            status("/v1/hello", &[HOST, ("origin", "http://evil.example")]),
            403
        );
    }
}
