//! Identity providers and directories: whether they answer.

use super::Report;
use crate::config::Config;
use crate::identity::Identity;

const CHECK: &str = "identity";

pub(super) async fn examine(config: &Config, report: &mut Report) {
    if let Err(error) = Identity::check(config) {
        return report.problem(CHECK, error.to_string(), "mend what it names; the server does not start before");
    }
    for (id, outcome) in Identity::new(config).reach().await {
        match outcome {
            Ok(()) => report.ok(CHECK, format!("{id} answers")),
            // The server starts all the same: who has a password here comes in.
            Err(why) => report.warn(
                CHECK,
                format!("{id}: {why}"),
                "people cannot come in through it: look at its address, its certificate and what lies between",
            ),
        }
    }
}
