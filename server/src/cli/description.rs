//! What a command line says of a layer.

use std::path::{Path, PathBuf};

use access::Visibility;
use clap::Args;
use layers::catalog::CatalogError;
use layers::{LayerDefinition, Sector, Text};

use super::CommandError;

#[derive(Debug, Clone, Args)]
pub(super) struct Description {
    /// What the layer is: a file in TOML with its titles and attributes.
    #[arg(long, value_name = "FILE")]
    definition: Option<PathBuf>,

    /// The layer's title in Spanish.
    #[arg(long)]
    title: Option<String>,

    /// The layer's sector (base, planeacion, riesgo, salud, educacion, tic …).
    #[arg(long)]
    sector: Option<String>,

    /// Anybody may see the layer (Ley 1712 de 2014: pública).
    #[arg(long)]
    public: bool,
}

impl Description {
    /// Whether a definition's file is named.
    pub(super) fn has_file(&self) -> bool {
        self.definition.is_some()
    }

    /// Whether anything is said beside the definition's file.
    pub(super) fn says_something(&self) -> bool {
        self.title.is_some() || self.sector.is_some() || self.public
    }

    /// The file's definition (an empty one where none is named) with what is
    /// said beside it.
    pub(super) fn definition(&self) -> Result<LayerDefinition, CommandError> {
        let mut definition = self.definition.as_deref().map_or_else(|| Ok(LayerDefinition::default()), read)?;
        if let Some(title) = &self.title {
            definition.title = Text::same(title);
        }
        if let Some(sector) = &self.sector {
            definition.sector = Sector::new(sector);
        }
        if self.public {
            definition.visibility = Visibility::Publica;
        }
        Ok(definition)
    }
}

/// Reads a definition's file.
pub(super) fn read(path: &Path) -> Result<LayerDefinition, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|source| CommandError::File { path: path.to_owned(), source })?;
    Ok(LayerDefinition::from_toml(&text).map_err(CatalogError::from)?)
}
