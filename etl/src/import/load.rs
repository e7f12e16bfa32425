//! The database's side of an import: from the reader's frames to a committed
//! layer, in one transaction.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use access::audit::{self, Action, Entry};
use access::{Caller, MunicipalityCode};
use layers::catalog::{self, Registration};
use layers::history;
use layers::{Attribute, AttributeType, Layer, LayerDefinition, Text};
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::child::{Reading, file_name};
use super::difference::{self, Tables, Written};
use super::protocol::{Frame, Header, Order};
use super::rejects::Rejects;
use super::run::{Progress, Stage};
use super::{ImportError, ImportRequest, Mode, Rejection, Report, table};

/// The signature, flags and extension of PostgreSQL's binary COPY format.
const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The number of fields that ends it.
const COPY_TRAILER: &[u8] = &[0xff, 0xff];

/// Everything that one import goes by.
pub(super) struct Load<'a> {
    pub(super) caller: &'a Caller,
    pub(super) request: &'a ImportRequest,
    pub(super) job: Uuid,
    pub(super) existing: Option<Layer>,
    pub(super) municipality: MunicipalityCode,
    pub(super) progress: &'a dyn Progress,
    pub(super) done: &'a AtomicU64,
}

/// What has been found so far.
pub(super) struct Findings {
    pub(super) header: Header,
    pub(super) report: Report,
    rejects: Option<Rejects>,
    /// Rows that the database found wanting, to be written from the source.
    late: BTreeMap<u64, Rejection>,
    /// Rows that the reader sent.
    pub(super) sent: u64,
}

