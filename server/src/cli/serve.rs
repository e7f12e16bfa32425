use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use access::{Caller, Token, link};
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use layers::attachment::Store;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{CommandError, Outcome};
use crate::background;
use crate::cluster::{Cluster, Purpose};
use crate::config::{Config, Tls};
use crate::database::{self, Session};
use crate::http::listen;
use crate::http::opening::{Hurried, SILENCE};
use crate::http::{self, AppState};
use crate::identity::Identity;

/// So long a stopping server tries to write what it noted.
const LAST_NOTES: Duration = Duration::from_secs(5);

/// Serves until a signal says to stop.
pub(super) async fn run(config: Config) -> Result<Outcome, CommandError> {
    let config = Arc::new(config);
    // First what can be refused at once.
    Identity::check(&config)?;
    if config.database_url.is_none() {
        Cluster::refuse_second(&config)?;
    }
    let claim = listen::claim(config.listen).map_err(|(address, source)| CommandError::Listen { address, source })?;
    let tls = match &config.tls {
        Some(tls) => Some(certificate(tls).await?),
        None => None,
    };
    let session = database::open(&config, Purpose::Serve).await?;
    raise_file_limit();
    let supervisor = session.cluster().map(Cluster::supervise);

    let outcome = async {
        recover(&session).await?;
        // Not before: the database makes the data folder.
        let attachments = Store::open(&config.attachment_store)?;
        let listener = claim.listen().map_err(|(address, source)| CommandError::Listen { address, source })?;
        // Before the greeting, from which on everything may fail.
        let invitation = link::for_first_administrator(&Caller::OPERATOR, session.database()).await?;
        greet(&config, &listener, invitation);
        serve(&config, &session, attachments, listener, tls).await
    }
    .await;

    drop(supervisor);
    session.close().await?;
    tracing::info!("stopped");
    outcome.map(|()| Outcome::Done)
}

/// A connection is an open file, and the usual limit of 1 024 is meant for
/// programs that are not servers.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, current = limit.current, "the limit of open files cannot be raised");
    }
}

/// What a killed process left half-done is undone before the first request.
async fn recover(session: &Session) -> Result<(), CommandError> {
    let interrupted = etl::import::clean_abandoned(&Caller::OPERATOR, session.database()).await?;
    for id in interrupted {
        tracing::warn!(job = %id, "a job was interrupted when its process ended");
    }
    Ok(())
}

async fn serve(
    config: &Arc<Config>,
    session: &Session,
    attachments: Store,
    listener: TcpListener,
    tls: Option<RustlsConfig>,
) -> Result<(), CommandError> {
    let state = AppState::new(session.database().clone(), Arc::clone(config), attachments);
    let stopping = state.stopping.clone();
    let router = http::router(state.clone());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::new();
    let signals = tokio::spawn(obey(
        handle.clone(),
        config.shutdown_timeout,
        tls.clone().zip(config.tls.clone()),
        Signals::new().map_err(CommandError::Runtime)?,
        stopping,
    ));

    let mut background = background::start(&state);
    let server = axum_server::from_tcp(listener).map_err(CommandError::Server)?.handle(handle);
    let served = match tls {
        Some(certificate) => {
            let secured = RustlsAcceptor::new(certificate).handshake_timeout(SILENCE).acceptor(NoDelayAcceptor);
            with_timeouts(server.acceptor(Hurried::new(secured, SILENCE))).serve(service).await
        }
        None => with_timeouts(server.acceptor(Hurried::new(NoDelayAcceptor, SILENCE))).serve(service).await,
    };
    signals.abort();
    background.shutdown().await;
    // What was noted of the last requests.
    match timeout(LAST_NOTES, state.trail.write()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the last notes of the audit trail could not be written"),
        Err(_) => tracing::error!("the last notes of the audit trail could not be written in time"),
    }
    served.map_err(CommandError::Server)
}

/// Clocks on what a connection says: of a request's head the whole, between
/// requests anything.
fn with_timeouts<A>(mut server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    let builder: &mut Builder<TokioExecutor> = server.http_builder();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(SILENCE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(SILENCE))
        .keep_alive_timeout(SILENCE)
        .max_concurrent_streams(128);
    server
}

/// The signals of an operator.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// SIGTERM and SIGINT stop the server: no new connections, the requests in
/// hand get their time; a second one cuts them. SIGHUP reads the certificate
/// again.
async fn obey(
    handle: Handle<SocketAddr>,
    patience: Duration,
    tls: Option<(RustlsConfig, Tls)>,
    mut signals: Signals,
    streams: CancellationToken,
) {
    let mut stopping = false;
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => {}
            _ = signals.interrupt.recv() => {}
            _ = signals.hang_up.recv() => {
                if let Some((certificate, files)) = &tls {
                    match certificate.reload_from_pem_file(&files.cert, &files.key).await {
                        Ok(()) => tracing::info!("the certificate was read again"),
                        Err(error) => tracing::error!(%error, "the new certificate cannot be used; the old one stays"),
                    }
                }
                continue;
            }
        }
        if stopping {
            tracing::warn!("stopping at once");
            handle.shutdown();
            return;
        }
        stopping = true;
        tracing::info!(seconds = patience.as_secs(), "stopping: finishing the requests in hand");
        handle.graceful_shutdown(Some(patience));
        // They would never end by themselves.
        streams.cancel();
    }
}

async fn certificate(tls: &Tls) -> Result<RustlsConfig, CommandError> {
    RustlsConfig::from_pem_file(&tls.cert, &tls.key).await.map_err(|source| CommandError::Certificate {
        cert: tls.cert.clone(),
        key: tls.key.clone(),
        source,
    })
}

/// Says on the standard output where to look; and, as long as nobody may manage
/// accounts, to whoever started the server how to: never in the log.
fn greet(config: &Config, listener: &TcpListener, invitation: Option<Token>) {
    let url = config.url(listener.local_addr().ok());
    tracing::info!(url, version = env!("CARGO_PKG_VERSION"), "serving");
    say(&format!("Lindero {} serves at {url} (Ctrl-C stops it).", env!("CARGO_PKG_VERSION")));
    if let Some(link) = invitation {
        let text = "There is no administrator yet. Open this within 24 hours to become it; it works once:";
        say(&format!("{text}\n  {url}#link={}", link.expose()));
    }
}

/// Whoever started the server may have stopped reading.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
