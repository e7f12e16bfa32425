//! The catalogue: which layers there are.
//!
//! Reading goes through [`list`] and [`get`], which show a caller only what it
//! may see: layers, and of each layer the attributes. Managed layers are
//! written by imports through [`register`]; tables that already exist enter
//! through [`publish`].

mod capture;
mod error;
mod layer_change;
mod manage;
mod publish;
mod row;

use std::borrow::Cow;

use access::audit::{self, Action, Entry};
use access::{Caller, Database, MunicipalityCode, Visibility};
use serde_json::json;
use sqlx::PgConnection;

pub use capture::{install_triggers, missing_triggers};
pub use error::CatalogError;
pub use layer_change::{AttributeChange, LayerChange};
pub use manage::{Managed, change, get_managed, list_managed};
pub use publish::{Candidate, Publication, discover, publish, unpublish};
pub use row::Quoted;
pub(crate) use row::extent;

use crate::features;
use crate::{ChangeCapture, Dimension, Extent, GeometryType, Kind, Layer, LayerDefinition, LayerId, Table};

/// Every layer that the caller may see, by sector, then by title.
pub async fn list(caller: &Caller, db: &Database) -> Result<Vec<Layer>, CatalogError> {
    let rows = sqlx::query(row::SELECT).fetch_all(db.app()).await?;
    let mut layers = Vec::with_capacity(rows.len());
    for row in &rows {
        layers.extend(seen(row::layer(row)?, caller));
    }
    layers.sort_by_cached_key(|layer| (layer.definition.sector.rank(), layer.definition.title.es.to_lowercase()));
    Ok(layers)
}

/// One layer. A layer that the caller may not see is unknown to it.
pub async fn get(caller: &Caller, db: &Database, id: &LayerId) -> Result<Layer, CatalogError> {
    let row = sqlx::query(row::SELECT_ONE).bind(id.as_str()).fetch_optional(db.app()).await?;
    let layer = row.as_ref().map(row::layer).transpose()?;
    let unknown = || CatalogError::Unknown(id.clone());
    let layer = layer.ok_or_else(unknown)?;
    if !layer.is_seen_by(caller) {
        layer.note_denial(caller);
    }
    seen(layer, caller).ok_or_else(unknown)
}

fn seen(layer: Layer, caller: &Caller) -> Option<Layer> {
    let with_less = match layer.seen_by(caller)? {
        Cow::Borrowed(_) => None,
        Cow::Owned(with_less) => Some(with_less),
    };
    Some(with_less.unwrap_or(layer))
}

/// What an import knows of the managed layer that it filled.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The layer's id; its table is `geo.<id>`.
    pub id: LayerId,
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// The geometry type of the table's column.
    pub geometry_type: GeometryType,
    /// Its ordinates.
    pub dimension: Dimension,
    /// The source's CRS, as `EPSG:3116` or its WKT.
    pub declared_crs: String,
    /// What people say of it, with its attributes.
    pub definition: LayerDefinition,
}

impl Registration {
    /// The CRS of every managed layer: Origen Nacional.
    pub const STORAGE_SRID: i32 = 9377;

    /// The managed layer's table.
    pub fn table(&self) -> Table {
        managed_table(&self.id)
    }
}

/// The table of a managed layer: `geo.<id>`, key `fid`, geometry `geom`.
pub fn managed_table(id: &LayerId) -> Table {
    Table {
        schema: "geo".to_owned(),
        name: id.as_str().to_owned(),
        key: "fid".to_owned(),
        key_type: "bigint".to_owned(),
        geometry: "geom".to_owned(),
    }
}

/// Puts a managed layer into the catalogue, or replaces what is said of it,
/// and makes sure that its table's changes are recorded. Runs in the caller's
/// transaction, as `lindero_loader`, after the table exists.
pub async fn register(
    caller: &Caller,
    transaction: &mut PgConnection,
    registration: &Registration,
) -> Result<(), CatalogError> {
    caller.require_operator("register a layer")?;
    registration.definition.validate(true)?;
    let entry = row::Entry {
        id: &registration.id,
        municipality: &registration.municipality,
        kind: Kind::Managed,
        table: &registration.table(),
        geometry_type: registration.geometry_type,
        dimension: registration.dimension,
        storage_srid: Registration::STORAGE_SRID,
        declared_crs: &registration.declared_crs,
        definition: &registration.definition,
        change_capture: ChangeCapture::Triggers,
    };
    row::put(&mut *transaction, &entry).await?;
    install_triggers(&mut *transaction, &registration.id, Kind::Managed, &registration.table()).await
}

