use std::path::PathBuf;

use access::{Caller, MunicipalityCode};
use chrono::Utc;
use clap::{Args, Subcommand};
use layers::catalog::{self, Publication};
use layers::{Layer, LayerId};
use sqlx::{Connection, PgConnection};

use super::description::{self, Description};
use super::{CommandError, Outcome, with_database};
use crate::config::Config;
use crate::database::Session;

/// `lindero layer`: the catalogue on the command line.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the layers, by sector.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show all that is known of a layer.
    Show {
        /// The layer.
        layer: LayerId,
        /// Its definition as TOML, to be edited and given to `layer describe`.
        #[arg(long)]
        toml: bool,
    },
    /// Replace what is said of a layer: titles, attributes' titles, domains, visibility.
    Describe {
        /// The layer.
        layer: LayerId,
        /// The definition, in TOML.
        definition: PathBuf,
    },
    /// Remove a layer, with its features where they are ours.
    Remove {
        /// The layers.
        #[arg(required = true)]
        layers: Vec<LayerId>,
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// List the tables and views of the database that could be published.
    Discover,
    /// Publish a table or view of the database as it is, in its own coordinate system.
    Publish(Box<Publish>),
    /// Take a published table out of the catalogue; the table stays.
    Unpublish {
        /// The layer.
        layer: LayerId,
    },
}

#[derive(Debug, Args)]
pub(super) struct Publish {
    /// The table or view: schema.name, or a name in `public`.
    table: String,
    /// The layer's id. Default: the table's name.
    #[arg(long = "as", value_name = "LAYER")]
    id: Option<LayerId>,
    /// Whose data it holds. Default: the only municipality known.
    #[arg(long, value_name = "CODE")]
    municipality: Option<MunicipalityCode>,
    /// The column whose values identify a row, where there is no primary key.
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
    /// The geometry column, where there are several.
    #[arg(long, value_name = "COLUMN")]
    geometry: Option<String>,
    #[command(flatten)]
    description: Description,
}

pub(super) async fn run(command: Command, config: &Config) -> Result<Outcome, CommandError> {
    with_database(config, async |session| act(command, session).await).await
}

async fn act(command: Command, session: &Session) -> Result<Outcome, CommandError> {
    let caller = &Caller::OPERATOR;
    let db = session.database();
    match command {
        Command::List { json } => {
            let layers = catalog::list(caller, db).await?;
            if json {
                let list: Vec<_> = layers.iter().map(summary).collect();
                println!("{}", serde_json::to_string_pretty(&list).unwrap_or_default());
            } else if layers.is_empty() {
                println!("There are no layers. `lindero import FILE` makes one, `lindero demo` a whole city.");
            } else {
                list(&layers);
            }
        }
        Command::Show { layer, toml } => {
            let layer = catalog::get(caller, db, &layer).await?;
            if toml {
                print!("{}", toml::to_string_pretty(&layer.definition).unwrap_or_default());
            } else {
                show(&layer);
            }
        }
        Command::Describe { layer, definition } => {
            let definition = description::read(&definition)?;
            catalog::describe(caller, db, &layer, &definition).await?;
            println!("The layer {layer} is described anew.");
        }
        Command::Remove { layers, yes } => {
            for id in layers {
                let layer = catalog::get(caller, db, &id).await?;
                if !yes && !confirmed(&layer)? {
                    println!("{id}: kept.");
                    continue;
                }
                catalog::remove(caller, db, &id).await?;
                println!("{id}: removed.");
            }
        }
        Command::Discover => {
            let mut admin = admin(session).await?;
            let candidates = catalog::discover(caller, &mut admin).await?;
            admin.close().await?;
            if candidates.is_empty() {
                println!("The database holds no tables or views with geometries that are not layers already.");
            }
            for candidate in candidates {
                println!(
                    "{}.{}  ({}, {}{} in {}, {}{})",
                    candidate.table.schema,
                    candidate.table.name,
                    candidate.relation_kind,
                    candidate.geometry_type.code(),
                    candidate.dimension.suffix(),
                    if candidate.srid == 0 { "an unknown CRS".to_owned() } else { format!("EPSG:{}", candidate.srid) },
                    if candidate.table.key.is_empty() {
                        "no key: publish it with --key".to_owned()
                    } else {
                        format!("key {}", candidate.table.key)
                    },
                    if candidate.estimated_rows > 0 {
                        format!(", about {} rows", candidate.estimated_rows)
                    } else {
                        String::new()
                    },
                );
            }
        }
        Command::Publish(options) => return publish(caller, *options, session).await,
        Command::Unpublish { layer } => {
            catalog::unpublish(caller, db, &layer).await?;
            println!("{layer}: taken out of the catalogue; its table stays.");
        }
    }
    Ok(Outcome::Done)
}

