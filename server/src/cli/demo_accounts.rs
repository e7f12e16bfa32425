//! Accounts to try the demonstration with. No password is known beforehand.

use access::account::{self, AccountKind, NewAccount};
use access::assignment::{self, NewAssignment};
use access::password::Password;
use access::{AccessError, Caller, Database, Reach, link};
use uuid::Uuid;

/// A name, a role, and the dependency within which it counts.
const ACCOUNTS: [(&str, &str, Option<&str>); 4] = [
    ("administradora", "administrator", None),
    ("planeacion", "planner", Some("Secretaría de Planeación")),
    ("infraestructura", "editor", Some("Secretaría de Infraestructura")),
    ("auditoria", "auditor", None),
];

/// Makes those that are not there yet, and prints each with its password.
pub(super) async fn make(caller: &Caller, db: &Database) -> Result<(), AccessError> {
    let known = account::list(caller, db).await?;
    let missing = ACCOUNTS.iter().filter(|(name, ..)| known.iter().all(|account| account.name != *name));
    let mut made = Vec::new();
    for (name, role, dependency) in missing {
        let dependency = dependency.map(str::to_owned);
        let new = NewAccount {
            dependency: dependency.clone().unwrap_or_default(),
            ..NewAccount::new(name, AccountKind::Person)
        };
        let account = account::create(caller, db, &new).await?.id;
        let assigned = NewAssignment {
            role: (*role).to_owned(),
            reach: Reach { dependency, ..Reach::default() },
            expires_at: None,
        };
        assignment::assign(caller, db, account, &assigned).await?;
        let password = Uuid::new_v4().simple().to_string();
        let (token, _) = link::for_account(caller, db, account).await?;
        link::follow(caller, db, &token, None, Password::typed(&password), "").await?;
        made.push(format!("  {name:16} {password}  {role}"));
    }
    if made.is_empty() {
        println!("The demonstration's accounts are there already; a new password: lindero user link NAME.");
    } else {
        println!("Accounts to try it with, shown this once:\n{}", made.join("\n"));
    }
    Ok(())
}
