use std::io::Write;

use super::{CommandError, Outcome};

/// Prints the page of who may do what; `make docs` writes it to the book.
pub(super) fn run() -> Result<Outcome, CommandError> {
    let page = crate::http::permissions_page();
    std::io::stdout().write_all(page.as_bytes()).map_err(CommandError::Output)?;
    Ok(Outcome::Done)
}
