//! What went wrong, as RFC 9457 says it. Every error that leaves the server
//! over HTTP is a [`Problem`]; nothing else makes an error response.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The kinds of problem. A kind's code is part of the API: it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request as a whole cannot be understood.
    BadRequest,
    /// One parameter has a value that it cannot have, or is unknown.
    InvalidParameter,
    /// Nobody came in who may do this.
    Unauthorized,
    /// Whoever came in may not do this.
    Forbidden,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// What is there already is in the way.
    Conflict,
    /// Somebody else changed the layer since it was read.
    LayerChanged,
    /// The request must say which version it changes.
    PreconditionRequired,
    /// It was there, and is not any more.
    Gone,
    /// Too many requests of one kind.
    TooManyRequests,
    /// A feature is another than the caller thought.
    FeatureChanged,
    /// A feature breaks its layer's rules.
    InvalidFeature,
    /// The layer's table is none that is written here.
    TableNotWritable,
    /// A file is larger than one that can be attached.
    AttachmentTooLarge,
    /// A file is of none of the types that can be attached.
    AttachmentType,
    /// A file cannot be read as what it is.
    InvalidAttachment,
    /// A feature has as many attachments as it can.
    TooManyAttachments,
    /// The thing exists, but not for this method.
    MethodNotAllowed,
    /// None of the formats asked for exists for this thing.
    NotAcceptable,
    /// The request's body is in a format that is not read here.
    UnsupportedMediaType,
    /// The request's body is larger than the limit.
    PayloadTooLarge,
    /// The URL is longer than the limit.
    UriTooLong,
    /// Something failed that is not the caller's fault.
    Internal,
    /// The server cannot answer now, and will later.
    Unavailable,
    /// The answer took longer than the limit.
    Timeout,
}

impl Kind {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad-request", "The request cannot be understood"),
            Self::InvalidParameter => (StatusCode::BAD_REQUEST, "invalid-parameter", "A parameter is not valid"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "Log in to do this"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "This is not allowed"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "What is there already is in the way"),
            Self::LayerChanged => {
                (StatusCode::PRECONDITION_FAILED, "layer-changed", "Somebody else changed this meanwhile")
            }
            Self::PreconditionRequired => {
                (StatusCode::PRECONDITION_REQUIRED, "precondition-required", "Say which version this changes")
            }
            Self::Gone => (StatusCode::GONE, "gone", "This is no longer there"),
            Self::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
            Self::FeatureChanged => {
                (StatusCode::PRECONDITION_FAILED, "feature-changed", "Somebody else changed this meanwhile")
            }
            Self::InvalidFeature => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid-feature", "The feature breaks rules of its layer")
            }
            Self::TableNotWritable => (StatusCode::CONFLICT, "table-not-writable", "This layer is not edited here"),
            Self::AttachmentTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "attachment-too-large", "The file is too large")
            }
            Self::AttachmentType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "attachment-type", "Files of this type are not attached")
            }
            Self::InvalidAttachment => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid-attachment", "The file cannot be read")
            }
            Self::TooManyAttachments => {
                (StatusCode::CONFLICT, "too-many-attachments", "The feature has too many attachments")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such resource"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This method is not allowed here")
            }
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "not-acceptable", "This format is not offered"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "This format is not read here")
            }
            Self::PayloadTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "payload-too-large", "The request's body is too large")
            }
            Self::UriTooLong => (StatusCode::URI_TOO_LONG, "uri-too-long", "The URL is too long"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed"),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The server cannot answer at the moment")
            }
            Self::Timeout => (StatusCode::GATEWAY_TIMEOUT, "timeout", "The answer took too long"),
        }
    }

    /// The HTTP status of such a problem.
    pub fn status(self) -> StatusCode {
        self.parts().0
    }

    /// The `type` member: stable, and no address that anybody must fetch.
    pub fn type_uri(self) -> String {
        format!("urn:problem-type:lindero:{}", self.parts().1)
    }

    /// The kind that a bare status stands for, where some layer below made
    /// one without a document. `None` where it is no error.
    pub fn of_status(status: StatusCode) -> Option<Self> {
        Some(match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::GONE => Self::Gone,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyRequests,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::NOT_ACCEPTABLE => Self::NotAcceptable,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::URI_TOO_LONG => Self::UriTooLong,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => Self::Timeout,
            status if status.is_client_error() => Self::BadRequest,
            status if status.is_server_error() => Self::Internal,
            _ => return None,
        })
    }
}

/// An error as the client sees it.
///
/// As a document: `type` (stable), `title`, `status`, `detail`, and
/// `parameter` where one is at fault.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: Option<String>,
    parameter: Option<String>,
    allow: Option<HeaderValue>,
    /// When to try again.
    wait: Option<Duration>,
    /// Members of its own (RFC 9457, 3.2).
    member: Option<Box<(&'static str, Value)>>,
}

/// A handler's outcome.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

impl Problem {
    /// A problem of a kind, without more to say.
    pub fn new(kind: Kind) -> Self {
        Self { kind, detail: None, parameter: None, allow: None, wait: None, member: None }
    }

