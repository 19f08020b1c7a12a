//! Parts of values: `org.apache.spark.sql.catalyst.expressions.ExtractValue`.

use std::sync::Arc;

use super::coerce::{Takes, is_integral};
use super::{BuildError, Built, Typed, sql_type};
use crate::expr::Expr;
use crate::expr::functions::{Function, collections};
use crate::types::{DataType, Field, Value};

/// `operand.name` of a STRUCT (name is case-insensitive), also over an ARRAY of STRUCTs; a key of a MAP.
pub(crate) fn field(operand: Typed, name: &str) -> Built {
    // A path of names from a column has its last name; any other expression is named in full.
    let is_path = match operand.expr {
        Expr::Column(_) => true,
        Expr::Cast { .. } => false,
        _ => operand.name != operand.text,
    };
    let mut part = extract(operand, name)?;
    if is_path {
        name.clone_into(&mut part.name);
    }
    Ok(part)
}

fn extract(operand: Typed, name: &str) -> Built {
    let text = format!("{}.{name}", operand.text);
    match &operand.data_type {
        DataType::Struct(fields) => {
            let (index, data_type) = find(fields, &operand.text, name)?;
            let expr = Expr::Field(Box::new(operand.into_expr()), index);
            Ok(Typed::new(expr, data_type, text))
        }
        DataType::Array(element) => match element.as_ref() {
            DataType::Struct(fields) => {
                let (index, data_type) = find(fields, &operand.text, name)?;
                let expr = Function::ArrayField(index).over(vec![operand.into_expr()]);
                Ok(Typed::new(expr, DataType::Array(Arc::new(data_type)), text))
            }
            _ => Err(BuildError::new(
                format!("{text}: the elements of {} are {}", operand.text, sql_type(element)),
                format!("an element by its number, as {}[0]", operand.text),
            )),
        },
        DataType::Map(..) => {
            let key = Value::String(name.as_bytes().to_vec().into());
            index(operand, Typed::new(Expr::Literal(key), DataType::String, name.to_owned()))
        }
        other => Err(BuildError::new(
            format!("{text}: {} is {}, which has no parts", operand.text, sql_type(other)),
            format!("{} declared as STRUCT<{name}: …>, or another column", operand.text),
        )),
    }
}

fn find(fields: &[Field], text: &str, name: &str) -> Result<(usize, DataType), BuildError> {
    let mut found = fields.iter().enumerate().filter(|(_, field)| field.name.eq_ignore_ascii_case(name));
    let names = || fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
    match (found.next(), found.next()) {
        (Some((index, field)), None) => Ok((index, field.data_type.clone())),
        (Some(_), Some(_)) => Err(BuildError::new(
            format!("{text} has several fields named {name}"),
            "a schema whose field names differ by more than case".to_owned(),
        )),
        (None, _) => {
            Err(BuildError::new(format!("{text} has no field {name}"), format!("one of its fields: {}", names())))
        }
    }
}

/// `operand[index]` of an ARRAY or a MAP.
pub(crate) fn index(operand: Typed, index: Typed) -> Built {
    let text = format!("{}[{}]", operand.text, index.text);
    match operand.data_type.clone() {
        DataType::Array(element) => {
            if !is_integral(&index.data_type) && index.data_type != DataType::Null {
                return Err(BuildError::operand(&text, &index, "INT or BIGINT"));
            }
            let index = index.converted(&DataType::BigInt);
            let expr = Function::Two(collections::item).over(vec![operand.into_expr(), index.into_expr()]);
            Ok(Typed::new(expr, element.as_ref().clone(), text))
        }
        DataType::Map(key, value) => {
            let takes = match key.as_ref() {
                DataType::String => Takes::String,
                DataType::Int => Takes::Int,
                DataType::BigInt => Takes::BigInt,
                DataType::Float => Takes::Float,
                DataType::Double => Takes::Double,
                DataType::Date => Takes::Date,
                DataType::Timestamp => Takes::Timestamp,
                _ => Takes::Any,
            };
            match takes.accept(&index.data_type) {
                Some(accepted) if accepted == *key => {}
                _ => return Err(BuildError::operand(&text, &index, &sql_type(&key))),
            }
            let index = index.converted(&key);
            let expr = Function::Two(collections::entry).over(vec![operand.into_expr(), index.into_expr()]);
            Ok(Typed::new(expr, value.as_ref().clone(), text))
        }
        DataType::Struct(_) => match index.value() {
            Some(Value::String(name)) => extract(operand, &String::from_utf8_lossy(&name)),
            _ => Err(BuildError::new(
                format!("{text}: a field of {} is taken by its name", operand.text),
                format!("{}.name", operand.text),
            )),
        },
        other => Err(BuildError::new(
            format!("{text}: {} is {}, which has no parts", operand.text, sql_type(&other)),
            "an ARRAY, a MAP or a STRUCT".to_owned(),
        )),
    }
}
