//! What can be compared: attributes, literals, arithmetic, text without case
//! and accents.

use chrono::{DateTime, NaiveDate, Utc};
use cql2::Expr;

use super::InvalidFilter;
use super::condition::condition;
use super::fragment::{Bound, Fragment};
use super::schema::{QueryableKind, Schema};
use super::syntax::DEEPEST;
use crate::AttributeType;

/// The greatest whole number that every double holds, and the least.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// An operand of a comparison.
pub(super) struct Scalar {
    pub(super) kind: AttributeType,
    pub(super) sql: Fragment,
    /// What it is, for messages: `estrato (a whole number)`.
    pub(super) said: String,
}

impl Scalar {
    pub(super) fn is_number(&self) -> bool {
        matches!(self.kind, AttributeType::Integer | AttributeType::Number)
    }

    /// Whether the two are of one kind.
    pub(super) fn fits(&self, other: &Self) -> bool {
        (self.is_number() && other.is_number()) || self.kind == other.kind
    }

    fn literal(kind: AttributeType, value: Bound, said: impl std::fmt::Display) -> Self {
        let said = said.to_string();
        let said = if said.chars().count() > 40 { said.chars().take(40).chain(['…']).collect() } else { said };
        Self { kind, sql: Fragment::bound(value), said: format!("{said} ({})", name(kind)) }
    }
}

fn name(kind: AttributeType) -> &'static str {
    match kind {
        AttributeType::Text => "a text",
        AttributeType::Integer => "a whole number",
        AttributeType::Number => "a number",
        AttributeType::Boolean => "true or false",
        AttributeType::Date => "a date, as DATE('2026-11-20')",
        AttributeType::DateTime => "an instant, as TIMESTAMP('2026-11-20T08:00:00Z')",
        AttributeType::Json => "a document",
    }
}

/// The operand that an expression is.
pub(super) fn scalar(
    schema: &Schema,
    operator: &str,
    expression: &Expr,
    depth: usize,
) -> Result<Scalar, InvalidFilter> {
    if depth > DEEPEST {
        return Err(InvalidFilter::TooDeep { most: DEEPEST });
    }
    let expected = |found: String| Err(InvalidFilter::expected(operator, "a property or a literal", found));
    match expression {
        Expr::Property { property } => match schema.property(property)?.kind {
            QueryableKind::Geometry => expected(format!("the geometry {property}")),
            QueryableKind::Attribute(attribute) if attribute.kind == AttributeType::Json => {
                expected(format!("{property}, which is a document"))
            }
            QueryableKind::Attribute(attribute) => Ok(Scalar {
                kind: attribute.kind,
                sql: Fragment::new(schema.column(attribute)),
                said: format!("{property} ({})", name(attribute.kind)),
            }),
        },
        Expr::Literal(text) => {
            Ok(Scalar::literal(AttributeType::Text, Bound::Text(text.clone()), format_args!("'{text}'")))
        }
        Expr::Bool(flag) => Ok(Scalar::literal(AttributeType::Boolean, Bound::Boolean(*flag), flag)),
        Expr::Float(number) if !number.is_finite() => {
            Err(InvalidFilter::literal("a number", "it is larger than numbers can be here"))
        }
        Expr::Float(number) if number.fract() == 0.0 && number.abs() <= EXACT => {
            Ok(Scalar::literal(AttributeType::Integer, Bound::Integer(*number as i64), number))
        }
        Expr::Float(number) => Ok(Scalar::literal(AttributeType::Number, Bound::Number(*number), number)),
        Expr::Date { date: inner } => {
            let date = date(text_of("DATE", inner)?)?;
            Ok(Scalar::literal(AttributeType::Date, Bound::Date(date), date))
        }
        Expr::Timestamp { timestamp: inner } => {
            let text = text_of("TIMESTAMP", inner)?;
            Ok(Scalar::literal(AttributeType::DateTime, Bound::Instant(instant(text)?), text))
        }
        Expr::Operation { op, args } => operation(schema, op, args, expression, depth),
        Expr::Null => expected("null; ask with IS NULL".to_owned()),
        Expr::Interval { .. } => expected("an interval, which only the temporal functions (T_...) take".to_owned()),
        Expr::BBox { .. } | Expr::Geometry(_) => {
            expected("a geometry, which only the spatial functions (S_...) take".to_owned())
        }
        Expr::Array(_) => expected("a list".to_owned()),
    }
}