impl Load<'_> {
    pub(super) async fn run(
        self,
        connection: &mut PgConnection,
        mut order: Order,
        cancel: &CancellationToken,
    ) -> Result<Report, ImportError> {
        self.complete(&mut order)?;
        self.progress.stage(Stage::Reading);
        let mut reading = Reading::start(&self.request.reader, &order, cancel).await?;
        let header = match reading.frame().await? {
            Some(Frame::Header(header)) => *header,
            Some(Frame::Refused(refusal)) if refusal.layers.is_empty() => {
                return Err(ImportError::Refused(refusal.message));
            }
            Some(Frame::Refused(refusal)) => {
                return Err(ImportError::Layers { message: refusal.message, layers: refusal.layers });
            }
            _ => return Err(ImportError::Reader("it sent rows before it said what they are".to_owned())),
        };
        self.check_header(&header)?;
        let file = file_name(&self.request.file);
        let report =
            Report::new(self.request.target.clone(), self.municipality.clone(), file, self.request.mode, &header);
        let rejects = self.request.rejects.as_deref().map(|path| Rejects::create(path, &header)).transpose()?;
        let mut findings = Findings { header, report, rejects, late: BTreeMap::new(), sent: 0 };

        let mut transaction = connection.begin().await?;
        transaction
            .execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
            .await?;
        history::begin(self.caller, &mut transaction, history::Source::Import, Some(&findings.report.file)).await?;
        let outcome = match (&self.existing, &self.request.join) {
            (Some(layer), Some(join)) => {
                super::join::run(&self, &mut transaction, &mut reading, &mut findings, layer, join).await
            }
            (Some(layer), None) => self.change(&mut transaction, &mut reading, &mut findings, layer).await,
            (None, _) => self.create(&mut transaction, &mut reading, &mut findings).await,
        };
        drop(reading);
        if let Some(mut rejects) = findings.rejects.take() {
            self.write_late(order, &findings.late, &mut rejects, cancel).await?;
            rejects.finish()?;
        }
        let mut report = findings.report;
        report.rejections.sort_by_key(|rejection| rejection.row);
        match outcome {
            Ok(written) => {
                report.inserted = written.inserted;
                report.updated = written.updated;
                report.deleted = written.deleted;
                report.unchanged = written.unchanged;
                let entry = Entry { subject: self.job.to_string(), ..of_import(&report) };
                audit::record(&mut transaction, self.caller, entry).await?;
                transaction.commit().await?;
                report.committed = true;
                Ok(report)
            }
            Err(Ended::TooManyRejects) => {
                transaction.rollback().await?;
                Err(ImportError::TooManyRejects { allowed: self.request.max_rejects, report: Box::new(report) })
            }
            Err(Ended::Error(error)) => Err(error),
        }
    }

    /// The attributes and the geometry that are given before reading.
    fn complete(&self, order: &mut Order) -> Result<(), ImportError> {
        let said = self.request.definition.as_ref().map(|definition| definition.attributes.clone()).unwrap_or_default();
        let Some(layer) = &self.existing else {
            order.attributes = said;
            return Ok(());
        };
        let known = &layer.definition.attributes;
        if let Some(join) = &self.request.join {
            super::join::complete(order, layer, join);
            return Ok(());
        }
        let mut attributes = known.clone();
        for attribute in said {
            match attributes.iter_mut().find(|known| known.name == attribute.name) {
                Some(known) if known.kind != attribute.kind => {
                    return Err(ImportError::Refused(format!(
                        "the layer's attribute {:?} is of another type than the definition says: remove the layer and create \
                         it anew",
                        attribute.name
                    )));
                }
                Some(known) => *known = attribute,
                None => attributes.push(attribute),
            }
        }
        order.attributes = attributes;
        // Only a replacement may bring further attributes.
        order.closed = self.request.mode != Mode::Replace;
        order.geometry_type = Some(layer.geometry_type);
        order.dimension = Some(layer.dimension);
        Ok(())
    }

    /// Bounds what an untrusted reader may make us do.
    fn check_header(&self, header: &Header) -> Result<(), ImportError> {
        let names_are_ours = header.attributes.iter().all(|attribute| {
            attribute.name == layers::column_name(&attribute.name)
                && !LayerDefinition::RESERVED_COLUMNS.contains(&attribute.name.as_str())
        });
        if header.attributes.len() > 1_500 {
            return Err(ImportError::Refused(format!(
                "the source has {} fields, more than the 1500 that a table may have: choose some with --fields",
                header.attributes.len()
            )));
        }
        if !names_are_ours || header.sources.len() != header.attributes.len() {
            return Err(ImportError::Reader("it described columns that cannot be".to_owned()));
        }
        if header.geometry_type.is_none() && self.request.join.is_none() {
            return Err(ImportError::Refused(
                "the source has no geometry: join it to a layer with --join LAYER --on KEY".to_owned(),
            ));
        }
        Ok(())
    }

    /// A layer that was not there.
    async fn create(
        &self,
        connection: &mut PgConnection,
        reading: &mut Reading,
        findings: &mut Findings,
    ) -> Result<Written, Ended> {
        let definition = self.definition(&findings.header, None)?;
        let geometry_type =
            findings.header.geometry_type.ok_or_else(|| ImportError::Reader("no geometry".to_owned()))?;
        let geometry = (geometry_type, findings.header.dimension);
        let attributes = findings.header.attributes.clone();
        let relation =
            table::create(connection, &self.request.target, &self.municipality, &attributes, geometry).await?;
        // FREEZE: nobody can see the table before the commit, and everybody after.
        self.copy(connection, reading, findings, &relation, "FREEZE").await?;
        if let Some(key) = &definition.natural_key {
            let source = source_of(&findings.header, key);
            let rejected = difference::reject_duplicates(connection, &relation, key, &source, false).await?;
            self.reject_rows(findings, rejected)?;
        }
        self.progress.stage(Stage::Indexing);
        table::finish(connection, &self.request.target, &definition, &self.municipality).await?;
        self.progress.stage(Stage::Finishing);
        let declared_crs = findings.header.declared_crs.clone().unwrap_or_default();
        self.register(connection, definition, geometry, declared_crs).await?;
        let (features, _) =
            catalog::refresh(self.caller, connection, &self.request.target, true).await.map_err(ImportError::from)?;
        Ok(Written { inserted: features.unsigned_abs(), ..Written::default() })
    }

    /// A layer that is there: the difference.
    async fn change(
        &self,
        connection: &mut PgConnection,
        reading: &mut Reading,
        findings: &mut Findings,
        layer: &Layer,
    ) -> Result<Written, Ended> {
        let definition = self.definition(&findings.header, Some(layer))?;
        let mode = self.request.mode;
        let key = definition.natural_key.clone();
        if mode == Mode::Upsert && key.is_none() {
            return Err(ImportError::NoKey(layer.id.clone()).into());
        }
        if let (Some(key), Mode::Upsert | Mode::Append) = (&key, mode)
            && !findings.header.attributes.iter().any(|attribute| attribute.name == *key)
        {
            return Err(ImportError::Refused(format!("the source has no field for the layer's key {key:?}")).into());
        }
        let attributes = findings.header.attributes.clone();
        let geometry = (layer.geometry_type, layer.dimension);
        let staging = table::create_staging(connection, self.job, &attributes, Some(geometry)).await?;
        self.copy(connection, reading, findings, &staging, "").await?;

        self.progress.stage(Stage::Comparing);
        let added: Vec<Attribute> =
            attributes.iter().filter(|new| layer.definition.attribute(&new.name).is_none()).cloned().collect();
        table::add_columns(connection, &layer.id, &added).await?;
        let tables = Tables {
            layer: &layer.id,
            municipality: &self.municipality,
            staging: &staging,
            attributes: &attributes,
            geometry: true,
        };
        if let Some(key) = &key {
            let source = source_of(&findings.header, key);
            let mut rejected =
                difference::reject_duplicates(connection, &staging, key, &source, mode == Mode::Upsert).await?;
            if mode == Mode::Append {
                rejected.extend(difference::reject_known(connection, &tables, key, &source).await?);
            }
            self.reject_rows(findings, rejected)?;
        }
        let written = match (&key, mode) {
            (Some(key), _) => difference::by_key(connection, &tables, key, mode).await?,
            (None, Mode::Replace) => difference::by_content(connection, &tables).await?,
            (None, _) => difference::append_all(connection, &tables).await?,
        };
        table::execute(connection, format!("DROP TABLE {staging}")).await?;
        self.progress.stage(Stage::Finishing);
        table::ensure_search_indexes(connection, &layer.id, &definition).await?;
        let changed = written.inserted + written.updated + written.deleted > 0;
        if changed {
            table::execute(connection, format!("ANALYZE {}", catalog::Quoted::new(&layer.table).relation)).await?;
        }
        if definition != layer.definition {
            self.register(connection, definition, geometry, layer.declared_crs.clone()).await?;
        }
        // The content was looked at and is current, changed or not.
        catalog::refresh(self.caller, connection, &layer.id, true).await.map_err(ImportError::from)?;
        Ok(written)
    }

    /// What is said of the layer, with the attributes that it now has.
    fn definition(&self, header: &Header, layer: Option<&Layer>) -> Result<LayerDefinition, ImportError> {
        let mut definition = match (&self.request.definition, layer) {
            (Some(definition), _) => definition.clone(),
            (None, Some(layer)) => layer.definition.clone(),
            (None, None) => LayerDefinition::default(),
        };
        if definition.title.is_empty() {
            let stem = self.request.file.file_stem().unwrap_or_default().to_string_lossy().replace('_', " ");
            definition.title = layer.map_or_else(|| Text::same(stem.trim()), |layer| layer.definition.title.clone());
        }
        // In the order of the table: those of the layer first.
        let mut attributes = layer.map(|layer| layer.definition.attributes.clone()).unwrap_or_default();
        for attribute in &header.attributes {
            match attributes.iter_mut().find(|known| known.name == attribute.name) {
                Some(known) => known.clone_from(attribute),
                None => attributes.push(attribute.clone()),
            }
        }
        definition.attributes = attributes;
        if let Some(key) = &self.request.key {
            definition.natural_key = Some(layers::column_name(key));
        }
        if definition.label.is_none() && layer.is_none() {
            definition.label = likely_label(&definition.attributes);
        }
        definition.validate(true)?;
        Ok(definition)
    }

    pub(super) async fn register(
        &self,
        connection: &mut PgConnection,
        definition: LayerDefinition,
        (geometry_type, dimension): (layers::GeometryType, layers::Dimension),
        declared_crs: String,
    ) -> Result<(), ImportError> {
        let registration = Registration {
            id: self.request.target.clone(),
            municipality: self.municipality.clone(),
            geometry_type,
            dimension,
            declared_crs,
            definition,
        };
        Ok(catalog::register(self.caller, connection, &registration).await?)
    }

    /// Takes the reader's rows into a table. Ends with an error where more
    /// were rejected than allowed, after having seen them all.
    pub(super) async fn copy(
        &self,
        connection: &mut PgConnection,
        reading: &mut Reading,
        findings: &mut Findings,
        relation: &str,
        options: &str,
    ) -> Result<(), Ended> {
        self.progress.stage(Stage::Loading);
        let mut columns = vec!["fid".to_owned()];
        columns.extend(table::names(&findings.header.attributes, ""));
        if findings.header.geometry_type.is_some() {
            columns.push("geom".to_owned());
        }
        let options = if options.is_empty() { String::new() } else { format!(", {options}") };
        let statement = format!("COPY {relation} ({}) FROM STDIN (FORMAT binary{options})", columns.join(", "));
        let mut copy = connection.copy_in_raw(&statement).await.map_err(ImportError::from)?;
        copy.send(COPY_HEADER).await.map_err(ImportError::from)?;
        let total = findings.header.count;
        loop {
            match reading.frame().await? {
                Some(Frame::Rows(count, tuples)) => {
                    findings.sent += u64::from(count);
                    // Too many rejected: the rest is read for the report only.
                    if findings.report.rejected <= self.request.max_rejects {
                        copy.send(tuples).await.map_err(ImportError::from)?;
                    }
                    let done = findings.sent + findings.report.rejected;
                    self.done.store(done, Ordering::Relaxed);
                    self.progress.rows(done, total);
                }
                Some(Frame::Rejected(row)) => {
                    if let Some(rejects) = &mut findings.rejects {
                        rejects.add(&row)?;
                    }
                    findings.report.reject(row.rejection);
                }
                Some(Frame::Done(summary)) => {
                    findings.report.read = summary.read;
                    findings.report.repaired = summary.repaired;
                    findings.report.repairs = summary.repairs;
                    findings.report.warnings.extend(summary.warnings);
                    break;
                }
                Some(Frame::Refused(refusal)) => return Err(ImportError::Refused(refusal.message).into()),
                Some(Frame::Header(_)) | None => {
                    return Err(ImportError::Reader("it sent frames out of order".to_owned()).into());
                }
            }
        }
        if findings.report.rejected > self.request.max_rejects {
            copy.abort("too many rows were rejected").await.map_err(ImportError::from)?;
            return Err(Ended::TooManyRejects);
        }
        copy.send(COPY_TRAILER).await.map_err(ImportError::from)?;
        copy.finish().await.map_err(ImportError::from)?;
        Ok(())
    }

    /// Writes the rows that the database found wanting as the source has them:
    /// the source is read once more for them.
    async fn write_late(
        &self,
        mut order: Order,
        late: &BTreeMap<u64, Rejection>,
        rejects: &mut Rejects,
        cancel: &CancellationToken,
    ) -> Result<(), ImportError> {
        if late.is_empty() {
            return Ok(());
        }
        order.echo = late.keys().copied().collect();
        let mut reading = Reading::start(&self.request.reader, &order, cancel).await?;
        loop {
            match reading.frame().await? {
                Some(Frame::Rejected(mut row)) => {
                    if let Some(rejection) = late.get(&row.rejection.row) {
                        row.rejection.clone_from(rejection);
                        rejects.add(&row)?;
                    }
                }
                Some(Frame::Header(_)) => {}
                _ => return Ok(()),
            }
        }
    }

    /// Counts rows that the database found wanting.
    pub(super) fn reject_rows(&self, findings: &mut Findings, rejections: Vec<Rejection>) -> Result<(), Ended> {
        for rejection in rejections {
            if findings.rejects.is_some() {
                findings.late.insert(rejection.row, rejection.clone());
            }
            findings.report.reject(rejection);
        }
        if findings.report.rejected > self.request.max_rejects { Err(Ended::TooManyRejects) } else { Ok(()) }
    }
}

