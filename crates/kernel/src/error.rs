//! The closed list of errors, and the RFC 9457 problem details they become.
//!
//! An error is for the one who must act: each variant gives the client something different to do. `Internal` carries its chain
//! to the log and says nothing outside.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::limits::{Limit, LimitReached};
use crate::rules::Lack;

/// What went wrong, for the one who must act on it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 401: nobody is signed in, or the session ended. Sign in.
    #[error("not signed in")]
    NotSignedIn,
    /// 401: the password was right, the second factor is still missing.
    #[error("second factor required")]
    SecondFactorRequired,
    /// 401: e-mail or password (or code) wrong; never says which.
    #[error("bad credentials")]
    BadCredentials,
    /// 403: known, but not allowed. Says what forbade it and which grant would be needed.
    #[error("forbidden by {}: {}", .0.policy, .0.why)]
    Forbidden(Box<Refusal>),
    /// 403: allowed, once the person has proved again that it is them. Ask for the second factor, then repeat.
    #[error("a fresh second factor is needed")]
    StepUpRequired(Box<Refusal>),
    /// 403: the place wants the password again before it lets staff in. Ask for it, then repeat.
    #[error("the password is needed again")]
    ReauthRequired(Box<Refusal>),
    /// 403: signed in, but a place they belong to asks for more. Mend that first; until then nothing else is open.
    #[error("something is lacking: {0:?}")]
    Lacking(Lack),
    /// 403: a browser sent an unsafe request from another site.
    #[error("cross-origin request")]
    CrossOrigin,
    /// 404: does not exist, or may not be known of: the same bytes.
    #[error("not found")]
    NotFound,
    /// 409: the thing is in a state that does not permit this. The text says what to do.
    #[error("conflict: {0}")]
    Conflict(String),
    /// 409: there are as many of something as there may be. The text says what to do.
    #[error("limit reached: {}", .0.detail)]
    LimitReached(Box<LimitReached>),
    /// 409: somebody above keeps this for themselves. The text says who; ask them.
    #[error("locked: {0}")]
    Locked(String),
    /// 409: the installation's licence does not permit this. The text says what to do.
    #[error("licence: {0}")]
    Licence(String),
    /// 412: it was changed since it was read. Read again.
    #[error("changed since it was read")]
    Changed,
    /// 428: an update needs `If-Match` with the version that was read.
    #[error("If-Match is missing")]
    VersionMissing,
    /// 413: too large; the text names the limit.
    #[error("too large: {0}")]
    TooLarge(String),
    /// 415: a body of a type that is not taken here.
    #[error("unsupported media type: {0}")]
    UnsupportedMedia(String),
    /// 422: what was sent is not right; each field with its reason.
    #[error("invalid: {0:?}")]
    Invalid(Vec<FieldError>),
    /// 422: a file was refused whole; says where and why.
    #[error("file refused: {}", .0.reason)]
    File(Box<FileProblem>),
    /// 429: too many tries; wait so many seconds.
    #[error("too many requests, wait {0} s")]
    TooMany(u64),
    /// 503: the store is busy, full or away. Try again.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// 500: our fault. The chain goes to the log only.
    #[error("internal error: {0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why the policy said no.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Id of the deciding policy.
    pub policy: String,
    /// Its reason, one sentence.
    pub why: String,
    /// Which grant would be needed.
    pub needs: String,
}

/// One wrong field of a request body, query or path.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Dotted path in the body (`mask.view`), or the query parameter's name.
    pub field: String,
    /// Stable code, `too_short`.
    pub code: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Where and why a file was refused.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct FileProblem {
    /// The file's name as the client gave it.
    pub file: Option<String>,
    /// Why, with what was expected.
    #[serde(skip)]
    pub reason: String,
    /// 1-based line.
    pub line: Option<u64>,
    /// 1-based column in bytes.
    pub column: Option<u64>,
    /// JSON pointer (RFC 6901).
    pub pointer: Option<String>,
    /// 0-based number of the record.
    pub record: Option<u64>,
}

