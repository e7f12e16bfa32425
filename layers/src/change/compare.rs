use access::{Caller, Database};
use sqlx::AssertSqlSafe;

use crate::catalog::{self, CatalogError, Quoted};
use crate::{Layer, LayerId};

/// Compares a layer's content with its last digest; where it differs, records
/// an [`Operation::Unknown`](super::Operation::Unknown) change. Returns whether
/// it differed (never at the first comparison). Reads the whole table.
pub async fn compare(caller: &Caller, db: &Database, id: &LayerId) -> Result<bool, CatalogError> {
    caller.require_operator("compare a layer")?;
    let layer: Layer = catalog::get(caller, db, id).await?;
    let mut transaction = db.loader().begin().await?;
    // A sum does not mind the order of the rows; the count tells an empty
    // table from hashes that add up to zero. The row's name is none that a
    // column has: that column alone would be compared.
    let digest: String = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT count(*) || ':' || coalesce(sum(hashtextextended(\"lindero row\"::text, 0)::numeric), 0) \
         FROM {} AS \"lindero row\"",
        Quoted::new(&layer.table).relation
    )))
    .fetch_one(&mut *transaction)
    .await?;
    let before: Option<String> =
        sqlx::query_scalar("SELECT content_digest FROM catalog.layer WHERE id = $1 FOR UPDATE")
            .bind(id.as_str())
            .fetch_one(&mut *transaction)
            .await?;
    let differs = before.as_ref().is_some_and(|before| *before != digest);
    if differs {
        sqlx::query("INSERT INTO catalog.change (layer, operation) VALUES ($1, 'unknown')")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("SELECT pg_notify('lindero_change', $1)").bind(id.as_str()).execute(&mut *transaction).await?;
        catalog::refresh(caller, &mut transaction, id, true).await?;
    }
    sqlx::query("UPDATE catalog.layer SET content_digest = $2, compared_at = now() WHERE id = $1")
        .bind(id.as_str())
        .bind(&digest)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(differs)
}