/// What the audit trail has of an import, whose job's record has the rest.
pub(super) fn of_import(report: &Report) -> Entry<'_> {
    let detail = json!({ "mode": report.mode, "inserted": report.inserted, "updated": report.updated,
        "deleted": report.deleted, "unchanged": report.unchanged, "rejected": report.rejected });
    Entry::of_layer(Action::Import, &report.municipality, report.layer.as_str()).with(detail)
}

/// Why a load did not come to its end.
pub(super) enum Ended {
    TooManyRejects,
    Error(ImportError),
}

impl<E: Into<ImportError>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// The source's name of an attribute.
pub(super) fn source_of(header: &Header, attribute: &str) -> String {
    let place = header.attributes.iter().position(|known| known.name == attribute);
    place.and_then(|place| header.sources[place].clone()).unwrap_or_else(|| attribute.to_owned())
}

/// The attribute that names a feature, by its own name.
fn likely_label(attributes: &[Attribute]) -> Option<String> {
    let texts = || attributes.iter().filter(|attribute| attribute.kind == AttributeType::Text);
    ["nombre", "name", "nom", "barrio", "via", "etiqueta", "label"]
        .into_iter()
        .find_map(|wanted| texts().find(|attribute| attribute.name == wanted))
        .or_else(|| texts().find(|attribute| attribute.name.starts_with("nom")))
        .map(|attribute| attribute.name.clone())
}
