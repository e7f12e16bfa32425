use access::{Caller, Visibility, audit};
use layers::{Attribute, AttributeType, Layer};

use crate::TileError;
use crate::generalise::always_kept;

/// What a class of callers sees of a layer's features: which attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct View {
    attributes: Vec<String>,
}

impl View {
    /// Every attribute that somebody with that clearance may see and that a
    /// tile can hold: all but documents, which no map draws.
    pub(crate) fn up_to(clearance: Visibility, layer: &Layer) -> Self {
        let is_shown = |attribute: &&Attribute| attribute.kind != AttributeType::Json && attribute.is_within(clearance);
        let shown = layer.definition.attributes.iter().filter(is_shown);
        Self { attributes: shown.map(|attribute| attribute.name.clone()).collect() }
    }

    /// What the caller sees of a layer that it may know of. What is not for
    /// everybody is told the audit trail: a tile of it is next.
    pub(crate) fn of(caller: &Caller, layer: &Layer) -> Result<Self, TileError> {
        let clearance = layer.clearance(caller).ok_or_else(|| {
            layer.note_denial(caller);
            TileError::UnknownLayer(layer.id.clone())
        })?;
        let level = layer.view_level(clearance).max(layer.visibility());
        if level > Visibility::Publica || layer.subject().is_personal() {
            audit::note_tile(caller, &layer.scope())?;
        }
        Ok(Self::up_to(clearance, layer))
    }

    /// The attributes by which a feature is drawn and named: whoever sees the
    /// layer sees those.
    pub(crate) fn plain(layer: &Layer) -> Self {
        let mut plain = Self::up_to(layer.visibility(), layer);
        let kept = always_kept(&layer.definition);
        plain.attributes.retain(|attribute| kept.contains(&attribute.as_str()));
        plain
    }

    /// No attribute.
    pub(crate) fn bare() -> Self {
        Self { attributes: Vec::new() }
    }

    /// How many attributes it has.
    pub(crate) fn len(&self) -> usize {
        self.attributes.len()
    }

    /// What of it tiles of that zoom hold: attributes enter where the layer's
    /// definition says.
    pub(crate) fn at(&self, layer: &Layer, zoom: u8) -> Self {
        let enters = |name: &&String| layer.definition.attribute(name).is_none_or(|known| known.min_zoom <= zoom);
        Self { attributes: self.attributes.iter().filter(enters).cloned().collect() }
    }

    /// Whether the attribute is in the view.
    pub(crate) fn shows(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|shown| shown == attribute)
    }
}
