//! The session cookie as it is set.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponseParts, ResponseParts};
use kernel::door::COOKIE;

/// Sets the session cookie, or takes it away. A part of a response.
pub struct Cookie(HeaderValue);

impl Cookie {
    pub(super) fn with(token: &str, life: Duration, secure: bool) -> Self {
        Self::of(token, life, secure)
    }

    pub(super) fn none(secure: bool) -> Self {
        Self::of("", Duration::ZERO, secure)
    }

    fn of(token: &str, life: Duration, secure: bool) -> Self {
        let secure = if secure { "; Secure" } else { "" };
        let text = format!("{COOKIE}={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={}{secure}", life.as_secs());
        let mut value = HeaderValue::try_from(text).expect("a token has URL-safe characters only");
        value.set_sensitive(true);
        Self(value)
    }
}

impl IntoResponseParts for Cookie {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.headers_mut().append(header::SET_COOKIE, self.0);
        // A shared cache that keeps a session hands it to somebody else.
        parts.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(parts)
    }
}