async fn publish(caller: &Caller, options: Publish, session: &Session) -> Result<Outcome, CommandError> {
    let db = session.database();
    let (schema, name) = options.table.split_once('.').unwrap_or(("public", &options.table));
    let id = options.id.map_or_else(|| LayerId::suggested_by(name), Ok).map_err(CommandError::Identifier)?;
    let known = layers::municipality::list(caller, db).await?;
    let municipality = match (options.municipality, &known[..]) {
        (Some(code), _) => code,
        (None, [only]) => only.code.clone(),
        (None, _) => {
            eprintln!("lindero: say whose data it holds with --municipality CODE (DIVIPOLA, as 73001).");
            return Ok(Outcome::Code(1));
        }
    };
    let publication = Publication {
        id: id.clone(),
        municipality,
        schema: schema.to_owned(),
        name: name.to_owned(),
        key: options.key,
        geometry: options.geometry,
        definition: options.description.definition()?,
    };
    let mut admin = admin(session).await?;
    let capture = catalog::publish(caller, &mut admin, &publication).await?;
    admin.close().await?;
    println!(
        "{schema}.{name} is the layer {id}; its changes are seen {}.",
        if capture == layers::ChangeCapture::Triggers { "as they happen" } else { "by comparison, now and then" }
    );
    Ok(Outcome::Done)
}

/// A connection with the rights of whoever owns the tables.
async fn admin(session: &Session) -> Result<PgConnection, CommandError> {
    Ok(PgConnection::connect_with(&session.database().target().admin_options()).await?)
}

fn confirmed(layer: &Layer) -> Result<bool, CommandError> {
    eprint!("Remove the layer {} with its {} features? [y/N] ", layer.id, layer.feature_count);
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(CommandError::Output)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "s" | "si" | "sí"))
}

fn list(layers: &[Layer]) {
    let width = layers.iter().map(|layer| layer.id.as_str().len()).max().unwrap_or(0);
    let mut sector = "";
    for layer in layers {
        if sector != layer.definition.sector.code() {
            sector = layer.definition.sector.code();
            println!("{}", layer.definition.sector.title().es);
        }
        println!(
            "  {:width$}  {:>8} {}{}  {}{}  {}",
            layer.id.as_str(),
            layer.feature_count,
            layer.geometry_type.code(),
            layer.dimension.suffix(),
            layer.visibility(),
            if layer.is_overdue(Utc::now()) { ", overdue" } else { "" },
            layer.definition.title.es,
        );
    }
}

fn summary(layer: &Layer) -> serde_json::Value {
    serde_json::json!({
        "id": layer.id,
        "municipality": layer.municipality,
        "kind": layer.kind,
        "table": format!("{}.{}", layer.table.schema, layer.table.name),
        "geometry_type": layer.geometry_type,
        "dimension": layer.dimension,
        "storage_srid": layer.storage_srid,
        "declared_crs": layer.declared_crs,
        "feature_count": layer.feature_count,
        "extent": layer.extent,
        "change_capture": layer.change_capture,
        "content_updated_at": layer.content_updated_at,
        "overdue": layer.is_overdue(Utc::now()),
        "definition": layer.definition,
    })
}

fn show(layer: &Layer) {
    let definition = &layer.definition;
    println!("{}  {}", layer.id, definition.title.es);
    let extent = layer.extent.map(|e| format!("{:.5}, {:.5}, {:.5}, {:.5}", e.west, e.south, e.east, e.north));
    for (what, value) in [
        ("description", definition.description.es.clone()),
        ("municipality", layer.municipality.to_string()),
        ("sector", definition.sector.title().es),
        ("visibility", layer.visibility().to_string()),
        ("subject", layer.subject().to_string()),
        ("table", format!("{}.{} ({})", layer.table.schema, layer.table.name, layer.kind.code())),
        ("geometry", format!("{}{}", layer.geometry_type.code(), layer.dimension.suffix())),
        ("CRS of the source", layer.declared_crs.clone()),
        ("features", layer.feature_count.to_string()),
        ("extent", extent.unwrap_or_default()),
        ("natural key", definition.natural_key.clone().unwrap_or_default()),
        ("label", definition.label.clone().unwrap_or_default()),
        ("dependency", definition.dependency.clone()),
        ("custodian", definition.custodian.clone()),
        ("source", definition.source.clone()),
        ("changes seen by", layer.change_capture.code().to_owned()),
        ("content of", layer.content_updated_at.format("%Y-%m-%d %H:%M:%S UTC").to_string()),
    ] {
        if !value.is_empty() {
            println!("  {what:18} {value}");
        }
    }
    println!("  attributes");
    for attribute in &definition.attributes {
        println!(
            "    {:30} {:?}{}{}",
            attribute.name,
            attribute.kind,
            attribute.unit.as_deref().map(|unit| format!(" [{unit}]")).unwrap_or_default(),
            if attribute.title.es.is_empty() { String::new() } else { format!("  {}", attribute.title.es) },
        );
    }
}
