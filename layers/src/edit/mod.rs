//! Editing a layer's features (OGC API Features, part 4): one or many, in one
//! transaction, all or nothing.
//!
//! Before anything is written every edit is looked at, and everything that is
//! wrong with any of them is said at once: features that somebody else changed
//! meanwhile ([`EditError::Changed`]), rules of the layer that are broken
//! ([`EditError::Broken`]).

mod check;
mod draft;
mod geometry;
mod properties;
mod table;
mod violation;

use std::collections::{BTreeMap, HashSet};

use access::audit::{self, Action};
use access::{Caller, Database, Denied, Permission};
use serde_json::{Value as Json, json};
use sqlx::PgConnection;
use thiserror::Error;

use self::check::Planned;
pub use self::draft::{Draft, Edit};
use self::geometry::{Drawn, Placing};
use self::properties::Schema;
use self::table::Current;
pub use self::violation::{Rule, Violation};
use crate::catalog::{self, CatalogError};
use crate::features::Feature;
use crate::history::{self, Source};
use crate::{Kind, Layer, LayerId, municipality};

/// Edits of one batch at most.
pub const MOST: usize = 1000;
/// The characters of a reason at most.
pub const MOST_REASON: usize = 500;

/// What an edit has done.
#[derive(Debug, Clone)]
pub struct Edited {
    /// The feature.
    pub id: i64,
    /// As it is now; none where it is gone.
    pub feature: Option<Feature>,
}

/// A feature that is another than the editor thought.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// Which edit, from 0.
    pub edit: usize,
    /// The feature.
    pub id: i64,
    /// As it is now; none where it is gone.
    pub now: Option<Feature>,
}

/// Why nothing was edited.
#[derive(Debug, Error)]
pub enum EditError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The layer is none, or cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The layer's table is not ours.
    #[error(
        "the layer {0} cannot be edited here: it reads a table that is kept elsewhere, or has measures (M); change it \
         where it is kept"
    )]
    NotWritable(LayerId),
    /// More edits than [`MOST`], or none.
    #[error("a batch has 1 to {MOST} edits, this one has {0}")]
    Count(usize),
    /// Two edits are of one feature.
    #[error("the edit {edit} is of the feature {id}, as one before it")]
    Twice {
        /// The second, from 0.
        edit: usize,
        /// The feature.
        id: i64,
    },
    /// The reason is longer than [`MOST_REASON`].
    #[error("the reason has more than {MOST_REASON} characters")]
    Reason,
    /// Features are others than the editor thought.
    #[error("{} of the features changed meanwhile", .0.len())]
    Changed(Vec<Conflict>),
    /// Rules of the layer are broken.
    #[error("{} rules of the layer are broken", .0.len())]
    Broken(Vec<Violation>),
    /// The database refused or could not be reached.
    #[error("the features could not be edited: {0}")]
    Database(#[from] sqlx::Error),
}

impl Layer {
    /// Whether the caller may edit its features, and they can be edited here.
    pub fn is_editable_by(&self, caller: &Caller) -> bool {
        self.is_writable() && caller.may(Permission::EditFeatures, &self.scope())
    }

    fn is_writable(&self) -> bool {
        self.kind == Kind::Managed && !self.dimension.has_m()
    }
}

/// The layer, for whoever may edit its features.
pub async fn editable(caller: &Caller, db: &Database, layer: &LayerId) -> Result<Layer, EditError> {
    let layer = catalog::get(caller, db, layer).await?;
    if !caller.may(Permission::EditFeatures, &layer.scope()) {
        let action = "edit this layer's features";
        audit::note_denial(caller, action, Some(&layer.scope()));
        return Err(Denied { action }.into());
    }
    if layer.is_writable() { Ok(layer) } else { Err(EditError::NotWritable(layer.id)) }
}

/// Edits a layer's features, all or none, and says what each has become, in
/// the order of the edits. `reason` is kept with the versions.
///
/// What the caller may not see of a feature stays as it is.
pub async fn apply(
    caller: &Caller,
    db: &Database,
    layer: &LayerId,
    edits: &[Edit],
    reason: Option<&str>,
) -> Result<Vec<Edited>, EditError> {
    apply_near(caller, db, layer, edits, reason, &[]).await
}

