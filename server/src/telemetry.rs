//! The log: structured, on the standard error stream.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::{Config, LogFormat};

/// Begins to log. `default` is what is logged where nothing is configured.
/// An unreadable filter is told, and the default taken.
pub fn begin(config: &Config, default: &str) {
    let filter = config.log.as_deref().map_or_else(
        || EnvFilter::new(default),
        |filter| {
            EnvFilter::try_new(filter).unwrap_or_else(|error| {
                eprintln!("LINDERO_LOG is not valid ({error}); logging {default:?}");
                EnvFilter::new(default)
            })
        },
    );
    let terminal = std::io::stderr().is_terminal();
    let format = config.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal)
        .with_span_events(FmtSpan::NONE);
    // A second call, in tests, changes nothing.
    let _ = match format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    // A panic is an event like others: one line, in the log's own form.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("(no message)");
        tracing::error!(message, place, "a thread panicked");
    }));
}
