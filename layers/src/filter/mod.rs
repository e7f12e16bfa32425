//! Filters in CQL2 (OGC 21-065r2), as text and as JSON.
//!
//! The `cql2` crate reads a filter; we walk over its expression, resolve every
//! property in the layer's definition, check every type, and compose the
//! condition as SQL. Names come from the catalogue, operators from tables of
//! ours, and every literal is bound: no word of a filter is ever in a
//! statement's text.

mod condition;
mod error;
mod fragment;
mod geometry;
mod period;
mod scalar;
mod schema;
mod syntax;

use std::str::FromStr;

use access::Caller;
use sqlx::{Postgres, QueryBuilder};

pub use self::error::InvalidFilter;
use self::fragment::Fragment;
use self::schema::Schema;
pub use self::schema::{Queryable, QueryableKind, queryables};
pub use self::syntax::LONGEST;
use crate::Layer;

/// How a filter is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FilterLanguage {
    /// `nivel = 'alta' AND area > 100`.
    #[default]
    Text,
    /// `{"op": "=", "args": [{"property": "nivel"}, "alta"]}`.
    Json,
}

impl FilterLanguage {
    /// Both, by the names that OGC gives them.
    pub const NAMES: [&str; 2] = ["cql2-text", "cql2-json"];
}

impl FromStr for FilterLanguage {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "cql2-text" => Ok(Self::Text),
            "cql2-json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

/// A filter that fits one layer: every property is one of the layer's, every
/// comparison is of like with like. Geometries in it are longitude, latitude
/// (CRS84).
#[derive(Debug, Clone)]
pub struct Filter(Fragment);

impl Filter {
    /// Reads a filter over the attributes of the layer that the caller may see.
    ///
    /// It costs a thread of its own for as long as it is read: a filter may nest
    /// deeper than a worker's stack is high.
    pub fn read(caller: &Caller, layer: &Layer, language: FilterLanguage, text: &str) -> Result<Self, InvalidFilter> {
        let schema = Schema::new(caller, layer);
        syntax::read(language, text, |expression| condition::condition(&schema, &expression, 0)).map(Self)
    }

    /// Appends the condition in parentheses, to stand in a statement that reads
    /// the layer's table and no other with columns of the same names.
    pub fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        self.0.push_to(sql);
    }
}

#[cfg(test)]
mod tests;
