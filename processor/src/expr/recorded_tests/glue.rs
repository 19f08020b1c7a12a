//! Expressions of the recording, parsed and built. The tests' own way from SQL to the builder: it knows what they use.

use std::sync::LazyLock;

use fancy_regex::Regex;
use sqlparser::ast::{
    self, BinaryOperator, CeilFloorKind, DateTimeField, Expr as Sql, FunctionArg, FunctionArgExpr, FunctionArguments,
    Subscript, TrimWhereField, UnaryOperator, Value as Literal,
};
use sqlparser::dialect::DatabricksDialect;
use sqlparser::parser::{Parser, ParserOptions};

use super::rows;
use crate::expr::build::{self, Binary, Built, Interval, Typed};
use crate::types::{DataType, Decimal, Value, parse_type};

pub(super) fn build(text: &str) -> Result<Typed, String> {
    // Spark's literals with a type's letter, as calls.
    if let Some((left, right)) = text.split_once(" div ") {
        return of(build::binary(Binary::IntegralDivide, build(left)?, build(right)?));
    }
    static LETTERED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(\d+(?:\.\d+)?)(BD|D|L)\b").unwrap());
    let text = LETTERED.replace_all(text, "literal_$2('$1')");
    let options = ParserOptions::new().with_unescape(false);
    let mut parser =
        Parser::new(&DatabricksDialect {}).with_options(options).try_with_sql(&text).map_err(|e| e.to_string())?;
    let parsed = parser.parse_expr().map_err(|error| error.to_string())?;
    if parser.peek_token().token != sqlparser::tokenizer::Token::EOF {
        return Err(format!("not parsed to the end: {}", parser.peek_token()));
    }
    lower(&parsed)
}

fn of(built: Built) -> Result<Typed, String> {
    built.map_err(|error| format!("{}; {}", error.what, error.instead))
}

fn string(text: &str) -> Typed {
    build::literal(Value::String(text.as_bytes().to_vec().into()), DataType::String, text.to_owned())
}

/// As Spark unescapes a text between quotes.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, chars.clone().next()) {
            ('\\', Some(next @ ('%' | '_'))) => {
                out.push('\\');
                out.push(next);
                chars.next();
            }
            ('\\', Some(next)) => {
                out.push(match next {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                });
                chars.next();
            }
            ('\'', Some('\'')) => {
                chars.next();
            }
            (char, _) => out.push(char),
        }
    }
    out
}

fn number(text: &str, long: bool) -> Typed {
    if text.contains(['e', 'E']) {
        return double(text);
    }
    if text.contains('.') || text.parse::<i64>().is_err() {
        let decimal = Decimal::literal(text.as_bytes()).unwrap();
        let data_type = DataType::Decimal { precision: decimal.precision, scale: decimal.scale };
        return build::literal(Value::Decimal(decimal), data_type, text.to_owned());
    }
    match text.parse::<i32>() {
        Ok(value) if !long => build::literal(Value::Int(value), DataType::Int, text.to_owned()),
        _ => build::literal(Value::BigInt(text.parse().unwrap()), DataType::BigInt, text.to_owned()),
    }
}

fn double(text: &str) -> Typed {
    let value: f64 = text.parse().unwrap();
    let mut name = Vec::new();
    crate::java_double::write(value, &mut name);
    build::literal(Value::Double(value), DataType::Double, String::from_utf8(name).unwrap())
}

fn identifier(name: &str) -> Result<Typed, String> {
    let columns = rows::columns();
    let found = columns.iter().enumerate().find(|(_, (column, _))| column.eq_ignore_ascii_case(name));
    let (index, (column, data_type)) = found.ok_or_else(|| format!("no column {name}"))?;
    Ok(build::column(index, data_type.clone(), column.clone()))
}

fn literal(value: &Literal) -> Result<Typed, String> {
    Ok(match value {
        Literal::Number(text, long) => number(text, *long),
        Literal::SingleQuotedString(text) | Literal::DoubleQuotedString(text) => string(&unescaped(text)),
        Literal::Boolean(value) => build::literal(Value::Boolean(*value), DataType::Boolean, value.to_string()),
        Literal::Null => build::literal(Value::Null, DataType::Null, "NULL".to_owned()),
        other => return Err(format!("literal {other}")),
    })
}

fn all(list: &[Sql]) -> Result<Vec<Typed>, String> {
    list.iter().map(lower).collect()
}

fn call(name: &str, arguments: &[&Sql]) -> Result<Typed, String> {
    let arguments: Result<Vec<Typed>, String> = arguments.iter().map(|argument| lower(argument)).collect();
    of(build::call(name, arguments?))
}

