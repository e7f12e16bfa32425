//! A table joined to a layer that is there: its columns become attributes of
//! the layer's features.

use layers::catalog::{self, Quoted};
use layers::{Attribute, AttributeType, Layer};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use super::child::Reading;
use super::difference::Written;
use super::load::{Ended, Findings, Load};
use super::protocol::Order;
use super::run::Stage;
use super::{ImportError, Join, Rejection, table};

/// Where the definition remembers which attribute a joined column became.
const JOINED: &str = "joined_attributes";

/// What the reader is told for a join.
pub(super) fn complete(order: &mut Order, layer: &Layer, join: &Join) {
    order.table = true;
    order.locate = matches!(join, Join::Location { .. });
    order.keep_empty = false;
    // Attributes that an earlier join brought keep their type.
    order.attributes =
        joined(layer).into_iter().map(|column| Attribute { name: column.staged, ..column.attribute }).collect();
    // The table is read whole; which of its columns become attributes is
    // decided when its header is known.
    order.closed = false;
    if let (Join::Key { column, .. }, Some(fields)) = (join, &mut order.fields)
        && !fields.iter().any(|field| layers::column_name(field) == layers::column_name(column))
    {
        fields.push(column.clone());
    }
}

/// The columns that earlier joins brought.
fn joined(layer: &Layer) -> Vec<Joined> {
    let Some(names) = layer.definition.metadata.get(JOINED).and_then(|names| names.as_object()) else {
        return Vec::new();
    };
    names
        .iter()
        .filter_map(|(staged, attribute)| {
            let attribute = layer.definition.attribute(attribute.as_str()?)?.clone();
            Some(Joined { staged: staged.clone(), attribute })
        })
        .collect()
}

/// One column of the table and the attribute that it becomes.
struct Joined {
    staged: String,
    attribute: Attribute,
}

pub(super) async fn run(
    load: &Load<'_>,
    connection: &mut PgConnection,
    reading: &mut Reading,
    findings: &mut Findings,
    layer: &Layer,
    join: &Join,
) -> Result<Written, Ended> {
    let attributes = findings.header.attributes.clone();
    let geometry = findings.header.geometry_type.map(|kind| (kind, findings.header.dimension));
    let key = match join {
        Join::Key { attribute, column } => Some(key(findings, layer, attribute, column)?),
        Join::Location { .. } if geometry.is_none() => {
            return Err(ImportError::Refused(
                "the table has no coordinates to join by: join it by key, with --on KEY".to_owned(),
            )
            .into());
        }
        Join::Location { .. } => None,
    };
    let columns = columns(findings, layer, key.as_ref().map(|(_, staged)| staged.as_str()));
    let staging = table::create_staging(connection, load.job, &attributes, geometry).await?;
    load.copy(connection, reading, findings, &staging, "").await?;

    load.progress.stage(Stage::Comparing);
    let new: Vec<Attribute> = columns
        .iter()
        .filter(|column| layer.definition.attribute(&column.attribute.name).is_none())
        .map(|column| column.attribute.clone())
        .collect();
    table::add_columns(connection, &layer.id, &new).await?;
    let target = Quoted::new(&layer.table).relation;
    table::with_short_lock(connection, &format!("LOCK TABLE {target} IN SHARE ROW EXCLUSIVE MODE")).await?;
    // Every staged row with the feature that it belongs to; null where none.
    let pairs = match (&key, join) {
        (Some((attribute, staged)), _) => {
            let (attribute, staged) = (Quoted::identifier(attribute), Quoted::identifier(staged));
            format!(
                "SELECT s.fid AS row, t.fid AS feature, s.{staged}::text AS value FROM {staging} AS s \
                 LEFT JOIN {target} AS t ON t.municipality = '{}' AND t.{attribute}::text = btrim(s.{staged}::text)",
                load.municipality
            )
        }
        (None, Join::Location { within, .. }) => format!(
            "SELECT s.fid AS row, t.fid AS feature, \
                round(ST_X(ST_Centroid(s.geom))) || ', ' || round(ST_Y(ST_Centroid(s.geom))) AS value FROM {staging} AS s \
             LEFT JOIN LATERAL (SELECT n.fid FROM {target} AS n WHERE n.municipality = '{}' \
                AND ST_DWithin(n.geom, s.geom, {within}) ORDER BY n.geom <-> s.geom, n.fid LIMIT 1) AS t ON true",
            load.municipality
        ),
        (None, Join::Key { .. }) => return Err(ImportError::NoKey(layer.id.clone()).into()),
    };
    let matched = Quoted::identifier(&format!("lindero_pairs_{}", load.job.simple()));
    let statement = format!("CREATE TEMPORARY TABLE {matched} ON COMMIT DROP AS {pairs}");
    connection.execute(AssertSqlSafe(statement)).await?;
    let rejected = unmatched(connection, &matched, findings, key.as_ref()).await?;
    load.reject_rows(findings, rejected)?;
    let sum = matches!(join, Join::Location { sum: true, .. });
    if !sum {
        let rejected = repeated(connection, &matched).await?;
        load.reject_rows(findings, rejected)?;
    }
    let written = update(connection, load, &columns, &target, &staging, &matched, sum).await?;
    table::execute(connection, format!("DROP TABLE {staging}")).await?;

    load.progress.stage(Stage::Finishing);
    let definition = describe(layer, &columns);
    if definition != layer.definition {
        load.register(connection, definition, (layer.geometry_type, layer.dimension), layer.declared_crs.clone())
            .await?;
    }
    catalog::refresh(load.caller, connection, &layer.id, true).await.map_err(ImportError::from)?;
    Ok(written)
}

