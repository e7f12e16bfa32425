//! Finding features by what people type: a número predial, a name, an
//! address, a coordinate.

mod coordinate;
mod text;

use access::{Caller, Database};
use futures::stream::{self, StreamExt, TryStreamExt};

pub use coordinate::Coordinate;

use crate::catalog::{self, CatalogError};
use crate::features::{FeatureId, InvalidQuery};
use crate::{Extent, LayerId, Text, municipality};

/// The longest text that is searched for, in characters.
pub const LONGEST: usize = 200;
/// The most results that are given.
pub const MOST: usize = 50;

/// What somebody typed.
#[derive(Debug, Clone)]
pub struct Search {
    text: String,
    limit: usize,
}

impl Search {
    /// `text` is 1 to 200 characters; `limit` 1 to 50.
    pub fn new(text: &str, limit: usize) -> Result<Self, InvalidQuery> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST {
            return Err(InvalidQuery::new("q", format!("expected 1 to {LONGEST} characters")));
        }
        if !(1..=MOST).contains(&limit) {
            return Err(InvalidQuery::new("limit", format!("expected a number between 1 and {MOST}")));
        }
        Ok(Self { text: text.to_owned(), limit })
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// A feature.
    Feature {
        /// Its layer.
        layer: LayerId,
        /// The layer's title.
        layer_title: Text,
        /// Its id.
        id: FeatureId,
        /// Its label, or the value that matched.
        title: String,
        /// Another value that tells it apart; may be empty.
        subtitle: String,
        /// Where it is; none where it has no geometry.
        bbox: Option<Extent>,
    },
    /// A place on the earth.
    Coordinate(Coordinate),
}

/// What the text means, the best first: the places that it may be the
/// coordinates of; where it is none, the features that it names: exact
/// matches, then those that begin so, then the rest.
pub async fn find(caller: &Caller, db: &Database, search: &Search) -> Result<Vec<Found>, CatalogError> {
    let municipalities = municipality::list(caller, db).await?;
    let within = municipalities.iter().map(|municipality| municipality.extent).reduce(Extent::union);
    let mut found: Vec<Found> = coordinate::read(&search.text, within).into_iter().map(Found::Coordinate).collect();

    // What is a coordinate is no name.
    if !found.is_empty() {
        found.truncate(search.limit);
        return Ok(found);
    }
    let layers = catalog::list(caller, db).await?;
    let key = text::search_key(db, &search.text).await?;
    if !key.is_empty() {
        // Made before they are streamed: a closure that borrows would keep the
        // future from moving between threads.
        let searches: Vec<_> = layers.iter().map(|layer| text::in_layer(db, layer, &key, search.limit)).collect();
        let matches: Vec<Vec<text::Match>> = stream::iter(searches).buffered(4).try_collect().await?;
        let mut matches: Vec<text::Match> = matches.into_iter().flatten().collect();
        // Stable: among equals the layers' own order stands.
        matches.sort_by_key(|found| (found.rank, found.length));
        found.extend(matches.into_iter().map(|found| found.found));
    }
    found.truncate(search.limit);
    for layer in layers.iter().filter(|layer| found.iter().any(|found| found.is_of(&layer.id))) {
        layer.note_read(caller, "search", "")?;
    }
    Ok(found)
}

impl Found {
    fn is_of(&self, id: &LayerId) -> bool {
        matches!(self, Self::Feature { layer, .. } if layer == id)
    }
}
