//! What is true or false.

use cql2::Expr;

use super::fragment::{Bound, Fragment};
use super::scalar::{Scalar, pair, scalar};
use super::schema::{QueryableKind, Schema};
use super::syntax::DEEPEST;
use super::{InvalidFilter, geometry, period};
use crate::AttributeType;
use crate::catalog::Quoted;

/// The condition that an expression is, as SQL: true, false or NULL.
pub(super) fn condition(schema: &Schema, expression: &Expr, depth: usize) -> Result<Fragment, InvalidFilter> {
    if depth > DEEPEST {
        return Err(InvalidFilter::TooDeep { most: DEEPEST });
    }
    let (op, args) = match expression {
        Expr::Bool(flag) => return Ok(Fragment::bound(Bound::Boolean(*flag))),
        Expr::Operation { op, args } => (op.as_str(), args.as_slice()),
        other => {
            let value = scalar(schema, "a filter", other, depth + 1)?;
            return boolean(value);
        }
    };
    match op {
        "and" | "or" => {
            let parts: Vec<Fragment> =
                args.iter().map(|arg| condition(schema, arg, depth + 1)).collect::<Result<_, _>>()?;
            if parts.len() < 2 {
                return Err(InvalidFilter::expected(op, "two conditions or more", parts.len().to_string()));
            }
            Ok(Fragment::joined(parts, if op == "and" { " AND " } else { " OR " }))
        }
        "not" => {
            let [of] = args else {
                return Err(InvalidFilter::expected(op, "one condition", args.len().to_string()));
            };
            Ok(Fragment::new("(NOT ").then(condition(schema, of, depth + 1)?).sql(")"))
        }
        "=" | "<>" | "<" | ">" | "<=" | ">=" => {
            let [left, right] = pair(op, args)?;
            let (left, right) = (scalar(schema, op, left, depth + 1)?, scalar(schema, op, right, depth + 1)?);
            let symbol = match op {
                "=" => " = ",
                "<>" => " <> ",
                "<" => " < ",
                ">" => " > ",
                "<=" => " <= ",
                _ => " >= ",
            };
            fit(&left, &right)?;
            let ordered = !matches!(op, "=" | "<>");
            let side = |side: Scalar| if ordered { in_order(side) } else { side.sql };
            Ok(Fragment::joined([side(left), side(right)], symbol))
        }
        "like" => like(schema, args, depth),
        "between" => between(schema, args, depth),
        "in" => is_in(schema, args, depth),
        "isNull" => is_null(schema, args, depth),
        _ if op.starts_with("s_") => geometry::condition(schema, op, args),
        _ if op.starts_with("t_") => period::condition(schema, op, args, depth),
        "+" | "-" | "*" | "/" | "%" | "^" | "div" | "casei" | "accenti" => {
            boolean(scalar(schema, op, expression, depth + 1)?)
        }
        other => Err(unsupported(other)),
    }
}

/// An operator or function that we have not.
pub(super) fn unsupported(op: &str) -> InvalidFilter {
    let short: String = op.chars().take(40).collect();
    InvalidFilter::Unsupported(format!("the operator or function {short:?}"))
}

fn boolean(value: Scalar) -> Result<Fragment, InvalidFilter> {
    if value.kind == AttributeType::Boolean {
        Ok(value.sql)
    } else {
        Err(InvalidFilter::expected("the filter", "a condition, which is true or false", value.said))
    }
}

fn fit(left: &Scalar, right: &Scalar) -> Result<(), InvalidFilter> {
    if left.fits(right) {
        Ok(())
    } else {
        Err(InvalidFilter::Incomparable { left: left.said.clone(), right: right.said.clone() })
    }
}

/// An operand that is ordered. Texts stand in the order of their code points, as
/// OGC's tests have it, and so the same in every database, whatever its
/// collation.
fn in_order(value: Scalar) -> Fragment {
    if value.kind == AttributeType::Text {
        Fragment::new("(").then(value.sql).sql(") COLLATE \"C\"")
    } else {
        value.sql
    }
}