/// The same, with geometries (WKB: in longitude and latitude, and as the
/// layer's table has them) whose vertices are the layer's too.
pub(crate) async fn apply_near(
    caller: &Caller,
    db: &Database,
    layer: &LayerId,
    edits: &[Edit],
    reason: Option<&str>,
    known: &[(Vec<u8>, Vec<u8>)],
) -> Result<Vec<Edited>, EditError> {
    let layer = editable(caller, db, layer).await?;
    if edits.is_empty() || edits.len() > MOST {
        return Err(EditError::Count(edits.len()));
    }
    if reason.is_some_and(|reason| reason.chars().count() > MOST_REASON) {
        return Err(EditError::Reason);
    }
    let touched = touched(edits)?;

    let mut transaction = db.app().begin().await?;
    let changeset = history::begin(caller, &mut transaction, Source::Api, reason).await?;
    if !layer.definition.topology.is_empty() {
        // What must hold between features holds only if no other is added meanwhile.
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('lindero edit ' || $1, 0))")
            .bind(layer.id.as_str())
            .execute(&mut *transaction)
            .await?;
    }
    let current = table::lock(&mut transaction, &layer, &touched).await?;
    let mut vertices = Placing::new(&layer);
    for (lonlat, stored) in known {
        vertices.learn(lonlat, stored).map_err(CatalogError::corrupt)?;
    }
    let conflicts = conflicts(&layer, edits, &current);
    if !conflicts.is_empty() {
        return Err(EditError::Changed(conflicts));
    }
    let plan = plan(caller, db, &mut transaction, &layer, edits, &current, vertices).await?;
    let edited = write(&mut transaction, &layer, edits, &plan).await?;
    let mut entry = audit::Entry::done(
        Action::EditFeatures,
        if let [one] = &edited[..] { one.id.to_string() } else { String::new() },
    );
    entry.municipality = Some(&layer.municipality);
    entry.layer = Some(layer.id.as_str());
    audit::record(&mut transaction, caller, entry.with(told(edits, changeset))).await?;
    transaction.commit().await?;
    Ok(edited)
}

/// The features that the edits are of, each once.
fn touched(edits: &[Edit]) -> Result<Vec<i64>, EditError> {
    let mut known = HashSet::new();
    let mut touched = Vec::new();
    for (edit, id) in edits.iter().enumerate().filter_map(|(index, edit)| Some((index, edit.id()?))) {
        if !known.insert(id) {
            return Err(EditError::Twice { edit, id });
        }
        touched.push(id);
    }
    Ok(touched)
}

fn conflicts(layer: &Layer, edits: &[Edit], current: &BTreeMap<i64, Current>) -> Vec<Conflict> {
    let conflict = |(edit, wanted): (usize, &Edit)| {
        let id = wanted.id()?;
        let now = current.get(&id).map(|current| &current.feature);
        let is_it = match wanted.expected() {
            Some(expected) => now.is_some_and(|now| expected.includes(&now.tag(layer))),
            None => now.is_none(),
        };
        (!is_it).then(|| Conflict { edit, id, now: now.cloned() })
    };
    edits.iter().enumerate().filter_map(conflict).collect()
}

/// What is to be written.
struct Plan {
    created: Planned,
    changed: Planned,
    deleted: Vec<i64>,
}

