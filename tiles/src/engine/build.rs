//! Building a layer's index from its table.

use std::sync::Arc;

use access::{Caller, Database, Visibility};
use layers::change::{self, FeedError};
use layers::features::{FeatureError, Told, Wanted, snapshot};
use layers::{Layer, crs};
use thiserror::Error;
use tokio::task::{JoinError, spawn_blocking};

use super::drawing::{self, Style};
use super::folder::Folder;
use crate::cut::Clip;
use crate::encode::compress::gzip_len;
use crate::frame::AnyGrid;
use crate::generalise::{heaviest, levels};
use crate::index::{Builder, Index, Layered, NotIndexed, Overlay, Scratch};
use crate::world::Window;
use crate::{LABELS, MOST_BYTES, View};

/// A feature takes at least this much of an index, in bytes.
const LEAST_BYTES: usize = 100;
/// The same of memory while an index is laid out in files.
const LEAST_BYTES_ON_DISK: usize = 24;

/// Why a layer could not be read into an index.
#[derive(Debug, Error)]
pub(super) enum BuildError {
    #[error("it would take more memory than the {room} bytes that there are for it")]
    NoRoom { room: usize },
    #[error(transparent)]
    NotIndexed(#[from] NotIndexed),
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Features(#[from] FeatureError),
    #[error("the index could not be finished: {0}")]
    Unfinished(#[from] JoinError),
}

/// Reads the layer as it is now, and lays it out with its levels, in at most
/// `room` bytes of memory; then from a file, where there is a folder for it.
pub(super) async fn build(
    caller: &Caller,
    database: &Database,
    layer: &Arc<Layer>,
    room: usize,
    folder: Option<Folder>,
) -> Result<Index, BuildError> {
    // What changes while it is read is told again to who starts from here.
    let position = change::position(caller, database).await?;
    let scratch = folder.as_ref().map_or_else(Scratch::default, Folder::scratch);
    let least = if scratch.is_there() { LEAST_BYTES_ON_DISK } else { LEAST_BYTES };
    if layer.feature_count.max(0) as usize * least > room {
        return Err(BuildError::NoRoom { room });
    }
    let mut builder = Builder::new(layer, &scratch);
    snapshot(caller, database, layer, crs::WEB_MERCATOR, Wanted::All, |told| {
        match told {
            Told::Again => builder = Builder::new(layer, &scratch),
            // What is over the room is not kept: it is only counted to the end.
            Told::Row(row) if builder.bytes() <= room => builder.push(&row),
            Told::Row(_) => {}
        }
    })
    .await?;
    if builder.bytes() > room {
        return Err(BuildError::NoRoom { room });
    }
    let layer = Arc::clone(layer);
    spawn_blocking(move || {
        let mut index = builder.finish()?;
        index.levels = levels(&layer, &index, &scratch).map_err(NotIndexed::from)?;
        index.gzip_ratio = gzip_ratio(&layer, &index);
        if index.owned_bytes() > room {
            return Err(BuildError::NoRoom { room });
        }
        Ok(match folder {
            Some(folder) => folder.keep(&layer, index, &position),
            None => index,
        })
    })
    .await?
}

/// The greatest size with gzip as a part of that without, among the heaviest
/// tiles of the zooms around the finest level's; 0 where there is no level.
fn gzip_ratio(layer: &Layer, index: &Index) -> f32 {
    let Some(top) = index.levels.first().map(|level| level.zoom) else { return 0.0 };
    let (view, nothing) = (View::up_to(Visibility::Reservada, layer), Overlay::default());
    let ratio = |zoom: u8| {
        let (place, _) = heaviest(index, zoom).filter(|(_, bytes)| *bytes < 16 * MOST_BYTES)?;
        let window = Window::holding(zoom, place);
        let clip = Clip::new(drawing::buffer(layer));
        let sheet = Layered { base: &index.detailed, over: &nothing };
        let found = sheet.search(window.with_buffer(-clip.least), zoom);
        let style = Style { layer, view: &view, labels: LABELS, one_of: 1 };
        let bytes = drawing::draw(style, zoom, index, sheet, &found, AnyGrid::Mercator(window));
        (bytes.len() > MOST_BYTES / 4).then_some(gzip_len(&bytes).ok()? as f32 / bytes.len() as f32)
    };
    (top.saturating_sub(1)..=top + 1).filter_map(ratio).fold(0.0, f32::max)
}
