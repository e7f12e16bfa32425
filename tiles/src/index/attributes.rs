//! Attributes, each a column of codes into a dictionary of values that are
//! encoded already.

use std::collections::HashMap;

use layers::Value;

use crate::encode::mvt;

/// One attribute of all features.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// By feature: 0 is no value, n the dictionary's entry n - 1.
    codes: Vec<u32>,
    /// The values as messages `Value` of MVT.
    dictionary: Vec<Box<[u8]>>,
}

impl Column {
    /// The feature's value as MVT has it; none where it has none.
    pub(crate) fn code(&self, feature: u32) -> Option<u32> {
        self.codes[feature as usize].checked_sub(1)
    }

    /// The value of a code.
    pub(crate) fn value(&self, code: u32) -> &[u8] {
        &self.dictionary[code as usize]
    }

    pub(super) fn bytes(&self) -> usize {
        self.codes.len() * 4 + self.dictionary.iter().map(|value| value.len() + 16).sum::<usize>()
    }
}

/// Builds a column.
#[derive(Debug)]
pub(super) struct ColumnBuilder {
    name: String,
    codes: Vec<u32>,
    dictionary: Vec<Box<[u8]>>,
    known: HashMap<Box<[u8]>, u32>,
}

impl ColumnBuilder {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), codes: Vec::new(), dictionary: Vec::new(), known: HashMap::new() }
    }

    pub(super) fn push(&mut self, value: &Value) {
        let Some(bytes) = mvt::value(value) else { return self.codes.push(0) };
        let code = self.known.get(bytes.as_slice()).copied().unwrap_or_else(|| {
            let bytes = bytes.into_boxed_slice();
            self.dictionary.push(bytes.clone());
            let code = self.dictionary.len() as u32;
            self.known.insert(bytes, code);
            code
        });
        self.codes.push(code);
    }

    /// The column with its values in that order.
    pub(super) fn finish(self, order: &[u32]) -> Column {
        let codes = order.iter().map(|row| self.codes[*row as usize]).collect();
        Column { name: self.name, codes, dictionary: self.dictionary }
    }
}
