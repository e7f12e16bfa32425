//! Where a layer's features are.

use access::{Caller, Database};
use sqlx::{Connection, PgConnection, QueryBuilder, Row};

use super::FeatureError;
use super::read::check;
use crate::catalog::{self, Quoted};
use crate::{Extent, Kind, Layer, crs};

/// Whether the envelope of any feature meets the box (longitude and latitude).
/// With an index on the geometries, as every managed layer has, this costs
/// less than a millisecond.
pub async fn any_within(caller: &Caller, db: &Database, layer: &Layer, area: Extent) -> Result<bool, FeatureError> {
    check(caller, layer)?;
    let Some(area) = area.intersection(crs::domain(layer.storage_srid)) else { return Ok(false) };
    let names = Quoted::new(&layer.table);
    let mut sql = QueryBuilder::new("SELECT EXISTS (SELECT FROM ");
    sql.push(&names.relation).push(" WHERE ").push(&names.geometry).push(" && ");
    crs::push_box(area, layer.storage_srid, &mut sql);
    if layer.kind == Kind::Managed {
        sql.push(" AND municipality = ").push_bind(layer.municipality.as_str().to_owned());
    }
    sql.push(")");
    Ok(sql.build_query_scalar().fetch_one(db.app()).await?)
}

/// The features' extent as it is now; none where there are no features. Reads
/// the whole layer: seconds for millions of features.
pub async fn extent(caller: &Caller, db: &Database, layer: &Layer) -> Result<Option<Extent>, FeatureError> {
    check(caller, layer)?;
    let mut connection = db.app().acquire().await?;
    let mut transaction = connection.begin_with("BEGIN READ ONLY; SET LOCAL statement_timeout = 0").await?;
    let (_, extent) = measure(&mut transaction, layer).await?;
    transaction.commit().await?;
    Ok(extent)
}

/// Counts a layer's features and measures their extent.
pub(crate) async fn measure(
    connection: &mut PgConnection,
    layer: &Layer,
) -> Result<(i64, Option<Extent>), sqlx::Error> {
    // The extent of the envelopes' corners in the storage CRS, transformed as
    // a polygon with more vertices: its edges bend in longitude and latitude.
    let Quoted { relation, geometry, .. } = Quoted::new(&layer.table);
    let mut sql = QueryBuilder::new(format!(
        "WITH measured AS (SELECT count(*) AS features, ST_Extent({geometry})::geometry AS extent FROM {relation}"
    ));
    if layer.kind == Kind::Managed {
        sql.push(" WHERE municipality = ").push_bind(layer.municipality.as_str().to_owned());
    }
    sql.push(
        "), around AS (SELECT features, CASE WHEN ST_Dimension(extent) = 2 \
            THEN ST_Segmentize(extent, greatest(ST_Perimeter(extent) / 256, 1e-9)) ELSE extent END AS extent FROM measured), \
         lonlat AS (SELECT features, ST_Transform(ST_SetSRID(extent, ",
    );
    sql.push_bind(layer.storage_srid).push(
        "), 4326) AS box FROM around) \
         SELECT features, ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north FROM lonlat",
    );
    let measured = sql.build().fetch_one(connection).await?;
    Ok((measured.try_get("features")?, catalog::extent(&measured)?))
}
