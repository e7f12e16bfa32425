//! The temporal functions: Allen's relations of instants and intervals.

use cql2::Expr;

use super::condition::unsupported;
use super::fragment::Fragment;
use super::scalar::{date, instant, pair, scalar};
use super::schema::Schema;
use super::{InvalidFilter, fragment::Bound};
use crate::AttributeType;

/// An end of one of the two operands.
#[derive(Clone, Copy)]
enum End {
    Start1,
    End1,
    Start2,
    End2,
}
use End::{End1, End2, Start1, Start2};

/// OGC 21-065r2, 7.8.3: comparisons that must all hold.
fn relation(op: &str) -> Option<&'static [(End, &'static str, End)]> {
    Some(match op {
        "t_after" => &[(Start1, " > ", End2)],
        "t_before" => &[(End1, " < ", Start2)],
        "t_contains" => &[(Start1, " < ", Start2), (End1, " > ", End2)],
        // t_disjoint is what does not intersect.
        "t_intersects" | "t_disjoint" => &[(Start1, " <= ", End2), (End1, " >= ", Start2)],
        "t_during" => &[(Start1, " > ", Start2), (End1, " < ", End2)],
        "t_equals" => &[(Start1, " = ", Start2), (End1, " = ", End2)],
        "t_finishedBy" => &[(Start1, " < ", Start2), (End1, " = ", End2)],
        "t_finishes" => &[(Start1, " > ", Start2), (End1, " = ", End2)],
        "t_meets" => &[(End1, " = ", Start2)],
        "t_metBy" => &[(Start1, " = ", End2)],
        "t_overlappedBy" => &[(Start1, " > ", Start2), (Start1, " < ", End2), (End1, " > ", End2)],
        "t_overlaps" => &[(Start1, " < ", Start2), (End1, " > ", Start2), (End1, " < ", End2)],
        "t_startedBy" => &[(Start1, " = ", Start2), (End1, " > ", End2)],
        "t_starts" => &[(Start1, " = ", Start2), (End1, " < ", End2)],
        _ => return None,
    })
}

/// An instant, or a time between two, of which one may be open.
struct Period {
    /// Date or instant; none where both ends are open.
    kind: Option<AttributeType>,
    start: Option<Fragment>,
    end: Option<Fragment>,
    said: String,
}

pub(super) fn condition(
    schema: &Schema,
    op: &str,
    args: &[Box<Expr>],
    depth: usize,
) -> Result<Fragment, InvalidFilter> {
    let comparisons = relation(op).ok_or_else(|| unsupported(op))?;
    let [one, other] = pair(op, args)?;
    let (one, other) = (period(schema, op, one, depth)?, period(schema, op, other, depth)?);
    let kind = match (one.kind, other.kind) {
        (Some(kind), Some(of_other)) if kind != of_other => {
            return Err(InvalidFilter::Incomparable { left: one.said, right: other.said });
        }
        (kind, of_other) => {
            kind.or(of_other).ok_or_else(|| InvalidFilter::expected(op, "a bound that is not open", "none"))?
        }
    };
    let side = |end: End| {
        let (known, open) = match end {
            Start1 => (&one.start, "'-infinity'::"),
            End1 => (&one.end, "'infinity'::"),
            Start2 => (&other.start, "'-infinity'::"),
            End2 => (&other.end, "'infinity'::"),
        };
        known.clone().unwrap_or_else(|| Fragment::new(open).sql(kind.sql_type()))
    };
    let all = comparisons.iter().map(|(left, symbol, right)| Fragment::joined([side(*left), side(*right)], symbol));
    let all = Fragment::joined(all, " AND ");
    Ok(if op == "t_disjoint" { Fragment::new("(NOT ").then(all).sql(")") } else { all })
}

fn period(schema: &Schema, op: &str, expression: &Expr, depth: usize) -> Result<Period, InvalidFilter> {
    let Expr::Interval { interval } = expression else {
        let value = scalar(schema, op, expression, depth + 1)?;
        temporal(op, value.kind, &value.said)?;
        let (start, end) = (Some(value.sql.clone()), Some(value.sql));
        return Ok(Period { kind: Some(value.kind), start, end, said: value.said });
    };
    let [start, end] = interval.as_slice() else {
        return Err(InvalidFilter::expected("INTERVAL", "two bounds", interval.len().to_string()));
    };
    let (start, end) = (bound(schema, start, depth)?, bound(schema, end, depth)?);
    let kind = match (&start, &end) {
        (Some((kind, _)), Some((other, _))) if kind != other => {
            return Err(InvalidFilter::expected("INTERVAL", "two dates or two instants", "one of each"));
        }
        (Some((kind, _)), _) | (None, Some((kind, _))) => Some(*kind),
        (None, None) => None,
    };
    let said = match kind {
        Some(AttributeType::Date) => "an interval of dates",
        _ => "an interval of instants",
    };
    let sql = |bound: Option<(AttributeType, Fragment)>| bound.map(|(_, sql)| sql);
    Ok(Period { kind, start: sql(start), end: sql(end), said: said.to_owned() })
}

/// A bound of an interval: none where it is open.
fn bound(schema: &Schema, expression: &Expr, depth: usize) -> Result<Option<(AttributeType, Fragment)>, InvalidFilter> {
    match expression {
        Expr::Literal(text) if text == ".." => Ok(None),
        Expr::Literal(text) if text.contains('T') => {
            Ok(Some((AttributeType::DateTime, Fragment::bound(Bound::Instant(instant(text)?)))))
        }
        Expr::Literal(text) => Ok(Some((AttributeType::Date, Fragment::bound(Bound::Date(date(text)?))))),
        other => {
            let value = scalar(schema, "INTERVAL", other, depth + 1)?;
            temporal("INTERVAL", value.kind, &value.said)?;
            Ok(Some((value.kind, value.sql)))
        }
    }
}

fn temporal(op: &str, kind: AttributeType, said: &str) -> Result<(), InvalidFilter> {
    if matches!(kind, AttributeType::Date | AttributeType::DateTime) {
        Ok(())
    } else {
        Err(InvalidFilter::expected(op, "dates, instants or intervals", said))
    }
}
