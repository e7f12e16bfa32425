use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use access::{Caller, Database, Visibility};
use clap::Args;
use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};
use layers::{Layer, LayerId, catalog, municipality};
use tempfile::TempDir;
use tiles::archive::{self, ArchiveError, Contents, Progress, Report, Served, Target};
use tiles::engine::{IndexedTiles, Limits};

use super::interrupt::interrupted;
use super::{CommandError, Outcome, with_database};
use crate::config::Config;
use crate::database::Session;

/// Tiles that the database cuts at a time, for layers without an index: enough
/// to keep it busy beside a server that needs it too.
const AT_ONCE: usize = 2;

/// `lindero export`: layers become a file.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct Options {
    /// The layers, in the order in which they are to be in the tiles.
    #[arg(value_name = "LAYER", required_unless_present = "all")]
    layers: Vec<LayerId>,

    /// Every layer that the public may see; with --private, every layer.
    #[arg(long, conflicts_with = "layers")]
    all: bool,

    /// As vector tiles: one PMTiles v3 archive (WebMercatorQuad, MVT), for
    /// MapLibre, QGIS and others to read from a disk or any web server.
    #[arg(long, required = true)]
    tiles: bool,

    /// The file to write.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

    /// What the archive is called. Default: the layer's title, or of several
    /// the municipality's name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// The lowest zoom.
    #[arg(long, value_name = "ZOOM", default_value_t = 0)]
    min_zoom: u8,

    /// The highest zoom; viewers enlarge its tiles beyond. Each zoom more is
    /// about four times the tiles. Default: the lowest at which every feature is
    /// in them as it is, 15 where the layer says nothing else.
    #[arg(long, value_name = "ZOOM")]
    max_zoom: Option<u8>,

    /// Replace the file where it exists.
    #[arg(long)]
    overwrite: bool,

    /// Export layers that the public may not see, too.
    #[arg(long)]
    private: bool,
}

pub(super) async fn run(options: Options, config: &Config) -> Result<Outcome, CommandError> {
    with_database(config, async |session| act(&options, config, session).await).await
}

async fn act(options: &Options, config: &Config, session: &Session) -> Result<Outcome, CommandError> {
    let cancel = interrupted();
    let database = session.database();
    let layers = options.layers(database).await?;
    let caller = &options.caller(&layers)?;
    let name = options.name(&layers, database).await?;
    let bar = Bar::new(&subject(&layers));
    let begun = Instant::now();
    let outcome = tokio::select! {
        outcome = write(options, config, database, &layers, caller, &name, &bar) => Some(outcome),
        () = cancel.cancelled() => None,
    };
    bar.0.finish_and_clear();
    let Some(outcome) = outcome else {
        eprintln!("{}: stopped; nothing of it is left.", options.output.display());
        return Ok(Outcome::Code(130));
    };
    let Report { tiles, zooms, bytes } = outcome?;
    println!(
        "{}: {tiles} tiles of {}, zooms {} to {}, {}, in {:.1} s",
        options.output.display(),
        subject(&layers),
        zooms.start(),
        zooms.end(),
        DecimalBytes(bytes),
        begun.elapsed().as_secs_f64()
    );
    Ok(Outcome::Done)
}