fn lower(sql: &Sql) -> Result<Typed, String> {
    match sql {
        Sql::Nested(inner) => lower(inner),
        Sql::Identifier(ident) => identifier(&ident.value),
        Sql::CompoundIdentifier(parts) => {
            let mut parts = parts.iter();
            let first = identifier(&parts.next().unwrap().value)?;
            parts.try_fold(first, |operand, part| of(build::field(operand, &part.value)))
        }
        Sql::CompoundFieldAccess { root, access_chain } => {
            access_chain.iter().try_fold(lower(root)?, |operand, access| match access {
                ast::AccessExpr::Subscript(Subscript::Index { index }) => of(build::index(operand, lower(index)?)),
                ast::AccessExpr::Dot(Sql::Identifier(name)) => of(build::field(operand, &name.value)),
                other => Err(format!("access {other}")),
            })
        }
        Sql::Value(value) => literal(&value.value),
        Sql::TypedString(typed) => {
            let to = parse_type(&typed.data_type.to_string()).map_err(|error| format!("{error:?}"))?;
            let Literal::SingleQuotedString(text) = &typed.value.value else { return Err("typed string".to_owned()) };
            let name = format!("{} '{text}'", typed.data_type);
            let value = crate::types::cast(Value::String(text.as_bytes().into()), &DataType::String, &to).into_owned();
            Ok(build::literal(value, to, name))
        }
        Sql::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Sql::Value(value) => match &value.value {
                Literal::Number(text, long) => Ok(number(&format!("-{text}"), *long)),
                _ => of(build::negate(lower(expr)?)),
            },
            Sql::Function(function) if function.name.to_string() == "literal_D" => {
                let text = lower(expr)?.text;
                Ok(double(&format!("-{text}")))
            }
            _ => of(build::negate(lower(expr)?)),
        },
        Sql::UnaryOp { op: UnaryOperator::Plus, expr } => call("positive", &[expr]),
        Sql::UnaryOp { op: UnaryOperator::Not, expr } => of(build::not(lower(expr)?)),
        Sql::UnaryOp { op: UnaryOperator::BitwiseNot, expr } => call("~", &[expr]),
        Sql::BinaryOp { left, op, right } => match (op, right.as_ref()) {
            (BinaryOperator::Plus, Sql::Interval(interval)) => {
                of(build::add_interval(lower(left)?, span(interval, 1)?))
            }
            (BinaryOperator::Minus, Sql::Interval(interval)) => {
                of(build::add_interval(lower(left)?, span(interval, -1)?))
            }
            _ => of(build::binary(binary(op)?, lower(left)?, lower(right)?)),
        },
        Sql::IsNull(expr) => Ok(build::is_null(lower(expr)?)),
        Sql::IsNotNull(expr) => Ok(build::is_not_null(lower(expr)?)),
        Sql::In { expr, target: ast::InTarget::List(list), negated, .. } => {
            negate(*negated, of(build::in_list(lower(expr)?, all(list)?)))
        }
        Sql::Between { expr, negated, low, high } => {
            negate(*negated, of(build::between(lower(expr)?, lower(low)?, lower(high)?)))
        }
        Sql::Like { negated, any: false, expr, pattern, escape_char } => {
            negate(*negated, like(expr, pattern, escape_char.as_deref(), false))
        }
        Sql::ILike { negated, any: false, expr, pattern, escape_char } => {
            negate(*negated, like(expr, pattern, escape_char.as_deref(), true))
        }
        Sql::RLike { negated, expr, pattern, .. } => negate(*negated, of(build::rlike(lower(expr)?, lower(pattern)?))),
        Sql::Case { operand, conditions, else_result, .. } => {
            let mut branches = Vec::new();
            for branch in conditions {
                let mut condition = lower(&branch.condition)?;
                if let Some(operand) = operand {
                    condition = of(build::binary(Binary::Eq, lower(operand)?, condition))?;
                }
                branches.push((condition, lower(&branch.result)?));
            }
            of(build::case(branches, else_result.as_deref().map(lower).transpose()?))
        }
        Sql::Cast { expr, data_type, .. } => cast(lower(expr)?, &data_type.to_string()),
        Sql::Function(function) => function_call(function),
        Sql::Substring { expr, substring_from, substring_for, shorthand, .. } => {
            let bounds = [substring_from, substring_for].into_iter().flatten().map(AsRef::as_ref);
            let arguments: Vec<&Sql> = std::iter::once(expr.as_ref()).chain(bounds).collect();
            call(if *shorthand { "substr" } else { "substring" }, &arguments)
        }
        Sql::Position { expr, r#in } => call("locate", &[expr, r#in]),
        Sql::Trim { trim_where, trim_what: Some(what), expr, .. } => {
            let name = match trim_where {
                Some(TrimWhereField::Leading) => "ltrim",
                Some(TrimWhereField::Trailing) => "rtrim",
                _ => "trim",
            };
            call(name, &[what, expr])
        }
        Sql::Trim { expr, trim_characters, .. } => {
            let more = trim_characters.iter().flatten();
            let arguments: Vec<&Sql> = std::iter::once(expr.as_ref()).chain(more).collect();
            call("trim", &arguments)
        }
        Sql::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
            let arguments = [Some(expr), Some(overlay_what), Some(overlay_from), overlay_for.as_ref()];
            let arguments: Vec<&Sql> = arguments.into_iter().flatten().map(AsRef::as_ref).collect();
            call("overlay", &arguments)
        }
        Sql::Extract { field, expr, .. } => of(build::call("extract", vec![string(&field.to_string()), lower(expr)?])),
        Sql::Struct { values, .. } => of(build::call("struct", all(values)?)),
        Sql::Ceil { expr, field } => rounded("ceil", expr, field),
        Sql::Floor { expr, field } => rounded("floor", expr, field),
        other => Err(format!("not parsed: {other}")),
    }
}

