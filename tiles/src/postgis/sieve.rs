//! What a tile leaves out, so that it does not grow too large.

use layers::Layer;
use sqlx::{Postgres, QueryBuilder};

use crate::{EXTENT, MOST_BYTES, POINT_COUNT, TileCoord, View};

/// Units of a pixel, where a tile is drawn 512 pixels wide, as web maps do.
const PIXEL: f64 = EXTENT as f64 / 512.0;

/// How coarsely a tile is drawn: in squares of so many pixels, or as it is.
///
/// In squares, what has its middle in the same square is drawn once: of areas
/// that fill it the largest, for those that do not a square of their area
/// together, of lines the longest, of points the first with their count. So no
/// tile has more than a known number of features, and what is built up stays
/// visible. As it is, areas of less than a square unit, which nothing could
/// show, are gathered in squares of a pixel, and all else is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sieve {
    /// As it is.
    Detailed,
    /// In squares of so many pixels.
    Squares(f64),
}

/// What there is to draw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Features.
    pub(super) features: i64,
    /// Their places, before they are cut and simplified.
    pub(super) places: i64,
}

/// No tile of more places is drawn: it would take too long.
const MOST_PLACES: i64 = 4_000_000;
/// Bytes that a feature takes in a tile at least, beside its values.
const LEAST_BYTES: usize = 12;
/// How many times smaller a tile is with gzip, at most.
const BEST_RATIO: usize = 8;

impl Sieve {
    /// The coarsest: a handful of features.
    const LAST: Self = Self::Squares(512.0);

    /// The next one after a tile of `excess` times what it may have; none
    /// after the last.
    pub(super) fn coarser(self, excess: f64) -> Option<Self> {
        match self {
            Self::Detailed => Some(Self::Squares(1.0)),
            Self::LAST => None,
            // Features become fewer with the square of the side.
            Self::Squares(side) => {
                let times = excess.max(1.0).sqrt().log2().floor().exp2().clamp(2.0, 512.0);
                let Self::Squares(last) = Self::LAST else { return None };
                Some(Self::Squares((side * times).min(last)))
            }
        }
    }

    /// The features that may be drawn at most, with those values.
    pub(super) fn most_features(view: &View) -> i64 {
        let bytes = LEAST_BYTES + 3 * view.len();
        i64::try_from(BEST_RATIO * MOST_BYTES / bytes).unwrap_or(i64::MAX)
    }

    /// Whether a tile holds what is there as it is.
    pub(super) fn is_detailed(self) -> bool {
        self == Self::Detailed
    }

    /// Whether features say how many they stand for: unless an attribute has
    /// the name.
    pub(super) fn counts(self, layer: &Layer, view: &View) -> bool {
        let is_taken = view.shows(POINT_COUNT) && layer.definition.attribute(POINT_COUNT).is_some();
        !self.is_detailed() && !is_taken
    }