/// Counts a layer's features and measures its extent anew, in the caller's
/// transaction. `touched`: its content has just changed.
pub async fn refresh(
    caller: &Caller,
    transaction: &mut PgConnection,
    layer: &LayerId,
    touched: bool,
) -> Result<(i64, Option<Extent>), CatalogError> {
    caller.require_operator("measure a layer")?;
    let row = sqlx::query(row::SELECT_ONE).bind(layer.as_str()).fetch_optional(&mut *transaction).await?;
    let layer = row.as_ref().map(row::layer).transpose()?.ok_or_else(|| CatalogError::Unknown(layer.clone()))?;
    let (features, extent) = features::measure(&mut *transaction, &layer).await?;
    sqlx::query(
        "UPDATE catalog.layer SET feature_count = $2, west = $3, south = $4, east = $5, north = $6, \
            content_updated_at = CASE WHEN $7 THEN now() ELSE content_updated_at END WHERE id = $1",
    )
    .bind(layer.id.as_str())
    .bind(features)
    .bind(extent.map(|e| e.west))
    .bind(extent.map(|e| e.south))
    .bind(extent.map(|e| e.east))
    .bind(extent.map(|e| e.north))
    .bind(touched)
    .execute(transaction)
    .await?;
    Ok((features, extent))
}

/// Replaces what people say of a layer. Its attributes must still be those of
/// its table.
pub async fn describe(
    caller: &Caller,
    db: &Database,
    id: &LayerId,
    definition: &LayerDefinition,
) -> Result<(), CatalogError> {
    caller.require_operator("describe a layer")?;
    let layer = get(caller, db, id).await?;
    definition.validate(layer.kind == Kind::Managed)?;
    for attribute in &definition.attributes {
        let known = layer.definition.attribute(&attribute.name);
        if known.is_none_or(|known| known.kind != attribute.kind || known.column_type != attribute.column_type) {
            return Err(CatalogError::AttributeDiffers { layer: id.clone(), attribute: attribute.name.clone() });
        }
    }
    let mut transaction = db.loader().begin().await?;
    row::describe(&mut transaction, id, definition).await?;
    let detail = json!({ "visibility": definition.visibility, "subject": definition.subject,
        "dependency": definition.dependency, "above_public": above_public(definition) });
    let entry = Entry::of_layer(Action::DescribeLayer, &layer.municipality, id.as_str()).with(detail);
    audit::record(&mut transaction, caller, entry).await?;
    transaction.commit().await?;
    Ok(())
}

/// The attributes that not everybody sees.
fn above_public(definition: &LayerDefinition) -> Vec<&str> {
    let above = definition.attributes.iter().filter(|attribute| attribute.visibility > Some(Visibility::Publica));
    above.map(|attribute| attribute.name.as_str()).collect()
}

/// Removes a layer: a managed one with its table, a published one from the
/// catalogue only. What it held is gone when this returns, with its history.
pub async fn remove(caller: &Caller, db: &Database, id: &LayerId) -> Result<(), CatalogError> {
    caller.require_operator("remove a layer")?;
    let layer = get(caller, db, id).await?;
    if layer.kind == Kind::Published {
        return unpublish(caller, db, id).await;
    }
    let mut transaction = db.loader().begin().await?;
    sqlx::query("SET LOCAL lock_timeout = '5s'").execute(&mut *transaction).await?;
    for statement in [
        "DELETE FROM catalog.feature_version WHERE municipality = $1 AND layer = $2",
        "DELETE FROM catalog.layer WHERE municipality = $1 AND id = $2",
    ] {
        sqlx::query(statement).bind(layer.municipality.as_str()).bind(id.as_str()).execute(&mut *transaction).await?;
    }
    let table = row::Quoted::new(&layer.table);
    sqlx::query(sqlx::AssertSqlSafe(format!("DROP TABLE {}", table.relation))).execute(&mut *transaction).await?;
    let entry = Entry::of_layer(Action::RemoveLayer, &layer.municipality, id.as_str());
    audit::record(&mut transaction, caller, entry.with(json!({ "features": layer.feature_count }))).await?;
    transaction.commit().await?;
    Ok(())
}
