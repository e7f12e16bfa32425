//! What an answer says of limits (draft-ietf-httpapi-ratelimit-headers, structured
//! fields), and the refusal of whoever passed one.

use std::time::Duration;

use access::Caller;
use access::limit::{Admission, Policy};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use sfv::{Integer, KeyRef, ListSerializer, StringRef, key_ref, string_ref};

use super::AppState;
use super::problem::Problem;

/// What is left, and until when.
pub(super) const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What the limit is.
pub(super) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

const QUOTA: &KeyRef = key_ref("q");
const WINDOW: &KeyRef = key_ref("w");
const REMAINING: &KeyRef = key_ref("r");
const RESET: &KeyRef = key_ref("t");

/// What was found of a request, for its answer.
pub(super) struct Found {
    admission: Option<Admission>,
    /// A map asks for hundreds: a tile's answer says nothing while more than half is left.
    is_tile: bool,
}

impl Found {
    /// Looks at a request of the caller's. Monitors are not counted.
    pub(super) fn of(state: &AppState, request: &Request, caller: &Caller) -> Self {
        let path = request.uri().path();
        if path.starts_with("/health/") || path == "/metrics" {
            return Self { admission: None, is_tile: false };
        }
        let admission = state.limits.admit(caller, !request.method().is_safe());
        Self { admission, is_tile: path.contains("/tiles/") }
    }

    /// Looks at a request that showed what opens nothing.
    pub(super) fn of_guess(admission: Option<Admission>) -> Self {
        Self { admission, is_tile: false }
    }

    /// The answer to whoever asks too much.
    pub(super) fn refusal(&self) -> Option<Response> {
        let wait = self.admission?.refused?;
        Some(self.told(too_many(wait).into_response()))
    }

    /// The answer, with what is left.
    pub(super) fn told(&self, mut response: Response) -> Response {
        let Some(Admission { policy, quota, left, full_in, .. }) = self.admission else { return response };
        if self.is_tile && left > quota.burst / 2 {
            return response;
        }
        let reset = full_in.as_secs_f64().ceil() as u32;
        let window = u32::try_from(quota.window.as_secs()).unwrap_or(u32::MAX);
        let fields = [(LIMIT, [(REMAINING, left), (RESET, reset)]), (POLICY, [(QUOTA, quota.burst), (WINDOW, window)])];
        for (header, parameters) in fields {
            if let Some(value) = field(name(policy), parameters) {
                response.headers_mut().insert(header, value);
            }
        }
        response
    }
}

/// That whoever asks must wait.
pub(super) fn too_many(wait: Duration) -> Problem {
    // Not sooner than it helps.
    let wait = Duration::from_secs(wait.as_secs_f64().ceil() as u64);
    Problem::too_many(format!("too much is asked from here; try again in {} s", wait.as_secs().max(1)), wait)
}

/// What a limit is called in the headers.
fn name(policy: Policy) -> &'static StringRef {
    match policy {
        Policy::Address => string_ref("address"),
        Policy::Account => string_ref("account"),
        Policy::Key => string_ref("key"),
        Policy::Write => string_ref("write"),
    }
}

fn field(name: &StringRef, parameters: [(&KeyRef, u32); 2]) -> Option<HeaderValue> {
    let mut list = ListSerializer::new();
    let mut item = list.bare_item(name);
    for (key, value) in parameters {
        item = item.parameter(key, Integer::from(value));
    }
    drop(item);
    HeaderValue::try_from(list.finish()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_structured() {
        let value = field(name(Policy::Write), [(REMAINING, 0), (RESET, 60)]).unwrap();
        assert_eq!(value, "\"write\";r=0;t=60");
    }
}
