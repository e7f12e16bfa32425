//! The triggers that record a table's changes (design: flow 2).

use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::{CatalogError, Quoted};
use crate::{LayerId, Table};

/// The triggers, each with its event and the transition tables that it sees.
const TRIGGERS: [(&str, &str, &str); 4] = [
    ("lindero_record_insert", "INSERT", "REFERENCING NEW TABLE AS new_rows"),
    ("lindero_record_update", "UPDATE", "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    ("lindero_record_delete", "DELETE", "REFERENCING OLD TABLE AS old_rows"),
    ("lindero_record_truncate", "TRUNCATE", ""),
];

/// Makes the triggers on the table and on each of its partitions (a write to a
/// partition fires the partition's own, a write to the parent the parent's).
/// `connection` must be of the table's owner. May be run again at any time.
///
/// Waits at most 5 s for a busy table in its transaction.
pub async fn install_triggers(
    connection: &mut PgConnection,
    layer: &LayerId,
    table: &Table,
) -> Result<(), CatalogError> {
    connection.execute("SET LOCAL lock_timeout = '5s'").await?;
    let arguments = [layer.as_str(), &table.key, &table.geometry].map(Quoted::literal).join(", ");
    for relation in relations(connection, table).await? {
        for (trigger, event, transition) in TRIGGERS {
            // ALWAYS: a session that replays as a replica is recorded too.
            let statement = format!(
                "CREATE OR REPLACE TRIGGER {trigger} AFTER {event} ON {relation} {transition} \
                    FOR EACH STATEMENT EXECUTE FUNCTION catalog.record_change({arguments}); \
                 ALTER TABLE {relation} ENABLE ALWAYS TRIGGER {trigger}"
            );
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Removes the triggers from the table and its partitions.
pub(super) async fn remove_triggers(connection: &mut PgConnection, table: &Table) -> Result<(), CatalogError> {
    for relation in relations(connection, table).await? {
        for (trigger, ..) in TRIGGERS {
            let statement = format!("DROP TRIGGER IF EXISTS {trigger} ON {relation}");
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// The tables (the layer's own or partitions of it) whose changes would go
/// unseen because a trigger is missing or disabled: a partition attached after
/// the layer was published, somebody's `DISABLE TRIGGER`.
pub async fn missing_triggers(connection: &mut PgConnection, table: &Table) -> Result<Vec<String>, CatalogError> {
    let names: Vec<String> = TRIGGERS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    Ok(sqlx::query_scalar(
        "SELECT tree.relid::regclass::text FROM pg_partition_tree(to_regclass($1)) AS tree \
         WHERE (SELECT count(*) FROM pg_trigger AS t \
                WHERE t.tgrelid = tree.relid AND t.tgname = ANY ($2) AND t.tgenabled = 'A') < cardinality($2) \
         UNION ALL \
         SELECT c.oid::regclass::text FROM pg_class AS c \
         WHERE c.oid = to_regclass($1) AND c.relkind = 'r' AND NOT c.relispartition \
           AND (SELECT count(*) FROM pg_trigger AS t \
                WHERE t.tgrelid = c.oid AND t.tgname = ANY ($2) AND t.tgenabled = 'A') < cardinality($2) \
         ORDER BY 1",
    )
    .bind(Quoted::new(table).relation)
    .bind(names)
    .fetch_all(connection)
    .await?)
}

/// The table itself and, where it is partitioned, every partition of it.
async fn relations(connection: &mut PgConnection, table: &Table) -> Result<Vec<String>, CatalogError> {
    let quoted = Quoted::new(table).relation;
    let mut relations: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_partition_tree(to_regclass($1)) AS tree \
         JOIN pg_class AS c ON c.oid = tree.relid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.oid <> to_regclass($1)",
    )
    .bind(&quoted)
    .fetch_all(connection)
    .await?;
    relations.insert(0, quoted);
    Ok(relations)
}