fn like(schema: &Schema, args: &[Box<Expr>], depth: usize) -> Result<Fragment, InvalidFilter> {
    let [text, pattern] = pair("LIKE", args)?;
    check_pattern(pattern)?;
    let (text, pattern) = (scalar(schema, "LIKE", text, depth + 1)?, scalar(schema, "LIKE", pattern, depth + 1)?);
    for side in [&text, &pattern] {
        if side.kind != AttributeType::Text {
            return Err(InvalidFilter::expected("LIKE", "texts", side.said.clone()));
        }
    }
    Ok(Fragment::joined([text.sql, pattern.sql], " LIKE "))
}

/// A pattern is a literal, within `CASEI` and `ACCENTI` or not, and whole: a
/// backslash at its end would escape nothing, which PostgreSQL refuses.
fn check_pattern(pattern: &Expr) -> Result<(), InvalidFilter> {
    match pattern {
        Expr::Literal(text) => {
            let trailing = text.bytes().rev().take_while(|byte| *byte == b'\\').count();
            if trailing % 2 == 1 {
                return Err(InvalidFilter::literal("a pattern", "the backslash at its end escapes nothing"));
            }
            Ok(())
        }
        Expr::Operation { op, args } if matches!(op.as_str(), "casei" | "accenti") && args.len() == 1 => {
            check_pattern(&args[0])
        }
        _ => Err(InvalidFilter::expected("LIKE", "a pattern in quotes", "something else")),
    }
}

fn between(schema: &Schema, args: &[Box<Expr>], depth: usize) -> Result<Fragment, InvalidFilter> {
    let [value, low, high] = args else {
        return Err(InvalidFilter::expected("BETWEEN", "a value and two bounds", args.len().to_string()));
    };
    let of = |side: &Expr| scalar(schema, "BETWEEN", side, depth + 1);
    let (value, low, high) = (of(value)?, of(low)?, of(high)?);
    fit(&value, &low)?;
    fit(&value, &high)?;
    let (value, low, high) = (in_order(value), in_order(low), in_order(high));
    Ok(Fragment::new("(").then(value).sql(" BETWEEN ").then(low).sql(" AND ").then(high).sql(")"))
}

fn is_in(schema: &Schema, args: &[Box<Expr>], depth: usize) -> Result<Fragment, InvalidFilter> {
    let [value, list] = pair("IN", args)?;
    let value = scalar(schema, "IN", value, depth + 1)?;
    let Expr::Array(members) = list else {
        return Err(InvalidFilter::expected("IN", "a list in parentheses", "something else"));
    };
    if members.is_empty() {
        return Err(InvalidFilter::expected("IN", "a list", "an empty one"));
    }
    let members = members.iter().map(|member| {
        let member = scalar(schema, "IN", member, depth + 1)?;
        fit(&value, &member)?;
        Ok(member.sql)
    });
    let members = Fragment::joined(members.collect::<Result<Vec<_>, _>>()?, ", ");
    Ok(Fragment::joined([value.sql, members], " IN "))
}

fn is_null(schema: &Schema, args: &[Box<Expr>], depth: usize) -> Result<Fragment, InvalidFilter> {
    let [of] = args else { return Err(InvalidFilter::expected("IS NULL", "one operand", args.len().to_string())) };
    let value = match of.as_ref() {
        Expr::Property { property } => {
            let known = schema.property(property)?;
            Fragment::new(match known.kind {
                QueryableKind::Geometry => Quoted::identifier(&schema.layer.table.geometry),
                QueryableKind::Attribute(attribute) => Quoted::identifier(&attribute.name),
            })
        }
        other => scalar(schema, "IS NULL", other, depth + 1)?.sql,
    };
    Ok(Fragment::new("(").then(value).sql(" IS NULL)"))
}