/// The result of anything that can fail with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One wrong field.
    pub fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), code: code.into(), message: message.into() }])
    }

    /// Something that is our fault: the source goes to the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The stable code: what a program switches on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "not_signed_in",
            Self::SecondFactorRequired => "second_factor_required",
            Self::BadCredentials => "bad_credentials",
            Self::Forbidden(_) => "forbidden",
            Self::StepUpRequired(_) => "step_up_required",
            Self::ReauthRequired(_) => "reauth_required",
            Self::Lacking(Lack::SecondFactor | Lack::SecondFactorAgain) => "second_factor_required",
            Self::Lacking(Lack::Password) => "password_expired",
            Self::CrossOrigin => "cross_origin",
            Self::NotFound => "not_found",
            Self::Conflict(_) => "conflict",
            Self::LimitReached(_) => "limit_reached",
            Self::Locked(_) => "locked",
            Self::Licence(_) => "licence",
            Self::Changed => "precondition_failed",
            Self::VersionMissing => "precondition_required",
            Self::TooLarge(_) => "too_large",
            Self::UnsupportedMedia(_) => "unsupported_media",
            Self::Invalid(_) | Self::File(_) => "invalid",
            Self::TooMany(_) => "too_many_requests",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn | Self::SecondFactorRequired | Self::BadCredentials => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::StepUpRequired(_) | Self::ReauthRequired(_) | Self::Lacking(_) | Self::CrossOrigin => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict(_) | Self::LimitReached(_) | Self::Locked(_) | Self::Licence(_) => StatusCode::CONFLICT,
            Self::Changed => StatusCode::PRECONDITION_FAILED,
            Self::VersionMissing => StatusCode::PRECONDITION_REQUIRED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) | Self::File(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> (&'static str, String) {
        match self {
            Self::NotSignedIn => ("Not signed in", "Sign in, then try again.".into()),
            Self::SecondFactorRequired => {
                ("Second factor required", "Enter the code of your authenticator app or a recovery code.".into())
            }
            Self::BadCredentials => ("Sign-in failed", "E-mail, password or code is wrong. Check them and try again.".into()),
            Self::Forbidden(refusal) => {
                ("Not allowed", format!("{} Needed: {}.", refusal.why, refusal.needs.trim_end_matches('.')))
            }
            Self::StepUpRequired(_) => (
                "Fresh second factor needed",
                "Prove again that it is you (POST /session/step-up with a code, or your password if you have no second factor), then repeat."
                    .into(),
            ),
            Self::ReauthRequired(_) => (
                "Password needed again",
                "This organisation asks its provider's staff for their password when they enter. Give it (POST /session/step-up with \
                 your password), then repeat."
                    .into(),
            ),
            Self::Lacking(lack) => lacking(*lack),
            Self::CrossOrigin => ("Cross-origin request refused", "Send the request from the console's own address.".into()),
            Self::NotFound => ("Not found", "Nothing here by that name or id that you may know of. Check the address.".into()),
            Self::Conflict(detail) => ("Conflict", detail.clone()),
            Self::LimitReached(reached) => ("Limit reached", reached.detail.clone()),
            Self::Locked(detail) => ("Locked", detail.clone()),
            Self::Licence(detail) => ("Not covered by the licence", detail.clone()),
            Self::Changed => {
                ("Changed meanwhile", "Somebody changed this since you read it. Read it again and repeat your change.".into())
            }
            Self::VersionMissing => ("Version missing", "Send If-Match with the ETag of the version you read.".into()),
            Self::TooLarge(detail) => ("Too large", detail.clone()),
            Self::UnsupportedMedia(detail) => ("Unsupported media type", detail.clone()),
            Self::Invalid(fields) => (
                "Invalid input",
                match fields.as_slice() {
                    [one] => format!("{}: {}", one.field, one.message),
                    several => format!("{} fields need correction.", several.len()),
                },
            ),
            Self::File(problem) => ("File refused", problem.to_string()),
            Self::TooMany(wait_s) => ("Too many tries", format!("Wait {wait_s} seconds, then try again.")),
            Self::Unavailable(detail) => {
                ("Temporarily unavailable", format!("{detail} Nothing was changed. Try again in a moment."))
            }
            Self::Internal(_) => {
                ("Internal error", "Something failed on our side and was logged. Give the request id to your administrator.".into())
            }
        }
    }
}

