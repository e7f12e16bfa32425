use std::path::PathBuf;
use std::sync::Arc;

use access::{Caller, MunicipalityCode};
use clap::Args;
use etl::demo::{City, DemoLayer, Size};
use etl::import::{ImportError, ImportRequest, Quiet, Reader, Report};
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use layers::catalog;
use tokio_util::sync::CancellationToken;

use super::interrupt::interrupted;
use super::{CommandError, Outcome, demo_accounts, with_database};
use crate::config::Config;
use crate::database::Session;

/// `lindero demo`: the demonstration city, loaded as a user would load files.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The city: ibague or cucuta.
    #[arg(long, default_value = "ibague")]
    city: City,

    /// How much of it: small (about 20 000 predios) or full (about 200 000).
    #[arg(long, default_value = "small")]
    size: Size,

    /// The seed from which everything follows.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Keep the generated files in this folder. Default: a temporary one.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,

    /// Remove a demonstration city that is loaded, then load this one.
    #[arg(long)]
    replace: bool,

    /// Also make accounts to try it with, and print their passwords. Not on a server that others reach.
    #[arg(long)]
    accounts: bool,
}

/// Where a layer's definition remembers which city it is of.
const MARKER: &str = "lindero_demo";
/// How many imports run at once: one reads while another builds its indexes.
const AT_ONCE: usize = 2;

pub(super) async fn run(options: Options, config: &Config) -> Result<Outcome, CommandError> {
    with_database(config, async |session| {
        let outcome = act(&options, session).await?;
        if options.accounts && outcome == Outcome::Done {
            demo_accounts::make(&Caller::OPERATOR, session.database()).await?;
        }
        Ok(outcome)
    })
    .await
}

async fn act(options: &Options, session: &Session) -> Result<Outcome, CommandError> {
    let caller = &Caller::OPERATOR;
    let db = session.database();
    let cancel = interrupted();
    let marker = format!(
        "{} {} {} {}",
        options.city.code(),
        if options.size == Size::Full { "full" } else { "small" },
        options.seed,
        env!("CARGO_PKG_VERSION")
    );
    let layers = catalog::list(caller, db).await?;
    let demo: Vec<_> = layers.iter().filter(|layer| layer.definition.metadata.contains_key(MARKER)).collect();
    let same = |layer: &&&layers::Layer| {
        layer.definition.metadata.get(MARKER).and_then(|value| value.as_str()) == Some(marker.as_str())
    };
    let complete = demo.iter().any(|layer| layer.definition.metadata.contains_key(COMPLETE));
    if !demo.is_empty() && demo.iter().all(|layer| same(&layer)) && complete {
        println!("The demonstration city {} is loaded already ({} layers).", options.city.name(), demo.len());
        return Ok(Outcome::Done);
    }
    let unfinished = !demo.is_empty() && demo.iter().all(|layer| same(&layer));
    if !demo.is_empty() && !unfinished && !options.replace {
        eprintln!(
            "lindero: another demonstration city is loaded (layer {} and {} more). Add --replace to remove it first, or use \
             another data folder with LINDERO_DATA_DIR.",
            demo[0].id,
            demo.len() - 1
        );
        return Ok(Outcome::Code(1));
    }
    for layer in demo {
        catalog::remove(caller, db, &layer.id).await?;
    }

    let scratch;
    let folder = if let Some(folder) = &options.folder {
        folder.clone()
    } else {
        scratch = tempfile::tempdir().map_err(CommandError::Runtime)?;
        scratch.path().to_owned()
    };
    let started = std::time::Instant::now();
    let generated = generate(options, folder).await?;
    let own: Vec<_> = catalog::list(caller, db).await?;
    if let Some(taken) = generated.iter().find(|layer| own.iter().any(|own| own.id == layer.id)) {
        eprintln!(
            "lindero: there is a layer {} already that is not of a demonstration city. Remove it with `lindero layer remove \
             {}`, or use another data folder with LINDERO_DATA_DIR.",
            taken.id, taken.id
        );
        return Ok(Outcome::Code(1));
    }
    let bar = ProgressBar::new(generated.len() as u64);
    bar.set_style(style("{prefix:12} {bar:30} {pos}/{len} {msg}"));
    bar.set_prefix("loading");
    let count = generated.len();
    let code: MunicipalityCode = options
        .city
        .code()
        .parse()
        .map_err(|error: access::InvalidMunicipality| CommandError::Demo(error.to_string()))?;
    let reader = Reader::this_program().map_err(CommandError::Runtime)?;
    let loads = generated.into_iter().enumerate().map(|(place, layer)| {
        let mut request = ImportRequest::new(&layer.file, layer.id.clone(), reader.clone());
        request.source_layer = Some(layer.table.clone());
        request.municipality = Some(code.clone());
        let mut definition = layer.definition.clone();
        definition.metadata.insert(MARKER.to_owned(), marker.clone().into());
        if place + 1 == count {
            definition.metadata.insert(COMPLETE.to_owned(), true.into());
        }
        request.definition = Some(definition);
        request
    });
    let mut requests: Vec<ImportRequest> = loads.collect();
    // The last one says that the city is whole: it waits for the others.
    let last = requests.pop();
    let bar = Arc::new(bar);
    let mut features = 0;
    for batch in [requests, last.into_iter().collect()] {
        let mut running = futures::stream::iter(batch)
            .map(|request| load(caller, session, request, cancel.clone(), Arc::clone(&bar)))
            .buffer_unordered(AT_ONCE);
        while let Some(outcome) = running.next().await {
            match outcome {
                Ok(report) => features += report.inserted,
                Err((_, ImportError::Cancelled)) => {
                    cancel.cancel();
                    bar.finish_and_clear();
                    eprintln!("Stopped. What was loaded stays; the same command goes on from there.");
                    return Ok(Outcome::Code(130));
                }
                Err((file, source)) => {
                    bar.finish_and_clear();
                    return Err(CommandError::Import { file, source });
                }
            }
        }
    }
    bar.finish_and_clear();
    println!(
        "The demonstration city {} is loaded: {count} layers, {features} features, in {:.0} s.",
        options.city.name(),
        started.elapsed().as_secs_f64()
    );
    Ok(Outcome::Done)
}

/// Marks the layer that was loaded last.
const COMPLETE: &str = "lindero_demo_complete";

async fn load(
    caller: &Caller,
    session: &Session,
    request: ImportRequest,
    cancel: CancellationToken,
    bar: Arc<ProgressBar>,
) -> Result<Report, (PathBuf, ImportError)> {
    bar.set_message(request.target.to_string());
    let outcome = etl::import::run(caller, session.database(), &request, &Quiet, cancel).await;
    bar.inc(1);
    outcome.map_err(|error| (request.file, error))
}

async fn generate(options: &Options, folder: PathBuf) -> Result<Vec<DemoLayer>, CommandError> {
    let (city, size, seed) = (options.city, options.size, options.seed);
    let generated = tokio::task::spawn_blocking(move || {
        let bar = ProgressBar::new(1);
        bar.set_style(style("{prefix:12} {bar:30} {pos}/{len} {msg}"));
        bar.set_prefix("generating");
        let outcome = etl::demo::generate(city, size, seed, &folder, &mut |stage, done, of| {
            bar.set_message(stage.to_owned());
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        outcome
    })
    .await;
    match generated {
        Ok(outcome) => outcome.map_err(|error| CommandError::Demo(error.to_string())),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