/// The layer's key attribute and the staged column of the table's key.
fn key(findings: &Findings, layer: &Layer, attribute: &str, column: &str) -> Result<(String, String), ImportError> {
    let attribute = layers::column_name(attribute);
    if layer.definition.attribute(&attribute).is_none() {
        let names: Vec<&str> = layer.definition.attributes.iter().map(|known| known.name.as_str()).collect();
        return Err(ImportError::Refused(format!(
            "the layer {} has no attribute {attribute:?}; it has: {}",
            layer.id,
            names.join(", ")
        )));
    }
    let header = &findings.header;
    let place = header
        .sources
        .iter()
        .position(|source| source.as_deref() == Some(column))
        .or_else(|| {
            header.sources.iter().position(|source| {
                source.as_deref().is_some_and(|source| layers::column_name(source) == layers::column_name(column))
            })
        })
        .ok_or_else(|| {
            let names: Vec<&str> = header.sources.iter().flatten().map(String::as_str).collect();
            ImportError::Refused(format!("the table has no column {column:?}; it has: {}", names.join(", ")))
        })?;
    Ok((attribute, header.attributes[place].name.clone()))
}

/// Which attribute each column becomes: its own of an earlier join, else one
/// whose name the layer does not have.
fn columns(findings: &Findings, layer: &Layer, key: Option<&str>) -> Vec<Joined> {
    let earlier = joined(layer);
    let mut taken: Vec<String> = layer.definition.attributes.iter().map(|known| known.name.clone()).collect();
    let mut columns = Vec::new();
    for (attribute, source) in findings.header.attributes.iter().zip(&findings.header.sources) {
        if source.is_none() || key == Some(attribute.name.as_str()) {
            continue;
        }
        let staged = attribute.name.clone();
        let mut attribute = attribute.clone();
        if let Some(known) = earlier.iter().find(|known| known.staged == staged) {
            attribute.name.clone_from(&known.attribute.name);
        } else {
            let mut suffix = 2;
            while taken.contains(&attribute.name) {
                attribute.name = format!("{}_{suffix}", &staged[..staged.len().min(55)]);
                suffix += 1;
            }
            taken.push(attribute.name.clone());
        }
        attribute.required = false;
        columns.push(Joined { staged, attribute });
    }
    columns
}

async fn unmatched(
    connection: &mut PgConnection,
    matched: &str,
    findings: &Findings,
    key: Option<&(String, String)>,
) -> Result<Vec<Rejection>, ImportError> {
    let reason = match key {
        Some((attribute, _)) => format!("no feature of the layer has this value in {attribute}"),
        None => "no feature of the layer lies there".to_owned(),
    };
    let field = key.map(|(_, staged)| super::load::source_of(&findings.header, staged));
    let rows = sqlx::query(AssertSqlSafe(format!("DELETE FROM {matched} WHERE feature IS NULL RETURNING row, value")))
        .fetch_all(connection)
        .await?;
    rejections(&rows, field.as_deref(), &reason)
}

