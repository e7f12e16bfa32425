use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use access::{Caller, Visibility};
use clap::Args;
use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};
use layers::{Layer, LayerId, catalog};
use tiles::archive::{self, Contents, OneLayer, Progress, Report, Target};
use tiles::postgis::PostgisTiles;

use super::interrupt::interrupted;
use super::{CommandError, Outcome, with_database};
use crate::config::Config;
use crate::database::Session;

/// Tiles that are cut at a time: enough to keep the database busy beside a
/// server that needs it too.
const AT_ONCE: usize = 2;

/// `lindero export`: a layer becomes a file.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The layer.
    #[arg(value_name = "LAYER")]
    layer: LayerId,

    /// As vector tiles: one PMTiles v3 archive (WebMercatorQuad, MVT), for
    /// MapLibre, QGIS and others to read from a disk or any web server.
    #[arg(long, required = true)]
    tiles: bool,

    /// The file to write.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

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

    /// Export a layer that the public may not see, too.
    #[arg(long)]
    private: bool,
}

pub(super) async fn run(options: Options, config: &Config) -> Result<Outcome, CommandError> {
    with_database(config, async |session| act(&options, session).await).await
}

async fn act(options: &Options, session: &Session) -> Result<Outcome, CommandError> {
    let cancel = interrupted();
    let database = session.database();
    let layer = catalog::get(Caller::LocalOperator, database, &options.layer).await?;
    let caller = options.caller(&layer)?;
    let layers = std::slice::from_ref(&layer);
    let name = layer.definition.title.in_language("es");
    let contents = Contents { name, layers, zooms: options.zooms(layers), caller };
    let target = Target { path: &options.output, overwrite: options.overwrite };
    let source = OneLayer { tiles: &PostgisTiles::new(database.clone(), AT_ONCE), layer: &layer, caller };

    let bar = Bar::new(layer.id.as_str());
    let begun = Instant::now();
    let outcome = tokio::select! {
        outcome = archive::write(&source, database, &contents, target, AT_ONCE, &bar) => Some(outcome),
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
        layer.id,
        zooms.start(),
        zooms.end(),
        DecimalBytes(bytes),
        begun.elapsed().as_secs_f64()
    );
    Ok(Outcome::Done)
}

impl Options {
    fn zooms(&self, layers: &[Layer]) -> RangeInclusive<u8> {
        self.min_zoom..=self.max_zoom.unwrap_or_else(|| archive::whole_from(layers).max(self.min_zoom))
    }

    /// Whose view of the layer is exported: the public's, unless said
    /// otherwise.
    fn caller(&self, layer: &Layer) -> Result<Caller, CommandError> {
        if self.private {
            Ok(Caller::LocalOperator)
        } else if Caller::Anonymous.may_read(layer.visibility(), layer.subject()) {
            Ok(Caller::Anonymous)
        } else {
            let reason = match layer.visibility() {
                Visibility::Publica => format!("its features are {}", layer.subject()),
                other => other.to_string(),
            };
            Err(CommandError::NotPublic { layer: layer.id.clone(), reason })
        }
    }
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