fn operation(
    schema: &Schema,
    op: &str,
    args: &[Box<Expr>],
    expression: &Expr,
    depth: usize,
) -> Result<Scalar, InvalidFilter> {
    let (opening, between, closing) = match op {
        "+" => ("(", " + ", ")"),
        "-" => ("(", " - ", ")"),
        "*" => ("(", " * ", ")"),
        // Nothing is anything by zero, rather than that the whole question fails.
        "/" => ("(", " / NULLIF(", ", 0))"),
        "div" => ("trunc(", " / NULLIF(", ", 0))"),
        "%" => ("mod((", ")::numeric, NULLIF(", ", 0)::numeric)::double precision"),
        "^" => ("power(", ", ", ")"),
        "casei" | "accenti" => return folded(schema, op, args, depth),
        // True or false, as in (a > 1) = (b > 1).
        _ => {
            let sql = condition(schema, expression, depth + 1)?;
            return Ok(Scalar { kind: AttributeType::Boolean, sql, said: format!("{op} (true or false)") });
        }
    };
    let [left, right] = pair(op, args)?;
    let number = |side: &Expr| {
        let side = scalar(schema, op, side, depth + 1)?;
        if side.is_number() {
            Ok(Fragment::new("(").then(side.sql).sql(")::double precision"))
        } else {
            Err(InvalidFilter::expected(op, "numbers", side.said))
        }
    };
    let sql = Fragment::new(opening).then(number(left)?).sql(between).then(number(right)?).sql(closing);
    Ok(Scalar { kind: AttributeType::Number, sql, said: format!("the result of {op} (a number)") })
}

/// `CASEI` and `ACCENTI`.
fn folded(schema: &Schema, op: &str, args: &[Box<Expr>], depth: usize) -> Result<Scalar, InvalidFilter> {
    let [of] = args else { return Err(InvalidFilter::expected(op, "one text", format!("{} things", args.len()))) };
    let of = scalar(schema, op, of, depth + 1)?;
    if of.kind != AttributeType::Text {
        return Err(InvalidFilter::expected(op, "a text", of.said));
    }
    let opening = match op {
        "casei" => "lower(",
        _ => "public.unaccent('public.unaccent'::regdictionary, ",
    };
    Ok(Scalar { sql: Fragment::new(opening).then(of.sql).sql(")"), ..of })
}

/// The two operands of an operator.
pub(super) fn pair<'a>(op: &str, args: &'a [Box<Expr>]) -> Result<[&'a Expr; 2], InvalidFilter> {
    match args {
        [left, right] => Ok([left, right]),
        _ => Err(InvalidFilter::expected(op, "two operands", args.len().to_string())),
    }
}

/// The text within `DATE(...)`, `TIMESTAMP(...)`.
pub(super) fn text_of<'a>(operator: &str, inner: &'a Expr) -> Result<&'a str, InvalidFilter> {
    match inner {
        Expr::Literal(text) => Ok(text),
        _ => Err(InvalidFilter::expected(operator, "a text", "something else")),
    }
}

pub(super) fn date(text: &str) -> Result<NaiveDate, InvalidFilter> {
    text.parse().map_err(|_| InvalidFilter::literal("a date", format!("expected one as 2026-11-20, not {text:?}")))
}

pub(super) fn instant(text: &str) -> Result<DateTime<Utc>, InvalidFilter> {
    DateTime::parse_from_rfc3339(text).map(|instant| instant.with_timezone(&Utc)).map_err(|_| {
        InvalidFilter::literal("a timestamp", format!("expected one as 2026-11-20T08:00:00Z, not {text:?}"))
    })
}
