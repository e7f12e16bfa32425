//! `/changes`: what changes in the layers, as it changes (server-sent events).

use super::routes::{Routes, Rule};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use access::{Caller, Token};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use futures::stream::unfold;
use layers::Extent;
use metrics::gauge;
use serde_json::{Value, json};
use tiles::engine::{ChangePosition, Changes, LayerChange, Told};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, sleep_until};

use super::AppState;
use super::asked::{Asked, Format};
use super::extract::Extension;
use super::identify::Shown;
use super::problem::{Problem, Result};

pub(super) const EVENT_STREAM: &str = "text/event-stream";
pub(super) const STREAMS: &str = "lindero_change_streams";

/// A stream tells no oftener than this: what comes meanwhile is told together.
const PACE: Duration = Duration::from_millis(250);
/// Something is said at least so often, so that nobody on the way takes the
/// connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How often it is looked whether who began a stream is still in.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a client waits before it connects again.
const RETRY: Duration = Duration::from_secs(2);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) fn routes() -> Routes {
    Routes::default().get("/changes", Rule::Seen, changes)
}

async fn changes(State(state): State<AppState>, shown: Option<Extension<Shown>>, mut asked: Asked) -> Result<Response> {
    asked.format(&[(Format::Events, &[EVENT_STREAM])])?;
    let since = asked.parsed("since", "a position as lindero.changes of the landing page says it, or an event's id")?;
    asked.finish()?;
    // What a browser says when it connects again. It is later than the address.
    let known = asked.joined(&LAST_EVENT_ID).map(|id| id.parse().unwrap_or(ChangePosition::UNKNOWN));
    let Ok(permit) = Arc::clone(&state.streams).try_acquire_owned() else {
        return Err(Problem::unavailable("too many pages are being told of changes; try again in a while"));
    };
    let changes = state.tiles.changes(&asked.caller, known.or(since));
    let lasting = Lasting { caller: asked.caller, token: shown.map(|Extension(Shown(token))| token) };
    let events = events(state.clone(), changes, lasting, Streaming::begin(permit));
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    // nginx would gather the stream before it passes it on.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// Who began a stream, and by what.
#[derive(Clone)]
struct Lasting {
    caller: Caller,
    token: Option<Token>,
}

impl Lasting {
    /// Waits until who began the stream is out, or may do something else: the
    /// client begins another, as what it then is. Never for anybody.
    async fn is_over(&self, state: &AppState) {
        let (Some(token), Some(login)) = (&self.token, self.caller.login()) else {
            return std::future::pending().await;
        };
        let address = self.caller.origin().and_then(|origin| origin.address);
        loop {
            sleep(LOOK_AGAIN).await;
            match state.gate.open(token, address).await {
                Ok(Some(now)) if now.login() == Some(login) => {}
                Ok(_) => return,
                // Nobody knows: what changes cannot be told either.
                Err(error) => tracing::debug!(%error, "who follows changes cannot be looked up"),
            }
        }
    }
}

/// First the position, then what changes, until the server stops. It is made
/// as the client takes it: nothing waits here for a slow one.
fn events(
    state: AppState,
    changes: Changes,
    lasting: Lasting,
    streaming: Streaming,
) -> impl Stream<Item = std::result::Result<Event, Infallible>> {
    // Where the client stands is not known: that is the first thing that it is told.
    let first = Event::default().comment("what changes is told here").retry(RETRY);
    let first = changes.position().map_or_else(|| first.clone(), |position| first.clone().id(position.to_string()));
    unfold((changes, Some(first), Instant::now()), move |(mut changes, first, not_before)| {
        let (state, lasting, _) = (state.clone(), lasting.clone(), &streaming);
        async move {
            if let Some(first) = first {
                return Some((Ok(first), (changes, None, not_before)));
            }
            let told = async {
                sleep_until(not_before).await;
                changes.next().await
            };
            let told = tokio::select! {
                () = state.stopping.cancelled() => return None,
                () = lasting.is_over(&state) => return None,
                told = told => told,
            };
            let event = changes.position().map_or_else(Event::default, |at| Event::default().id(at.to_string()));
            Some((Ok(describe(event, &told)), (changes, None, Instant::now() + PACE)))
        }
    })
}

fn describe(event: Event, told: &Told) -> Event {
    match told {
        Told::Everything => event.event("everything").data("{}"),
        Told::Layers(changes) => {
            let collections: Vec<Value> = changes.iter().map(collection).collect();
            event.event("changed").data(json!({ "collections": collections }).to_string())
        }
    }
}

fn collection(change: &LayerChange) -> Value {
    let boxes = |extents: &[Extent]| extents.iter().map(|extent| extent.to_array()).collect::<Vec<_>>();
    json!({
        "id": change.layer,
        "features": boxes(&change.features),
        "generalised": boxes(&change.generalised),
        "described": change.is_described_anew,
    })
}

/// A stream that is open, for the metrics and the limit.
struct Streaming(OwnedSemaphorePermit);

impl Streaming {
    fn begin(permit: OwnedSemaphorePermit) -> Self {
        gauge!(STREAMS).increment(permit.num_permits() as f64);
        Self(permit)
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        gauge!(STREAMS).decrement(self.0.num_permits() as f64);
    }
}
