//! Sealing anew: a value that one key sealed is opened and sealed with another, under the label its row gives it.

use kernel::secrets::{INSTALLATION_UNSEALED, SealedColumn, SealedLabel, SecretKey};
use kernel::store::{Table, Value};
use kernel::{Error, Result};

/// Seals the sealed columns of rows anew.
pub(crate) struct Resealer {
    from: SecretKey,
    to: SecretKey,
    columns: Vec<SealedColumn>,
    /// Of the table whose rows come: index of the sealed column, and of what its label is made.
    here: Vec<(usize, LabelAt)>,
}

enum LabelAt {
    Same(&'static str),
    OfId { before: &'static str, prefix: &'static str, index: usize },
    OfText { before: &'static str, index: usize },
}

impl Resealer {
    pub fn new(from: &SecretKey, to: &SecretKey, columns: &[SealedColumn]) -> Self {
        Self { from: from.clone(), to: to.clone(), columns: columns.to_vec(), here: Vec::new() }
    }

    /// Rows of this table come next.
    pub fn table(&mut self, table: &Table) {
        let index_of = |name: &str| table.columns.iter().position(|column| column.name == name);
        let here = self.columns.iter().filter(|sealed| sealed.table == table.name).filter_map(|sealed| {
            let label = match sealed.label {
                SealedLabel::Same(label) => LabelAt::Same(label),
                SealedLabel::OfId { before, prefix, column } => LabelAt::OfId { before, prefix, index: index_of(column)? },
                SealedLabel::OfText { before, column } => LabelAt::OfText { before, index: index_of(column)? },
            };
            Some((index_of(sealed.column)?, label))
        });
        self.here = here.collect();
    }

    /// Whether rows of this table have anything sealed.
    pub fn is_needed(&self) -> bool {
        !self.here.is_empty()
    }

    /// Seals a row's values anew. Answers whether any was.
    ///
    /// # Errors
    /// `Internal` when one does not open.
    pub fn row(&self, row: &mut [Value]) -> Result<bool> {
        let mut is_changed = false;
        for (index, label) in &self.here {
            let Value::Blob(sealed) = &row[*index] else { continue };
            let Some(label) = label.of(row)? else { continue };
            let plain = self.from.open(&label, sealed)?;
            row[*index] = Value::Blob(self.to.seal(&label, &plain));
            is_changed = true;
        }
        Ok(is_changed)
    }

    /// Whether every sealed value of this row opens with the key that it should be sealed with by now.
    pub fn is_done(&self, row: &[Value]) -> Result<bool> {
        for (index, label) in &self.here {
            let Value::Blob(sealed) = &row[*index] else { continue };
            let Some(label) = label.of(row)? else { continue };
            if self.to.alone().open(&label, sealed).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl LabelAt {
    /// The label of this row's value; none when the value is not sealed.
    fn of(&self, row: &[Value]) -> Result<Option<String>> {
        Ok(match self {
            Self::Same(label) => Some((*label).to_owned()),
            Self::OfId { before, prefix, index } => match &row[*index] {
                Value::Uuid(id) => Some(format!("{before}{prefix}_{}", id.simple())),
                other => return Err(Error::internal(format!("{other:?} where an id should be"))),
            },
            Self::OfText { before, index } => match &row[*index] {
                Value::Text(label) if INSTALLATION_UNSEALED.contains(&label.as_str()) => None,
                Value::Text(text) => Some(format!("{before}{text}")),
                other => return Err(Error::internal(format!("{other:?} where a name should be"))),
            },
        })
    }
}
