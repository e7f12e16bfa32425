//! The triggers that record a table's changes (design: flow 2), and those that
//! keep the versions of a managed layer's features.

use access::database::Role;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::{CatalogError, Quoted};
use crate::{Kind, LayerId, Table};

/// A trigger's name, when it fires, the transition tables that it sees.
type Trigger = (&'static str, &'static str, &'static str);

const NEW: &str = "REFERENCING NEW TABLE AS new_rows";
const OLD: &str = "REFERENCING OLD TABLE AS old_rows";
const BOTH: &str = "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows";

/// Those that append to the change log.
const RECORD: [Trigger; 4] = [
    ("lindero_record_insert", "AFTER INSERT", NEW),
    ("lindero_record_update", "AFTER UPDATE", BOTH),
    ("lindero_record_delete", "AFTER DELETE", OLD),
    ("lindero_record_truncate", "AFTER TRUNCATE", ""),
];

/// Those that keep versions. What is truncated is seen before only.
const KEEP: [Trigger; 4] = [
    ("lindero_keep_insert", "AFTER INSERT", NEW),
    ("lindero_keep_update", "AFTER UPDATE", BOTH),
    ("lindero_keep_delete", "AFTER DELETE", OLD),
    ("lindero_keep_truncate", "BEFORE TRUNCATE", ""),
];

/// The triggers on the table of such a layer.
fn triggers(kind: Kind) -> impl Iterator<Item = Trigger> {
    let kept = if kind == Kind::Managed { &KEEP[..] } else { &[] };
    RECORD.iter().chain(kept).copied()
}

/// Makes the triggers on the table and on each of its partitions (a write to a
/// partition fires the partition's own, a write to the parent the parent's).
/// From the first time on a managed layer has a history. `connection` must be
/// of the table's owner. May be run again at any time.
///
/// Waits at most 5 s for a busy table in its transaction.
pub async fn install_triggers(
    connection: &mut PgConnection,
    layer: &LayerId,
    kind: Kind,
    table: &Table,
) -> Result<(), CatalogError> {
    connection.execute("SET LOCAL lock_timeout = '5s'").await?;
    let id = Quoted::literal(layer.as_str());
    let record = [layer.as_str(), &table.key, &table.geometry].map(Quoted::literal).join(", ");
    for relation in relations(connection, table).await? {
        for (trigger, event, transition) in triggers(kind) {
            let function = match trigger.strip_prefix("lindero_keep_") {
                Some(kept) => format!("catalog.keep_{kept}({id})"),
                None => format!("catalog.record_change({record})"),
            };
            // ALWAYS: a session that replays as a replica is recorded too.
            let statement = format!(
                "CREATE OR REPLACE TRIGGER {trigger} {event} ON {relation} {transition} \
                    FOR EACH STATEMENT EXECUTE FUNCTION {function}; \
                 ALTER TABLE {relation} ENABLE ALWAYS TRIGGER {trigger}"
            );
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        }
    }
    if kind == Kind::Managed {
        // What is truncated is read by the trigger's owner.
        let grant = format!("GRANT SELECT ON {} TO {}", Quoted::new(table).relation, Role::Owner.name());
        connection.execute(AssertSqlSafe(grant)).await?;
        sqlx::query(
            "UPDATE catalog.layer SET history_since = clock_timestamp() WHERE id = $1 AND history_since IS NULL",
        )
        .bind(layer.as_str())
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// Removes the triggers from the table and its partitions.
pub(super) async fn remove_triggers(connection: &mut PgConnection, table: &Table) -> Result<(), CatalogError> {
    for relation in relations(connection, table).await? {
        for (trigger, ..) in RECORD {
            let statement = format!("DROP TRIGGER IF EXISTS {trigger} ON {relation}");
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// The tables (the layer's own or partitions of it) whose changes would go
/// unseen because a trigger is missing or disabled: a partition attached after
/// the layer was published, somebody's `DISABLE TRIGGER`.
pub async fn missing_triggers(
    connection: &mut PgConnection,
    kind: Kind,
    table: &Table,
) -> Result<Vec<String>, CatalogError> {
    let names: Vec<String> = triggers(kind).map(|(name, ..)| name.to_owned()).collect();
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