fn rounded(name: &str, expr: &Sql, kind: &CeilFloorKind) -> Result<Typed, String> {
    let mut arguments = vec![lower(expr)?];
    match kind {
        CeilFloorKind::Scale(scale) => arguments.push(literal(&scale.value)?),
        CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {}
        CeilFloorKind::DateTimeField(field) => return Err(format!("{name} to {field}")),
    }
    of(build::call(name, arguments))
}

fn negate(negated: bool, typed: Result<Typed, String>) -> Result<Typed, String> {
    if negated { of(build::not(typed?)) } else { typed }
}

fn like(expr: &Sql, pattern: &Sql, escape: Option<&Sql>, any_case: bool) -> Result<Typed, String> {
    let escape = escape.and_then(|escape| match escape {
        Sql::Value(value) => match &value.value {
            Literal::SingleQuotedString(text) => text.chars().next(),
            _ => None,
        },
        _ => None,
    });
    of(build::like(lower(expr)?, lower(pattern)?, escape, any_case))
}

fn cast(operand: Typed, to: &str) -> Result<Typed, String> {
    let to = if to.eq_ignore_ascii_case("decimal") { "DECIMAL(10,0)" } else { to };
    let to = parse_type(to).map_err(|error| format!("{to}: {error:?}"))?;
    of(build::cast(operand, to))
}

fn function_call(function: &ast::Function) -> Result<Typed, String> {
    let name = function.name.to_string().to_lowercase();
    let FunctionArguments::List(list) = &function.args else { return Err("no arguments".to_owned()) };
    let mut arguments = Vec::new();
    for argument in &list.args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => arguments.push(lower(expr)?),
            other => return Err(format!("argument {other}")),
        }
    }
    match (name.as_str(), arguments.as_slice()) {
        ("literal_d", [text]) => Ok(double(&text.text)),
        ("literal_l", [text]) => Ok(number(&text.text, true)),
        ("literal_bd", [text]) => Ok(number(&text.text, false)),
        _ => of(build::call(&name, arguments)),
    }
}

fn binary(op: &BinaryOperator) -> Result<Binary, String> {
    Ok(match op {
        BinaryOperator::Plus => Binary::Add,
        BinaryOperator::Minus => Binary::Subtract,
        BinaryOperator::Multiply => Binary::Multiply,
        BinaryOperator::Divide => Binary::Divide,
        BinaryOperator::Modulo => Binary::Modulo,
        BinaryOperator::MyIntegerDivide => Binary::IntegralDivide,
        BinaryOperator::StringConcat => Binary::Concat,
        BinaryOperator::BitwiseAnd => Binary::BitAnd,
        BinaryOperator::BitwiseOr => Binary::BitOr,
        BinaryOperator::BitwiseXor => Binary::BitXor,
        BinaryOperator::Eq => Binary::Eq,
        BinaryOperator::NotEq => Binary::NotEq,
        BinaryOperator::Lt => Binary::Lt,
        BinaryOperator::LtEq => Binary::LtEq,
        BinaryOperator::Gt => Binary::Gt,
        BinaryOperator::GtEq => Binary::GtEq,
        BinaryOperator::Spaceship => Binary::NullSafeEq,
        BinaryOperator::And => Binary::And,
        BinaryOperator::Or => Binary::Or,
        other => return Err(format!("operator {other}")),
    })
}

fn span(interval: &ast::Interval, sign: i32) -> Result<Interval, String> {
    let text = interval.to_string();
    let words: Vec<&str> = text.split_whitespace().skip(1).map(|word| word.trim_matches('\'')).collect();
    let mut span = Interval::default();
    for pair in words.chunks(2) {
        let [count, unit] = pair else { return Err(text.clone()) };
        let count: i32 = count.parse().map_err(|_| text.clone())?;
        let count = count * sign;
        match unit.to_uppercase().trim_end_matches('S') {
            "YEAR" => span.months += 12 * count,
            "MONTH" => span.months += count,
            "DAY" => span.days += count,
            "WEEK" => span.days += 7 * count,
            "SECOND" => span.micros += 1_000_000 * i64::from(count),
            "HOUR" => span.micros += 3_600_000_000 * i64::from(count),
            "MINUTE" => span.micros += 60_000_000 * i64::from(count),
            _ => return Err(text.clone()),
        }
    }
    Ok(span)
}
