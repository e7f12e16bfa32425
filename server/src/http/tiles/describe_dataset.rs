//! What is said of tiles of several collections.

use layers::{Extent, Layer, LayerId};
use serde_json::{Value, json};
use tiles::{HIGHEST_ZOOM, MatrixSet};

use super::{MVT, describe};
use crate::http::asked::Asked;
use crate::http::document::JSON;
use crate::http::links::{self, Link};

/// `/tiles`.
pub(super) fn tilesets(asked: &Asked) -> Value {
    let of = |set: MatrixSet| {
        let mut entry = describe::heading(title(asked), set);
        let here = asked.base.join(&format!("/tiles/{}?f=json", set.id()));
        let tiles = Link::new("item", MVT, template(asked, set, None)).templated();
        entry["links"] = json!([Link::new("self", JSON, here), describe::scheme(asked, set), tiles]);
        entry
    };
    json!({ "links": links::own(asked, JSON), "tilesets": MatrixSet::ALL.map(of) })
}

/// Collections that are in one tile.
pub(super) struct Tiled<'a> {
    pub(super) set: MatrixSet,
    pub(super) layers: &'a [Layer],
    /// Those that were asked for; none for all.
    pub(super) chosen: Option<&'a [LayerId]>,
}

impl Tiled<'_> {
    /// `/tiles/{set}`.
    pub(super) fn tileset(&self, asked: &Asked) -> Value {
        let mut links = links::own(asked, JSON);
        if self.set == MatrixSet::WebMercatorQuad {
            links.push(Link::new("alternate", JSON, asked.url_with(&[("f", Some("tilejson"))])).titled("TileJSON"));
        }
        links.push(describe::scheme(asked, self.set));
        links.push(Link::new("item", MVT, self.template(asked)).templated());
        let mut document = describe::heading(title(asked), self.set);
        if let Some(extent) = self.extent() {
            document["boundingBox"] = describe::bounding_box(extent);
        }
        document["layers"] = self.layers.iter().map(|layer| describe::described(asked, layer, self.set)).collect();
        document["links"] = json!(links);
        document
    }

    /// TileJSON 3.0, of WebMercatorQuad.
    pub(super) fn tilejson(&self, asked: &Asked) -> Value {
        let of_several = self.layers.len() > 1;
        let vector_layers: Vec<Value> = self
            .layers
            .iter()
            .flat_map(|layer| describe::vector_layers(asked, layer, &tiles::labels(of_several, &layer.id)))
            .collect();
        let mut document = json!({
            "tilejson": "3.0.0",
            "name": title(asked),
            "tiles": [address(asked, self.set, "{z}/{y}/{x}", self.chosen)],
            "minzoom": self.min_zoom(),
            "maxzoom": HIGHEST_ZOOM,
            "vector_layers": vector_layers,
        });
        let mut sources: Vec<&str> = self.layers.iter().map(|layer| layer.definition.source.as_str()).collect();
        sources.retain(|source| !source.is_empty());
        sources.sort_unstable();
        sources.dedup();
        if !sources.is_empty() {
            // TileJSON's attribution may be HTML: viewers put it into their page.
            document["attribution"] = json!(maud::html! { (sources.join("; ")) }.into_string());
        }
        if let Some(extent) = self.extent() {
            document["bounds"] = json!(extent.to_array());
        }
        document
    }

    /// The address of a tile as OGC's documents name its parts.
    pub(super) fn template(&self, asked: &Asked) -> String {
        template(asked, self.set, self.chosen)
    }

    fn min_zoom(&self) -> u8 {
        self.layers.iter().map(|layer| layer.definition.min_zoom).min().unwrap_or(0)
    }

    fn extent(&self) -> Option<Extent> {
        self.layers.iter().filter_map(|layer| layer.extent).reduce(Extent::union)
    }
}

fn template(asked: &Asked, set: MatrixSet, chosen: Option<&[LayerId]>) -> String {
    address(asked, set, "{tileMatrix}/{tileRow}/{tileCol}", chosen)
}

fn address(asked: &Asked, set: MatrixSet, place: &str, chosen: Option<&[LayerId]>) -> String {
    // Ids are letters, digits and underscores.
    let ids = chosen.map(|ids| ids.iter().map(LayerId::as_str).collect::<Vec<_>>().join(","));
    let query = ids.map_or_else(String::new, |ids| format!("?collections={ids}"));
    asked.base.join(&format!("/tiles/{}/{place}{query}", set.id()))
}

fn title(asked: &Asked) -> &'static str {
    asked.language.choose("Las capas del municipio", "The municipality's layers")
}
