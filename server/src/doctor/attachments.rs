//! The store of the attachments' files.

use layers::attachment::{Store, StoreLocation};
use rustix::fs::{Access, access};

use super::Report;
use crate::config::Config;

const CHECK: &str = "attachments";

pub(super) async fn examine(config: &Config, report: &mut Report) {
    let location = &config.attachment_store;
    if let StoreLocation::Folder(folder) = location {
        if !folder.exists() {
            return report.ok(CHECK, format!("{location} will be made"));
        }
        if let Err(error) = access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
            let advice = "let the server's user read and write it, or set LINDERO_ATTACHMENT_STORE to another folder";
            return report.problem(CHECK, format!("{location}: {error}"), advice);
        }
    }
    let found = match Store::open(location) {
        Ok(store) => store.check().await,
        Err(error) => Err(error),
    };
    match found {
        Ok(()) => report.ok(CHECK, format!("{location} can be read")),
        Err(error) => report.problem(
            CHECK,
            format!("{location}: {error}"),
            "check LINDERO_ATTACHMENT_STORE, and for a bucket AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and \
             AWS_ENDPOINT_URL",
        ),
    }
}