fn lacking(lack: Lack) -> (&'static str, String) {
    match lack {
        Lack::SecondFactor => (
            "Second factor required",
            "A place you belong to requires a second factor. Set one up (POST /me/totp), then go on.".into(),
        ),
        Lack::SecondFactorAgain => (
            "Second factor needed again",
            "A place you belong to asks for your second factor again. Give it (POST /session/step-up), then go on.".into(),
        ),
        Lack::Password => (
            "Password expired",
            "Your password is older than a place you belong to allows. Choose a new one (PUT /me/password), then go on.".into(),
        ),
    }
}

impl std::fmt::Display for FileProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        f.write_str(&self.reason)?;
        f.write_str(" Nothing was imported.")
    }
}

/// RFC 9457 problem details, as every error of the API is sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// A stable URI of the kind of problem. It is a name, not an address to fetch.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short name of the kind.
    pub title: &'static str,
    /// The HTTP status again.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// The stable code: what a program switches on.
    pub code: &'static str,
    /// The request's id, as in `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The wrong fields (code `invalid`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Where in a file (code `invalid`, imports).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<FileProblem>,
    /// The deciding policy (code `forbidden`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Its reason (code `forbidden`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Which grant would be needed (code `forbidden`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// Which limit (code `limit_reached`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// How many there are (code `limit_reached`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<i64>,
    /// How many there may be (code `limit_reached`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let (title, detail) = error.words();
        let reached = if let Error::LimitReached(reached) = error { Some(reached) } else { None };
        let refusal = if let Error::Forbidden(refusal) | Error::StepUpRequired(refusal) | Error::ReauthRequired(refusal) = error {
            Some(refusal)
        } else {
            None
        };
        Self {
            kind: format!("https://tenantry.dev/problems/{}", error.code()),
            title,
            status: error.status().as_u16(),
            detail,
            code: error.code(),
            instance: None,
            errors: if let Error::Invalid(fields) = error { fields.clone() } else { Vec::new() },
            at: if let Error::File(problem) = error { Some((**problem).clone()) } else { None },
            policy: refusal.map(|r| r.policy.clone()),
            why: refusal.map(|r| r.why.clone()),
            needs: refusal.map(|r| r.needs.clone()),
            limit: reached.map(|r| r.limit),
            used: reached.map(|r| r.used),
            max: reached.map(|r| r.max),
        }
    }
}

/// Marks a response that is an error, for the layer that finishes refused and failed writes in the ledger.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCode(pub &'static str);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Internal(source) = &self {
            tracing::error!(error = %chain(source.as_ref()), "internal error");
        } else if let Self::Unavailable(detail) = &self {
            tracing::warn!(%detail, "unavailable");
        }
        let body = serde_json::to_vec(&Problem::from(&self)).unwrap_or_default();
        let mut response = (self.status(), [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let retry_after_s = match &self {
            Self::TooMany(wait_s) => Some(*wait_s),
            Self::Unavailable(_) => Some(2),
            _ => None,
        };
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(ErrorCode(self.code()));
        response
    }
}

/// An error and all its sources, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Drops an error on purpose, and says why that is right.
pub trait CanFail {
    /// Logs the error at debug level with the reason it does not matter.
    fn can_fail(self, why: &'static str);
}

impl<T, E: std::fmt::Display> CanFail for std::result::Result<T, E> {
    fn can_fail(self, why: &'static str) {
        if let Err(error) = self {
            tracing::debug!(%error, why, "ignored");
        }
    }
}
