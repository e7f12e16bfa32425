use access::Database;
use sqlx::{Postgres, QueryBuilder, Row};

use super::Found;
use crate::catalog::{CatalogError, Quoted};
use crate::features::FeatureId;
use crate::{AttributeType, Kind, Layer};

/// A feature whose text matches, and how well.
pub(super) struct Match {
    pub(super) found: Found,
    /// 0: the whole text; 1: its beginning; 2: somewhere; 3: its words apart.
    pub(super) rank: i32,
    /// The text's length: of two that match alike the shorter is nearer.
    pub(super) length: i32,
}

/// More words than this add nothing.
const MOST_WORDS: usize = 8;
/// Letters of a trigram.
const TRIGRAM: usize = 3;
/// Of a text that so many features hold (the first digits of every número
/// predial), more need not be looked at to find some: whoever means one of
/// them types on. Measured on 196 949 predios that all match: 2.6 s without,
/// 0.08 s with it.
const CANDIDATES: i64 = 1000;

/// The form in which names are compared (see migrations, `catalog.search_key`).
pub(super) async fn search_key(db: &Database, text: &str) -> Result<String, CatalogError> {
    Ok(sqlx::query_scalar("SELECT catalog.search_key($1)").bind(text).fetch_one(db.app()).await?)
}

/// The layer's features of which one searched attribute holds every word of `key`.
pub(super) async fn in_layer(
    db: &Database,
    layer: &Layer,
    key: &str,
    limit: usize,
) -> Result<Vec<Match>, CatalogError> {
    let definition = &layer.definition;
    let mut columns: Vec<&str> = definition
        .label
        .iter()
        .chain(&definition.natural_key)
        .chain(&definition.search)
        .map(String::as_str)
        .filter(|name| definition.attribute(name).is_some_and(|attribute| attribute.kind == AttributeType::Text))
        .collect();
    columns.dedup();
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let rows = statement(layer, &columns, key, limit).build().fetch_all(db.app()).await?;
    let mut matches = Vec::with_capacity(rows.len());
    for row in rows {
        let id: String = row.try_get("id")?;
        let number = matches!(layer.table.key_type.as_str(), "bigint" | "integer" | "smallint");
        let matched: Option<String> = row.try_get("matched")?;
        let label: Option<String> = row.try_get("label")?;
        let matched = matched.unwrap_or_default();
        let (title, subtitle) = match label.filter(|label| !label.is_empty()) {
            Some(label) if label == matched => (label, row.try_get::<Option<String>, _>("other")?.unwrap_or_default()),
            Some(label) => (label, matched),
            None => (matched, String::new()),
        };
        matches.push(Match {
            found: Found::Feature {
                layer: layer.id.clone(),
                layer_title: definition.title.clone(),
                id: id.parse().ok().filter(|_| number).map_or(FeatureId::Text(id), FeatureId::Number),
                title,
                subtitle,
                bbox: crate::catalog::extent(&row)?,
            },
            rank: row.try_get("rank")?,
            length: row.try_get("length")?,
        });
    }
    Ok(matches)
}

/// Two branches a column, so that each can use the column's trigram index: the
/// whole text, and its words somewhere; of the latter no more than
/// [`CANDIDATES`] are looked at. A feature that several branches find counts
/// once, by its best.
fn statement(layer: &Layer, columns: &[&str], key: &str, limit: usize) -> QueryBuilder<Postgres> {
    let names = Quoted::new(&layer.table);
    let text_of = |column: &str| format!("{}::text", Quoted::identifier(column));
    let label = layer.definition.label.as_deref().map_or("NULL".to_owned(), text_of);
    // What tells two features of one name apart: the natural key, else the
    // first searched attribute that is not the label.
    let other = columns.iter().find(|name| Some(**name) != layer.definition.label.as_deref());
    let other = other.map_or("NULL".to_owned(), |name| text_of(name));

    let mut sql = QueryBuilder::new(
        "SELECT id, matched, label, other, rank, length, ST_XMin(box) AS west, ST_YMin(box) AS south, \
         ST_XMax(box) AS east, ST_YMax(box) AS north FROM (SELECT *, ST_Transform(envelope, 4326) AS box \
         FROM (SELECT DISTINCT ON (id) * FROM (",
    );
    for (index, column) in columns.iter().enumerate() {
        let searched = if layer.kind == Kind::Managed {
            format!("catalog.search_key({})", Quoted::identifier(column))
        } else {
            format!("catalog.search_key({})", text_of(column))
        };
        for whole in [true, false] {
            sql.push(if whole && index == 0 { "(" } else { " UNION ALL (" });
            sql.push("SELECT id, matched, label, other, envelope, CASE WHEN searched = ").push_bind(key.to_owned());
            sql.push(" THEN 0 WHEN starts_with(searched, ").push_bind(key.to_owned());
            sql.push(") THEN 1 WHEN strpos(searched, ").push_bind(key.to_owned());
            sql.push(format!(
                ") > 0 THEN 2 ELSE 3 END AS rank, length(searched) AS length FROM (SELECT {}::text AS id, {} AS matched, \
                 {label} AS label, {other} AS other, ST_Envelope({}) AS envelope, {searched} AS searched \
                 FROM {} WHERE ",
                names.key,
                text_of(column),
                names.geometry,
                names.relation
            ));
            if layer.kind == Kind::Managed {
                sql.push("municipality = ").push_bind(layer.municipality.as_str().to_owned()).push(" AND ");
            }
            if whole {
                sql.push(&searched).push(" = ").push_bind(key.to_owned());
                sql.push(" LIMIT ").push_bind(limit as i64);
            } else {
                for (word_index, word) in key.split(' ').take(MOST_WORDS).enumerate() {
                    sql.push(if word_index == 0 { "" } else { " AND " });
                    push_word(&searched, word, &mut sql);
                }
                sql.push(" LIMIT ").push_bind(CANDIDATES);
            }
            sql.push(") AS candidates ORDER BY rank, length LIMIT ").push_bind(limit as i64).push(")");
        }
    }
    sql.push(") AS branches ORDER BY id, rank, length) AS best ORDER BY rank, length LIMIT ");
    sql.push_bind(limit as i64).push(") AS nearest ORDER BY rank, length");
    sql
}

/// Whether a text holds the word: anywhere, or where it has no trigram of its
/// own for the index to find ("cl", "5"), at the beginning of a word.
fn push_word(searched: &str, word: &str, sql: &mut QueryBuilder<Postgres>) {
    // Letters and digits only: nothing in a word means something to LIKE.
    if word.len() >= TRIGRAM {
        sql.push(searched).push(" LIKE ").push_bind(format!("%{word}%"));
    } else {
        sql.push("(").push(searched).push(" LIKE ").push_bind(format!("{word}%"));
        sql.push(" OR ").push(searched).push(" LIKE ").push_bind(format!("% {word}%")).push(")");
    }
}