/// Writes the archive of the tiles that a server would answer: by an engine of
/// its own, which follows what changes meanwhile.
async fn write(
    options: &Options,
    config: &Config,
    database: &Database,
    layers: &[Layer],
    caller: &Caller,
    name: &str,
    bar: &Bar,
) -> Result<Report, ArchiveError> {
    let target = Target { path: &options.output, overwrite: options.overwrite };
    let contents = Contents { name, layers, zooms: options.zooms(layers), caller, by: &Caller::OPERATOR };
    archive::check(&contents.zooms, target)?;
    // A server's files are its own: these are beside the archive, on a disk
    // that is to hold as much, and go at the end.
    let folder = TempDir::with_prefix_in(".lindero-", target.folder()).map_err(|source| target.failed(source))?;
    let limits = Limits { at_once: AT_ONCE, index_bytes: config.tile_index_memory, cache_bytes: 0 };
    let ids: Vec<LayerId> = layers.iter().map(|layer| layer.id.clone()).collect();
    let engine =
        IndexedTiles::new(database.clone(), limits, Some(folder.path().join("tiles"))).only(ids.iter().cloned());
    let written = async {
        if limits.index_bytes > 0 {
            bar.0.set_message("reading");
            engine.ready().await;
        }
        let at_once = std::thread::available_parallelism().map_or(AT_ONCE, std::num::NonZero::get);
        let source = Served { tiles: &engine, layers: &ids, caller };
        archive::write(&source, database, &contents, target, at_once, bar).await
    };
    tokio::select! {
        written = written => written,
        () = engine.keep(&Caller::OPERATOR, database) => unreachable!("it never ends"),
    }
}

impl Options {
    /// The layers, each once.
    async fn layers(&self, database: &Database) -> Result<Vec<Layer>, CommandError> {
        if self.all {
            let mut layers = catalog::list(&Caller::OPERATOR, database).await?;
            layers.retain(|layer| self.private || is_public(layer));
            if layers.is_empty() {
                return Err(CommandError::NothingToExport);
            }
            return Ok(layers);
        }
        let mut layers: Vec<Layer> = Vec::with_capacity(self.layers.len());
        for id in &self.layers {
            if layers.iter().all(|known| known.id != *id) {
                layers.push(catalog::get(&Caller::OPERATOR, database, id).await?);
            }
        }
        Ok(layers)
    }

    fn zooms(&self, layers: &[Layer]) -> RangeInclusive<u8> {
        self.min_zoom..=self.max_zoom.unwrap_or_else(|| archive::whole_from(layers).max(self.min_zoom))
    }

    /// Whose view of the layers is exported: the public's, unless said
    /// otherwise.
    fn caller(&self, layers: &[Layer]) -> Result<Caller, CommandError> {
        if self.private {
            return Ok(Caller::OPERATOR);
        }
        let Some(layer) = layers.iter().find(|layer| !is_public(layer)) else { return Ok(Caller::ANONYMOUS) };
        let reason = match layer.visibility() {
            Visibility::Publica => format!("its features are {}", layer.subject()),
            other => other.to_string(),
        };
        Err(CommandError::NotPublic { layer: layer.id.clone(), reason })
    }

    /// What the archive is called.
    async fn name(&self, layers: &[Layer], database: &Database) -> Result<String, CommandError> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        if let [layer] = layers {
            return Ok(layer.definition.title.in_language("es").to_owned());
        }
        let known = municipality::list(&Caller::OPERATOR, database).await?;
        let known = known.iter().filter(|known| layers.iter().any(|layer| layer.municipality == known.code));
        Ok(known.map(|known| known.name.as_str()).collect::<Vec<_>>().join(", "))
    }
}

/// The layers in a few words.
fn subject(layers: &[Layer]) -> String {
    match layers {
        [layer] => layer.id.to_string(),
        layers => format!("{} layers", layers.len()),
    }
}

fn is_public(layer: &Layer) -> bool {
    layer.is_seen_by(&Caller::ANONYMOUS)
}

/// A bar for each zoom on a terminal; nothing elsewhere.
struct Bar(ProgressBar);

impl Bar {
    fn new(name: &str) -> Self {
        let bar = ProgressBar::new(0).with_prefix(name.to_owned());
        let style = ProgressStyle::with_template("{prefix}: {msg} {bar:30} {pos}/{len} tiles ({elapsed})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }
}

impl Progress for Bar {
    fn zoom(&self, zoom: u8, tiles: u64) {
        self.0.set_message(format!("zoom {zoom}"));
        self.0.set_length(tiles);
        self.0.set_position(0);
    }

    fn looked(&self) {
        self.0.inc(1);
    }
}