    /// Says what is the matter, and what the caller can do.
    #[must_use]
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// Keeps the `Allow` header that a 405 must carry.
    #[must_use]
    pub(super) fn with_allow(mut self, allow: Option<HeaderValue>) -> Self {
        self.allow = allow;
        self
    }

    /// Says more, for programs: a member of this kind of problem.
    #[must_use]
    pub fn with_member(mut self, name: &'static str, value: Value) -> Self {
        self.member = Some(Box::new((name, value)));
        self
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(detail: impl fmt::Display) -> Self {
        Self::new(Kind::BadRequest).with_detail(detail)
    }

    /// 400: `parameter` has a value it cannot have, or is unknown.
    pub fn invalid_parameter(parameter: &str, detail: impl fmt::Display) -> Self {
        Self { parameter: Some(parameter.to_owned()), ..Self::new(Kind::InvalidParameter).with_detail(detail) }
    }

    /// 404: there is no such thing (or the caller may not know of it).
    pub fn not_found(detail: impl fmt::Display) -> Self {
        Self::new(Kind::NotFound).with_detail(detail)
    }

    /// 401: who this is for did not come in.
    pub fn unauthorized(detail: impl fmt::Display) -> Self {
        Self::new(Kind::Unauthorized).with_detail(detail)
    }

    /// 403: whoever came in may not do this.
    pub fn forbidden(detail: impl fmt::Display) -> Self {
        Self::new(Kind::Forbidden).with_detail(detail)
    }

    /// 429: too many; again after so long.
    pub fn too_many(detail: impl fmt::Display, wait: Duration) -> Self {
        Self { wait: Some(wait), ..Self::new(Kind::TooManyRequests).with_detail(detail) }
    }

    /// 406: the formats that `Accept` or `f` names do not exist here.
    pub fn not_acceptable(detail: impl fmt::Display) -> Self {
        Self::new(Kind::NotAcceptable).with_detail(detail)
    }

    /// 503: not now.
    pub fn unavailable(detail: impl fmt::Display) -> Self {
        Self::new(Kind::Unavailable).with_detail(detail)
    }

    /// 500 (or 503 where the database cannot be reached). The cause goes to
    /// the log; the client is told nothing of it.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        let causes: Vec<String> =
            std::iter::successors(cause.source(), |cause| cause.source()).map(ToString::to_string).collect();
        if is_unreachable(cause) {
            tracing::warn!(error = %cause, ?causes, "the database cannot be reached");
            return Self::unavailable("the database cannot be reached at the moment; try again in a few seconds");
        }
        tracing::error!(error = %cause, ?causes, "a request failed");
        Self::new(Kind::Internal)
    }

    /// The problem's kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// Whether an error, or what caused it, says that the database is away: then
/// the request may be tried again.
fn is_unreachable(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| match error.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => true,
        // Class 57 (operator intervention): shutting down, starting up,
        // terminated; class 53: out of connections.
        Some(sqlx::Error::Database(cause)) => {
            cause.code().is_some_and(|code| code.starts_with("57P") || code == "53300")
        }
        _ => false,
    })
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    type_uri: String,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    #[serde(flatten)]
    member: Option<HashMap<&'a str, &'a Value>>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, _, title) = self.kind.parts();
        let document = Document {
            type_uri: self.kind.type_uri(),
            title,
            status: status.as_u16(),
            detail: self.detail.as_deref(),
            parameter: self.parameter.as_deref(),
            member: self.member.as_deref().map(|(name, value)| HashMap::from([(*name, value)])),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.kind == Kind::Unavailable {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if let Some(wait) = self.wait {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, allow);
        }
        response
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<access::Denied> for Problem {
    fn from(denied: access::Denied) -> Self {
        Self::forbidden(denied)
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    /// A path whose parts cannot be what the route needs names nothing.
    fn from(rejection: PathRejection) -> Self {
        Self::not_found(rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let kind = Kind::of_status(rejection.status()).unwrap_or(Kind::BadRequest);
        Self::new(kind).with_detail(rejection.body_text())
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        let kind = Kind::of_status(rejection.status()).unwrap_or(Kind::BadRequest);
        Self::new(kind).with_detail(rejection.body_text())
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn the_document_has_the_members_of_rfc_9457_and_the_parameter() {
        let response = Problem::invalid_parameter("limit", "limit is 0, and must be 1 to 10000").into_response();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(response.headers()[CONTENT_TYPE], MEDIA_TYPE);
        let body = to_bytes(response.into_body(), 4096).await.expect("a body");
        let document: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(
            document,
            serde_json::json!({
                "type": "urn:problem-type:lindero:invalid-parameter",
                "title": "A parameter is not valid",
                "status": 400,
                "detail": "limit is 0, and must be 1 to 10000",
                "parameter": "limit"
            })
        );
    }

    #[tokio::test]
    async fn an_internal_error_hides_its_cause() {
        let response = Problem::internal(&sqlx::Error::ColumnNotFound("secret".into())).into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(response.into_body(), 4096).await.expect("a body");
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }

    #[test]
    fn a_database_that_is_away_is_503_and_not_500() {
        assert_eq!(Problem::internal(&sqlx::Error::PoolTimedOut).kind(), Kind::Unavailable);
        let io = sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into());
        assert_eq!(Problem::internal(&io).kind(), Kind::Unavailable);
    }
}
