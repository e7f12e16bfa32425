//! The municipalities that this server holds data of.

use access::{Caller, Database, MunicipalityCode};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::Extent;
use crate::catalog::CatalogError;

/// A municipality as the server knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Municipality {
    /// Its DIVIPOLA code.
    pub code: MunicipalityCode,
    /// Its name: Ibagué.
    pub name: String,
    /// Its department: Tolima.
    pub department: String,
    /// How many people live there, where known.
    pub inhabitants: Option<i32>,
    /// Where its data must lie (CRS84).
    pub extent: Extent,
}

/// Every municipality, by code.
pub async fn list(_caller: &Caller, db: &Database) -> Result<Vec<Municipality>, CatalogError> {
    let rows = sqlx::query(
        "SELECT code, name, department, inhabitants, west, south, east, north FROM catalog.municipality ORDER BY code",
    )
    .fetch_all(db.app())
    .await?;
    rows.iter().map(from_row).collect()
}

/// Adds a municipality, or changes what is known of it.
pub async fn put(caller: &Caller, db: &Database, municipality: &Municipality) -> Result<(), CatalogError> {
    caller.require_operator("change a municipality")?;
    let Extent { west, south, east, north } = municipality.extent;
    sqlx::query(
        "INSERT INTO catalog.municipality (code, name, department, inhabitants, west, south, east, north) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (code) DO UPDATE SET name = excluded.name, department = excluded.department, \
            inhabitants = excluded.inhabitants, west = excluded.west, south = excluded.south, \
            east = excluded.east, north = excluded.north",
    )
    .bind(municipality.code.as_str())
    .bind(&municipality.name)
    .bind(&municipality.department)
    .bind(municipality.inhabitants)
    .bind(west)
    .bind(south)
    .bind(east)
    .bind(north)
    .execute(db.loader())
    .await?;
    Ok(())
}

fn from_row(row: &PgRow) -> Result<Municipality, CatalogError> {
    let code: String = row.try_get("code")?;
    Ok(Municipality {
        code: code.parse().map_err(CatalogError::corrupt)?,
        name: row.try_get("name")?,
        department: row.try_get("department")?,
        inhabitants: row.try_get("inhabitants")?,
        extent: Extent {
            west: row.try_get("west")?,
            south: row.try_get("south")?,
            east: row.try_get("east")?,
            north: row.try_get("north")?,
        },
    })
}