/// Looks at every edit; fails with all that is wrong with them.
async fn plan(
    caller: &Caller,
    db: &Database,
    connection: &mut PgConnection,
    layer: &Layer,
    edits: &[Edit],
    current: &BTreeMap<i64, Current>,
    vertices: Placing<'_>,
) -> Result<Plan, EditError> {
    let schema = Schema::of(layer)?;
    let area = municipality::list(caller, db).await?;
    let area = area.into_iter().find(|known| known.code == layer.municipality).map(|known| known.extent);
    let mut violations = Vec::new();
    let mut all = Planned::default();
    let mut deleted = Vec::new();
    let touched: Vec<i64> = current.keys().copied().collect();
    // Drawn geometries, and of which planned feature each is.
    let (mut drawn, mut drawn_of) = (Vec::new(), Vec::new());
    for (index, edit) in edits.iter().enumerate() {
        let (draft, was) = match edit {
            Edit::Delete { id, .. } => {
                deleted.push(*id);
                continue;
            }
            Edit::Create { draft, .. } | Edit::Replace { draft, .. } => (draft, None),
            Edit::Update { id, draft, .. } => (draft, current.get(id)),
        };
        let was_values = was.map(|was| &was.feature.values[..]);
        all.edits.push(i32::try_from(index).unwrap_or(i32::MAX));
        all.ids.push(edit.id());
        all.are_new.push(edit.expected().is_none());
        all.values.push(schema.values(index, &draft.properties, was_values, &mut violations));
        all.geometries.push(None);
        let stays = matches!(edit, Edit::Update { .. }) && draft.geometry.is_none();
        match draft.geometry.as_ref().filter(|said| !said.is_null()) {
            None if stays => {}
            None => violations.push(Violation::of_geometry(index, None, Rule::Required)),
            Some(said) => match read(layer, said, area) {
                Ok(geometry) => {
                    drawn.push(geometry);
                    drawn_of.push(all.edits.len() - 1);
                }
                Err((position, rule)) => violations.push(Violation::of_geometry(index, position, rule)),
            },
        }
    }
    let placed = place(connection, layer, &drawn, current, vertices).await?;
    for (at, placed) in drawn_of.into_iter().zip(placed) {
        match placed {
            Ok(geometry) => all.geometries[at] = Some(geometry),
            Err(rule) => violations.push(Violation::of_geometry(all.edits[at] as usize, None, rule)),
        }
    }
    let invalid = check::validity(connection, layer, &all).await?;
    if invalid.is_empty() {
        violations.extend(check::topology(db, connection, layer, &all, &touched).await?);
    }
    violations.extend(invalid);
    violations.extend(check::keys(connection, layer, &all, &touched).await?);
    if !violations.is_empty() {
        violations.sort_by(|a, b| (a.edit, &a.pointer).cmp(&(b.edit, &b.pointer)));
        return Err(EditError::Broken(violations));
    }
    let (created, changed) = all.split();
    Ok(Plan { created, changed, deleted })
}

fn read(layer: &Layer, said: &Json, area: Option<crate::Extent>) -> Result<Drawn, (Option<[f64; 2]>, Rule)> {
    let drawn = Drawn::read(layer, said).map_err(|rule| (None, rule))?;
    match area.and_then(|area| drawn.outside(area)) {
        Some(position) => Err((Some(position), Rule::Bounds)),
        None => Ok(drawn),
    }
}

/// The drawn geometries as EWKB, with the vertices of what is there.
async fn place(
    connection: &mut PgConnection,
    layer: &Layer,
    drawn: &[Drawn],
    current: &BTreeMap<i64, Current>,
    mut vertices: Placing<'_>,
) -> Result<Vec<Result<Vec<u8>, Rule>>, EditError> {
    if drawn.is_empty() {
        return Ok(Vec::new());
    }
    let around = table::around(connection, layer, drawn).await?;
    let own = current.values().filter_map(|was| Some((was.feature.geometry.as_ref()?, was.stored.as_ref()?)));
    for (lonlat, stored) in own.chain(around.iter().map(|(lonlat, stored)| (lonlat, stored))) {
        vertices.learn(lonlat, stored).map_err(CatalogError::corrupt)?;
    }
    Ok(vertices.place(drawn).map_err(CatalogError::corrupt)?)
}

/// Writes what was planned: what goes first, so that its keys are free.
async fn write(
    connection: &mut PgConnection,
    layer: &Layer,
    edits: &[Edit],
    plan: &Plan,
) -> Result<Vec<Edited>, EditError> {
    table::delete(connection, layer, &plan.deleted).await?;
    if !plan.changed.edits.is_empty() {
        table::update(connection, layer, &plan.changed).await?;
    }
    let created = if plan.created.edits.is_empty() {
        Vec::new()
    } else {
        table::insert(connection, layer, &plan.created).await?
    };
    let changed = plan.changed.ids.iter().flatten().chain(&created).copied().collect::<Vec<_>>();
    let mut now = table::read(connection, layer, &changed).await?;
    let mut created = created.into_iter();
    let edited = edits.iter().filter_map(|edit| {
        let id = if edit.expected().is_none() { created.next() } else { edit.id() }?;
        Some(Edited { id, feature: now.remove(&id) })
    });
    Ok(edited.collect())
}

/// What the audit trail tells of a batch.
fn told(edits: &[Edit], changeset: i64) -> Json {
    let count = |is: fn(&Edit) -> bool| edits.iter().filter(|edit| is(edit)).count();
    json!({
        "source": "api",
        "changeset": changeset,
        "created": count(|edit| matches!(edit, Edit::Create { .. })),
        "changed": count(|edit| matches!(edit, Edit::Replace { .. } | Edit::Update { .. })),
        "deleted": count(|edit| matches!(edit, Edit::Delete { .. })),
    })
}
