use access::{Caller, Database};
use sqlx::{Connection, PgConnection};

use crate::catalog::{self, CatalogError};
use crate::{ChangeCapture, Kind, LayerId};

/// Makes anew the triggers of a layer's table that are gone or disabled (a
/// partition attached later, somebody's `DISABLE TRIGGER`), and records an
/// [`Operation::Unknown`](super::Operation::Unknown) change, since what was
/// written meanwhile went unseen. Returns the tables that lacked them.
///
/// A published table's triggers are made as the login user, who must own it.
pub async fn repair(caller: &Caller, db: &Database, id: &LayerId) -> Result<Vec<String>, CatalogError> {
    caller.require_operator("repair a layer's triggers")?;
    let layer = catalog::get(caller, db, id).await?;
    if layer.change_capture != ChangeCapture::Triggers {
        return Ok(Vec::new());
    }
    let mut loader = db.loader().acquire().await?;
    let missing = catalog::missing_triggers(&mut loader, layer.kind, &layer.table).await?;
    if missing.is_empty() {
        return Ok(missing);
    }
    if layer.kind == Kind::Managed {
        let mut transaction = loader.begin().await?;
        catalog::install_triggers(&mut transaction, id, layer.kind, &layer.table).await?;
        transaction.commit().await?;
    } else {
        let mut owner = PgConnection::connect_with(&db.target().admin_options()).await?;
        let mut transaction = owner.begin().await?;
        catalog::install_triggers(&mut transaction, id, layer.kind, &layer.table).await?;
        transaction.commit().await?;
        owner.close().await?;
    }
    let mut transaction = loader.begin().await?;
    sqlx::query("INSERT INTO catalog.change (layer, operation) VALUES ($1, 'unknown')")
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
    sqlx::query("SELECT pg_notify('lindero_change', $1)").bind(id.as_str()).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(missing)
}
