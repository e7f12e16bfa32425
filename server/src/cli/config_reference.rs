use std::io::Write;

use super::{CommandError, Outcome};

/// Prints the reference page; `make docs` writes it to the book.
pub(super) fn run() -> Result<Outcome, CommandError> {
    let page = crate::config::reference_page();
    std::io::stdout().write_all(page.as_bytes()).map_err(CommandError::Output)?;
    Ok(Outcome::Done)
}
