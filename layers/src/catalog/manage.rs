//! Administering a layer: what whoever manages it sees of it, and what it may
//! say of it anew. What is above the caller's clearance does not exist for it,
//! here as elsewhere, and stays as it is.

use access::audit::{self, Action, Entry};
use access::{Caller, Database, Denied, Permission};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::layer_change::{LayerChange, apply};
use super::{CatalogError, get, list, row, seen};
use crate::{Expected, Kind, Layer, LayerDefinition, LayerId};

/// A layer as whoever manages it sees it.
#[derive(Debug, Clone)]
pub struct Managed {
    /// The layer.
    pub layer: Layer,
    /// What its description is as of: whoever changes it says which one he saw.
    pub version: String,
}

impl Managed {
    fn new(layer: Layer) -> Result<Self, CatalogError> {
        let version = version(&layer.definition)?;
        Ok(Self { layer, version })
    }
}

/// Equal for equal descriptions. Of what the caller sees alone: what it does not
/// see it cannot overwrite either.
fn version(definition: &LayerDefinition) -> Result<String, CatalogError> {
    let text = serde_json::to_vec(definition).map_err(CatalogError::corrupt)?;
    let digest = Sha256::digest(text);
    Ok(hex::encode(&digest[..16]))
}

/// The layers that the caller manages, by sector, then by title.
pub async fn list_managed(caller: &Caller, db: &Database) -> Result<Vec<Managed>, CatalogError> {
    caller.require_somewhere(Permission::ManageLayers, "manage layers")?;
    let layers = list(caller, db).await?;
    let managed = layers.into_iter().filter(|layer| caller.may(Permission::ManageLayers, &layer.scope()));
    managed.map(Managed::new).collect()
}

/// One layer that the caller manages.
pub async fn get_managed(caller: &Caller, db: &Database, id: &LayerId) -> Result<Managed, CatalogError> {
    caller.require_somewhere(Permission::ManageLayers, "manage layers")?;
    let layer = get(caller, db, id).await?;
    require(caller, &layer)?;
    Managed::new(layer)
}

/// Says anew what a layer is, as far as `change` names it. `expected` is the
/// version that the caller saw: refused where it is another one by now. None
/// where the layer is above the caller's clearance from now on.
pub async fn change(
    caller: &Caller,
    db: &Database,
    id: &LayerId,
    expected: &Expected,
    change: &LayerChange,
) -> Result<Option<Managed>, CatalogError> {
    caller.require_somewhere(Permission::ManageLayers, "manage layers")?;
    // As the owner of the catalogue's rows: whoever answers requests only reads them.
    let mut transaction = db.loader().begin().await?;
    sqlx::query("SET LOCAL lock_timeout = '5s'").execute(&mut *transaction).await?;
    let before = locked(&mut transaction, id).await?;
    let mine = seen(before.clone(), caller).ok_or_else(|| {
        before.note_denial(caller);
        CatalogError::Unknown(id.clone())
    })?;
    require(caller, &mine)?;
    if !expected.includes(&version(&mine.definition)?) {
        return Err(CatalogError::Changed(id.clone()));
    }
    let definition = apply(&before.definition, &mine.definition, change, before.kind == Kind::Managed)?;
    let after = Layer { definition, ..before };
    if !caller.may(Permission::ManageLayers, &after.scope()) {
        return Err(caller.denied("give the layer to a dependency whose layers you do not manage").into());
    }
    row::describe(&mut transaction, id, &after.definition).await?;
    let entry = Entry {
        municipality: Some(&after.municipality),
        layer: Some(id.as_str()),
        ..Entry::done(Action::DescribeLayer, id.as_str())
    };
    let detail = json!({
        "members": change.members(),
        "visibility": { "from": mine.definition.visibility, "to": after.definition.visibility },
        "attributes": change.attributes.iter().map(|attribute| {
            let visibility = after.definition.attribute(&attribute.name).and_then(|now| now.visibility);
            json!({ "name": attribute.name, "visibility": visibility })
        }).collect::<Vec<_>>(),
    });
    audit::record(&mut transaction, caller, entry.with(detail)).await?;
    transaction.commit().await?;
    seen(after, caller).map(Managed::new).transpose()
}

fn require(caller: &Caller, layer: &Layer) -> Result<(), Denied> {
    if caller.may(Permission::ManageLayers, &layer.scope()) {
        Ok(())
    } else {
        audit::note_denial(caller, "manage this layer", Some(&layer.scope()));
        Err(Denied { action: "manage this layer" })
    }
}

/// The layer, and nobody else changes it until the transaction's end.
async fn locked(connection: &mut PgConnection, id: &LayerId) -> Result<Layer, CatalogError> {
    let row =
        sqlx::query(row::SELECT_ONE_TO_CHANGE).bind(id.as_str()).fetch_optional(connection).await.map_err(|error| {
            match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
                // lock_not_available: an import is at its end, or somebody else saves.
                Some("55P03") => CatalogError::Busy(id.clone()),
                _ => error.into(),
            }
        })?;
    row.as_ref().map(row::layer).transpose()?.ok_or_else(|| CatalogError::Unknown(id.clone()))
}
