//! A tile of which some layers have no index: those are cut by the database.

use access::Caller;
use layers::catalog::{self, CatalogError};
use layers::{Layer, LayerId};

use super::compose::{self, join, less, weight};
use super::generation::Seen;
use super::{EncodedTile, IndexedTiles};
use crate::frame::Frame;
use crate::postgis::{Drawn, Limit};
use crate::{Encoding, MOST_BYTES, Tile, TileCoord, TileError, View};

/// What the database cuts of a tile.
struct Part {
    /// Its place among the layers.
    place: usize,
    layer: Layer,
    tile: Tile,
    /// Its bytes with gzip.
    weight: usize,
}

impl IndexedTiles {
    /// The tile of layers of which some have no index, under the limits of any
    /// other: all together.
    pub(super) async fn in_parts(
        &self,
        caller: &Caller,
        layers: &[LayerId],
        tile: TileCoord,
        encoding: Encoding,
    ) -> Result<Option<EncodedTile>, TileError> {
        let mut indexed: Vec<(usize, Seen)> = Vec::new();
        let mut asked: Vec<(usize, Layer)> = Vec::new();
        for (place, id) in layers.iter().enumerate() {
            match self.seen(caller, id)? {
                Some(seen) => indexed.push((place, seen)),
                None => asked.push((place, self.layer(caller, id).await?)),
            }
        }
        let (frame, of_several) = (Frame::of(tile)?, layers.len() > 1);
        let limit = Limit::new(MOST_BYTES);
        let mut parts = Vec::with_capacity(asked.len());
        for (place, layer) in asked {
            if let Some((tile, weight)) = self.of_database(caller, &layer, of_several, tile, limit).await? {
                parts.push(Part { place, layer, tile, weight });
            }
        }
        let mut aim = MOST_BYTES;
        loop {
            // The database's part is half, where there are others.
            let most = if indexed.is_empty() { aim } else { aim / 2 };
            while parts.iter().map(|part| part.weight).sum::<usize>() > most {
                let Some(heaviest) = (0..parts.len()).max_by_key(|index| parts[*index].weight) else { break };
                let part = &mut parts[heaviest];
                let limit = Limit { bytes: part.weight / 2, ..limit };
                match self.of_database(caller, &part.layer, of_several, tile, limit).await? {
                    Some((tile, weight)) => (part.tile, part.weight) = (tile, weight),
                    None => drop(parts.swap_remove(heaviest)),
                }
            }
            let left = aim - parts.iter().map(|part| part.weight).sum::<usize>();
            let of_database: Vec<(usize, Tile)> = parts.iter().map(|part| (part.place, part.tile.clone())).collect();
            let indexed = indexed.clone();
            let compose = move || {
                let mut tiles = of_database;
                let (places, seen): (Vec<usize>, Vec<Seen>) = indexed.into_iter().unzip();
                let cut = compose::parts(&seen, &frame, left);
                tiles.extend(places.into_iter().zip(cut).filter_map(|(place, tile)| Some((place, tile?))));
                tiles.sort_by_key(|(place, _)| *place);
                let Some(tile) = join(tiles.into_iter().map(|(_, tile)| tile)) else { return Ok(None) };
                let fits = tile.bytes.len() <= MOST_BYTES || weight(&tile) <= MOST_BYTES;
                EncodedTile::new(&tile, encoding).map(|tile| Some((tile, fits)))
            };
            match self.in_turn(compose).await?.map_err(TileError::Encoding)? {
                Some((_, false)) => aim = less(aim),
                found => return Ok(found.map(|(tile, _)| tile)),
            }
        }
    }

    /// What the database cuts of a layer, and its bytes with gzip.
    async fn of_database(
        &self,
        caller: &Caller,
        layer: &Layer,
        of_several: bool,
        tile: TileCoord,
        limit: Limit,
    ) -> Result<Option<(Tile, usize)>, TileError> {
        let labels = compose::labels(of_several, &layer.id);
        let drawn = Drawn { layer, filter: None, moment: None, view: &View::of(caller, layer)?, labels: &labels };
        let Some(cut) = self.postgis.cut(drawn, tile, limit).await? else { return Ok(None) };
        let weighed = self.in_turn(move || {
            let weight = weight(&cut);
            (cut, weight)
        });
        weighed.await.map(Some)
    }

    async fn layer(&self, caller: &Caller, id: &LayerId) -> Result<Layer, TileError> {
        match catalog::get(caller, &self.database, id).await {
            Ok(layer) => Ok(layer),
            Err(CatalogError::Unknown(id)) => Err(TileError::UnknownLayer(id)),
            Err(error) => Err(error.into()),
        }
    }
}
