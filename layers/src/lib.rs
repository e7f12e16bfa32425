//! What a layer is: the catalogue, its schema and metadata, coordinate
//! reference systems, reading and finding features, the change feed.
//!
//! Owns the PostgreSQL schemas `catalog` and `geo`.

pub mod attachment;
pub mod catalog;
pub mod change;
pub mod crs;
mod definition;
mod domain;
pub mod edit;
mod expected;
pub mod features;
pub mod filter;
pub mod history;
mod identifier;
pub mod job;
mod layer;
pub mod municipality;
pub mod position;
pub mod search;
mod sector;
mod value;

pub use definition::{
    Attribute, AttributeType, DefinitionError, LayerDefinition, Text, TopologyRule, UpdateFrequency, ZoomRule,
};
pub use domain::{Domain, DomainCheck, DomainValue};
pub use expected::Expected;
pub use identifier::{InvalidIdentifier, LayerId, column_name};
pub use layer::{ChangeCapture, Dimension, Extent, GeometryType, Kind, Layer, Table};
pub use sector::Sector;
pub use value::Value;
