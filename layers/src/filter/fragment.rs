use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Postgres, QueryBuilder};

/// A piece of SQL with the values that are bound in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Fragment(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    /// Ours: constants, and identifiers from the catalogue.
    Sql(String),
    Bound(Bound),
}

/// A value that is bound.
#[derive(Debug, Clone)]
pub(super) enum Bound {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Date(NaiveDate),
    Instant(DateTime<Utc>),
    /// WKB in CRS84.
    Geometry(Vec<u8>),
}

impl Fragment {
    pub(super) fn new(sql: impl Into<String>) -> Self {
        Self(vec![Piece::Sql(sql.into())])
    }

    pub(super) fn bound(value: Bound) -> Self {
        Self(vec![Piece::Bound(value)])
    }

    /// Appends SQL of ours.
    #[must_use]
    pub(super) fn sql(mut self, sql: impl AsRef<str>) -> Self {
        match self.0.last_mut() {
            Some(Piece::Sql(last)) => last.push_str(sql.as_ref()),
            _ => self.0.push(Piece::Sql(sql.as_ref().to_owned())),
        }
        self
    }

    /// Appends another fragment.
    #[must_use]
    pub(super) fn then(mut self, other: Self) -> Self {
        for piece in other.0 {
            match piece {
                Piece::Sql(sql) => self = self.sql(sql),
                bound @ Piece::Bound(_) => self.0.push(bound),
            }
        }
        self
    }

    /// Appends a value to bind.
    #[must_use]
    pub(super) fn value(mut self, value: Bound) -> Self {
        self.0.push(Piece::Bound(value));
        self
    }

    /// `(a SEPARATOR b SEPARATOR c)`.
    pub(super) fn joined(parts: impl IntoIterator<Item = Self>, separator: &str) -> Self {
        let mut all = Self::new("(");
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                all = all.sql(separator);
            }
            all = all.then(part);
        }
        all.sql(")")
    }

    pub(super) fn push_to(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push("(");
        for piece in &self.0 {
            match piece {
                Piece::Sql(text) => sql.push(text),
                Piece::Bound(Bound::Text(text)) => sql.push_bind(text.clone()),
                Piece::Bound(Bound::Integer(number)) => sql.push_bind(*number),
                Piece::Bound(Bound::Number(number)) => sql.push_bind(*number),
                Piece::Bound(Bound::Boolean(flag)) => sql.push_bind(*flag),
                Piece::Bound(Bound::Date(date)) => sql.push_bind(*date),
                Piece::Bound(Bound::Instant(instant)) => sql.push_bind(*instant),
                Piece::Bound(Bound::Geometry(wkb)) => sql.push_bind(wkb.clone()),
            };
        }
        sql.push(")");
    }
}