/// All but the first of several rows that go to one feature.
async fn repeated(connection: &mut PgConnection, matched: &str) -> Result<Vec<Rejection>, ImportError> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM {matched} AS m USING (SELECT row, feature, \
            row_number() OVER (PARTITION BY feature ORDER BY row) AS nth FROM {matched}) AS ranked \
         WHERE ranked.row = m.row AND ranked.feature = m.feature AND nth > 1 RETURNING m.row, m.value"
    )))
    .fetch_all(connection)
    .await?;
    rejections(&rows, None, "another row belongs to the same feature; --sum adds the numbers of such rows up")
}

fn rejections(
    rows: &[sqlx::postgres::PgRow],
    field: Option<&str>,
    reason: &str,
) -> Result<Vec<Rejection>, ImportError> {
    rows.iter()
        .map(|row| {
            Ok(Rejection {
                row: row.try_get::<i64, _>("row")?.unsigned_abs(),
                field: field.map(str::to_owned),
                reason: reason.to_owned(),
                value: row.try_get("value")?,
            })
        })
        .collect()
}

/// Writes the joined values where they differ. Features that no row belongs
/// to lose what an earlier join gave them.
async fn update(
    connection: &mut PgConnection,
    load: &Load<'_>,
    columns: &[Joined],
    target: &str,
    staging: &str,
    matched: &str,
    sum: bool,
) -> Result<Written, ImportError> {
    if columns.is_empty() {
        return Ok(Written::default());
    }
    let value = |column: &Joined| {
        let staged = format!("s.{}", Quoted::identifier(&column.staged));
        match column.attribute.kind {
            // Numbers of the rows of one feature are added up; of anything
            // else, what they agree on stays.
            AttributeType::Integer | AttributeType::Number if sum => {
                format!("sum({staged})::{}", column.attribute.kind.sql_type())
            }
            kind => format!(
                "CASE WHEN count(DISTINCT {staged}::text) = 1 THEN (array_agg({staged}))[1] END::{}",
                kind.sql_type()
            ),
        }
    };
    let named = |prefix: &str| -> Vec<String> {
        columns.iter().map(|column| format!("{prefix}{}", Quoted::identifier(&column.attribute.name))).collect()
    };
    let values: Vec<String> =
        columns.iter().zip(named("")).map(|(column, name)| format!("{} AS {name}", value(column))).collect();
    let fresh = Quoted::identifier(&format!("lindero_fresh_{}", load.job.simple()));
    let statement = format!(
        "CREATE TEMPORARY TABLE {fresh} ON COMMIT DROP AS SELECT m.feature, {} FROM {matched} AS m \
            JOIN {staging} AS s ON s.fid = m.row GROUP BY m.feature; ANALYZE {fresh}",
        values.join(", ")
    );
    connection.execute(AssertSqlSafe(statement)).await?;
    let municipality = &load.municipality;
    let row = sqlx::query(AssertSqlSafe(format!(
        "WITH changed AS (UPDATE {target} AS t SET ({names}) = ROW ({fresh_names}) \
            FROM {target} AS o LEFT JOIN {fresh} AS f ON f.feature = o.fid \
            WHERE t.municipality = '{municipality}' AND o.municipality = t.municipality AND o.fid = t.fid \
              AND ({own_names}) IS DISTINCT FROM ({fresh_names}) RETURNING 1) \
         SELECT (SELECT count(*) FROM changed) AS updated, (SELECT count(*) FROM {fresh}) AS matched",
        names = named("").join(", "),
        fresh_names = named("f.").join(", "),
        own_names = named("t.").join(", "),
    )))
    .fetch_one(connection)
    .await?;
    let number = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
    let updated = number("updated")?;
    Ok(Written { updated, unchanged: number("matched")?.saturating_sub(updated), ..Written::default() })
}

/// The definition with the joined attributes, remembered as such.
fn describe(layer: &Layer, columns: &[Joined]) -> layers::LayerDefinition {
    let mut definition = layer.definition.clone();
    let earlier = joined(layer);
    let mut names: serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
    for column in earlier.iter().chain(columns) {
        if definition.attribute(&column.attribute.name).is_none() {
            definition.attributes.push(column.attribute.clone());
        }
        names.insert(column.staged.clone(), column.attribute.name.clone().into());
    }
    definition.metadata.insert(JOINED.to_owned(), names.into());
    definition
}
