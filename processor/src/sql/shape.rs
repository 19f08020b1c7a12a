//! The types of JSON fields that no CREATE TABLE declares: STRING where a query takes a field as it is, STRUCT where it
//! takes a part by name, ARRAY where it takes one by number.

use std::sync::Arc;

use crate::types::{DataType, Field};

/// What a query takes of a field, as far as it was read.
#[derive(Clone, Debug, Default)]
pub(super) enum Shape {
    /// Not yet known.
    #[default]
    Any,
    /// A value, as text.
    Text,
    /// Parts by their names, in the order in which they were first named: a number once given stays.
    Struct(Vec<(String, Shape)>),
    /// Parts by number, all of one shape.
    Array(Box<Shape>),
}

impl Shape {
    /// A part by its name; `Err` is the shape that it has in other places.
    pub(super) fn field(&mut self, name: &str) -> Result<&mut Self, DataType> {
        if matches!(self, Self::Any) {
            *self = Self::Struct(Vec::new());
        }
        let shown = self.data_type();
        let Self::Struct(fields) = self else { return Err(shown) };
        let folded = name.to_lowercase();
        let known = fields.iter().position(|(field, _)| field.to_lowercase() == folded);
        let index = known.unwrap_or_else(|| {
            fields.push((name.to_owned(), Self::Any));
            fields.len() - 1
        });
        fields.get_mut(index).map(|(_, shape)| shape).ok_or(shown)
    }

    /// The parts by number.
    pub(super) fn element(&mut self) -> Result<&mut Self, DataType> {
        if matches!(self, Self::Any) {
            *self = Self::Array(Box::default());
        }
        let shown = self.data_type();
        match self {
            Self::Array(element) => Ok(element),
            _ => Err(shown),
        }
    }

    /// The value itself.
    pub(super) fn text(&mut self) -> Result<(), DataType> {
        match self {
            Self::Any | Self::Text => {
                *self = Self::Text;
                Ok(())
            }
            _ => Err(self.data_type()),
        }
    }

    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Any | Self::Text => DataType::String,
            Self::Array(element) => DataType::Array(Arc::new(element.data_type())),
            Self::Struct(fields) => DataType::Struct(
                fields.iter().map(|(name, shape)| Field { name: name.clone(), data_type: shape.data_type() }).collect(),
            ),
        }
    }
}
