//! What is here? Every layer's features at a point.

use std::borrow::Cow;

use access::{Caller, Database};
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::catalog::{self, CatalogError, Quoted};
use crate::features::{Feature, InvalidQuery};
use crate::{Kind, Layer, crs, features};

/// Features a layer at most.
pub const MOST_FEATURES: usize = 20;

/// A point and how far around it to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    longitude: f64,
    latitude: f64,
    tolerance: f64,
}

impl Position {
    /// A point in CRS84 (degrees); points and lines count within `tolerance`
    /// metres (0 to 1 000), areas only where they hold the point.
    pub fn new(longitude: f64, latitude: f64, tolerance: f64) -> Result<Self, InvalidQuery> {
        for (parameter, value, range) in [
            ("lon", longitude, -180.0..=180.0),
            ("lat", latitude, -90.0..=90.0),
            ("tolerance", tolerance, 0.0..=1000.0),
        ] {
            if !range.contains(&value) {
                let reason = format!("expected a number between {} and {}", range.start(), range.end());
                return Err(InvalidQuery::new(parameter, reason));
            }
        }
        Ok(Self { longitude, latitude, tolerance })
    }
}

/// What one layer has at a position.
#[derive(Debug, Clone)]
pub struct Found {
    /// The layer.
    pub layer: Layer,
    /// Its features there, nearest first, at most [`MOST_FEATURES`].
    pub features: Vec<Feature>,
    /// Whether there are more.
    pub truncated: bool,
}

/// The features of `layers` at the position, layers without any left out.
pub async fn find(
    caller: &Caller,
    db: &Database,
    layers: &[Layer],
    position: Position,
) -> Result<Vec<Found>, CatalogError> {
    // Made before they are streamed: a closure that borrows would keep the
    // future from moving between threads.
    let seen = layers.iter().filter_map(|layer| layer.seen_by(caller)).map(Cow::into_owned);
    let looks: Vec<_> = seen.map(|layer| in_layer(db, layer, position)).collect();
    // A few connections at a time: a click must not take the whole pool.
    let found: Vec<Option<Found>> = stream::iter(looks).buffered(4).try_collect().await?;
    let found: Vec<Found> = found.into_iter().flatten().collect();
    for Found { layer, .. } in &found {
        layer.note_read(caller, "here", "")?;
    }
    Ok(found)
}

async fn in_layer(db: &Database, layer: Layer, position: Position) -> Result<Option<Found>, CatalogError> {
    let Position { longitude, latitude, tolerance } = position;
    if !crs::domain(layer.storage_srid).contains(longitude, latitude)
        || !crs::domain(crs::ORIGEN_NACIONAL).contains(longitude, latitude)
    {
        return Ok(None);
    }
    let names = Quoted::new(&layer.table);
    let mut sql = features::select(&layer, &names, None);
    sql.push(", (SELECT ST_Transform(ST_SetSRID(ST_MakePoint(").push_bind(longitude).push(", ").push_bind(latitude);
    sql.push("), 4326), 9377) AS point) AS \"lindero here\"(\"lindero point\") WHERE ");
    if layer.kind == Kind::Managed {
        sql.push("municipality = ").push_bind(layer.municipality.as_str().to_owned()).push(" AND ");
    }
    // Distances are metres on the national grid; a layer in another CRS is
    // found by its own index first, then measured there.
    let geometry = if layer.storage_srid == crs::ORIGEN_NACIONAL {
        sql.push(&names.geometry)
            .push(" && ST_Expand(\"lindero here\".\"lindero point\", ")
            .push_bind(tolerance)
            .push(")");
        names.geometry.clone()
    } else {
        sql.push(&names.geometry)
            .push(" && ST_Transform(ST_Expand(\"lindero here\".\"lindero point\", ")
            .push_bind(tolerance.max(0.01));
        sql.push("), ").push_bind(layer.storage_srid).push(")");
        format!("ST_Transform({}, 9377)", names.geometry)
    };
    sql.push(format!(" AND ST_DWithin({geometry}, \"lindero here\".\"lindero point\", CASE WHEN ST_Dimension({geometry}) = 2 THEN 0 ELSE "));
    sql.push_bind(tolerance).push(" END)");
    sql.push(format!(" ORDER BY ST_Distance({geometry}, \"lindero here\".\"lindero point\"), ")).push(&names.key);
    sql.push(" LIMIT ").push_bind(MOST_FEATURES as i64 + 1);
    let rows = sql.build().fetch_all(db.app()).await?;
    let truncated = rows.len() > MOST_FEATURES;
    let features =
        rows.iter().take(MOST_FEATURES).map(|row| features::feature(&layer, row)).collect::<Result<Vec<_>, _>>()?;
    Ok((!features.is_empty()).then_some(Found { layer, features, truncated }))
}

/// The layers of the catalogue with these ids, or all that the caller may see.
pub async fn layers(
    caller: &Caller,
    db: &Database,
    only: Option<&[crate::LayerId]>,
) -> Result<Vec<Layer>, CatalogError> {
    let all = catalog::list(caller, db).await?;
    let Some(ids) = only else { return Ok(all) };
    if let Some(unknown) = ids.iter().find(|id| !all.iter().any(|layer| layer.id == **id)) {
        return Err(CatalogError::Unknown(unknown.clone()));
    }
    Ok(all.into_iter().filter(|layer| ids.contains(&layer.id)).collect())
}