    /// The condition on what is drawn that it stands for several.
    pub(super) fn of_several(self) -> &'static str {
        match self {
            Self::Detailed => "\"lindero gathered\"",
            Self::Squares(_) => "(\"lindero gathered\" OR \"lindero dimension\" = 0 AND \"lindero count\" > 1)",
        }
    }

    /// The side of its squares, in units.
    fn square(self) -> f64 {
        match self {
            Self::Detailed => PIXEL,
            Self::Squares(pixels) => pixels * PIXEL,
        }
    }

    /// The area, in square units, under which an area is gathered.
    fn least(self) -> f64 {
        match self {
            Self::Detailed => 1.0,
            Self::Squares(_) => self.square() * self.square(),
        }
    }

    /// Of a feature as it is kept: its dimension, its size in units, and its
    /// square.
    pub(super) fn push_measures(self, geometry: &str, sql: &mut QueryBuilder<Postgres>) {
        sql.push(format!(
            "ST_Dimension({geometry}) AS \"lindero dimension\", \
             CASE ST_Dimension({geometry}) \
                WHEN 2 THEN ST_Area({geometry}) / (\"lindero area\".\"lindero wide\" * \"lindero area\".\"lindero high\") \
                WHEN 1 THEN ST_Length({geometry}) / \"lindero area\".\"lindero wide\" ELSE 0 END AS \"lindero size\""
        ));
        for (axis, unit, name) in [("X", "wide", "column"), ("Y", "high", "row")] {
            // What has its middle beyond the edge is of the square at the edge.
            let least = format!("ST_{axis}Min(\"lindero area\".\"lindero stored\")");
            sql.push(format!(
                ", floor((least(greatest((ST_{axis}Min({geometry}) + ST_{axis}Max({geometry})) / 2, {least}), \
                    ST_{axis}Max(\"lindero area\".\"lindero stored\")) - {least}) / (\"lindero area\".\"lindero {unit}\" * "
            ));
            sql.push_bind(self.square()).push(format!(")) AS \"lindero {name}\""));
        }
    }

    /// From `source` to `shown`, what is drawn, and its `load`.
    pub(super) fn push_shown(self, sql: &mut QueryBuilder<Postgres>) {
        let alike = "PARTITION BY \"lindero column\", \"lindero row\", \"lindero dimension\", \"lindero small\"";
        sql.push("sized AS (SELECT *, \"lindero dimension\" = 2 AND \"lindero size\" < ").push_bind(self.least());
        sql.push(format!(
            " AS \"lindero small\" FROM source), \
             ranked AS (SELECT *, row_number() OVER ({alike} ORDER BY \"lindero size\" DESC, \"lindero key\") AS \"lindero rank\", \
                sum(\"lindero size\") OVER ({alike}) AS \"lindero total\", \
                count(*) OVER ({alike}) AS \"lindero count\" FROM sized), \
             shown AS MATERIALIZED (SELECT *, \"lindero small\" AND \"lindero count\" > 1 AS \"lindero gathered\" \
                FROM ranked WHERE "
        ));
        sql.push(match self {
            Self::Detailed => "NOT \"lindero small\" OR \"lindero rank\" = 1 AND \"lindero total\" >= 1), ",
            Self::Squares(_) => "\"lindero rank\" = 1 AND (NOT \"lindero small\" OR \"lindero total\" >= 1)), ",
        });
        sql.push(
            "load AS MATERIALIZED (SELECT count(*) AS features, \
                coalesce(sum(ST_NPoints(\"lindero geometry\")) FILTER (WHERE NOT \"lindero gathered\"), 0)::bigint AS places \
                FROM shown), ",
        );
    }

    /// From `shown` to `drawn`, in the CRS of the tile's set; nothing where the load is too
    /// much.
    pub(super) fn push_drawn(self, tile: TileCoord, view: &View, sql: &mut QueryBuilder<Postgres>) {
        let unit = tile.side() / f64::from(EXTENT);
        let srid = tile.set().srid();
        let gathered = format!(
            "ST_Expand(ST_Transform(ST_Centroid(ST_Envelope(\"lindero geometry\")), {srid}), \
                sqrt(least(\"lindero total\", "
        );
        sql.push(format!(
            "placed AS MATERIALIZED (SELECT *, CASE WHEN NOT \"lindero gathered\" \
                THEN ST_Transform(ST_CurveToLine(ST_Force2D(\"lindero geometry\")), {srid}) END AS \"lindero whole\" \
             FROM shown WHERE (SELECT features <= ",
        ));
        sql.push_bind(Self::most_features(view)).push(" AND places <= ").push_bind(MOST_PLACES);
        sql.push(" FROM load)), drawn AS (SELECT *, CASE WHEN \"lindero gathered\" THEN ").push(gathered);
        sql.push_bind(self.square() * self.square()).push(")) * ").push_bind(unit / 2.0).push(") ");
        if let Self::Squares(_) = self {
            let side = self.square() * unit;
            sql.push("WHEN \"lindero dimension\" = 0 THEN ST_RemoveRepeatedPoints(\"lindero whole\", ").push_bind(side);
            sql.push(") ELSE ST_Simplify(\"lindero whole\", ").push_bind(side / 4.0).push(", false) END");
        } else {
            sql.push("ELSE \"lindero whole\" END");
        }
        sql.push(" AS \"lindero drawn\" FROM placed)");
    }
}

impl Load {
    /// How many times more it is than may be drawn; up to 1, it was.
    pub(super) fn excess(self, view: &View) -> f64 {
        let features = self.features as f64 / Sieve::most_features(view) as f64;
        features.max(self.places as f64 / MOST_PLACES as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sieves_become_coarser_until_the_last() {
        let mut sieve = Sieve::Detailed;
        let mut steps = 0;
        while let Some(next) = sieve.coarser(1.0) {
            assert_ne!(next, sieve);
            sieve = next;
            steps += 1;
        }
        assert_eq!((sieve, steps), (Sieve::LAST, 10));
        assert_eq!(Sieve::Squares(2.0).coarser(70.0), Some(Sieve::Squares(16.0)), "a much too large tile makes a jump");
        assert_eq!(Sieve::Squares(2.0).coarser(f64::INFINITY), Some(Sieve::LAST));
    }
}
