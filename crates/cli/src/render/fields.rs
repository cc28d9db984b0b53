//! Labels and values, one pair a line.

use crate::console::Console;
use crate::failure::Outcome;

/// Characters of an id that are shown in lists.
const SHORT_ID_CHARS: usize = 8;

/// Pairs of label and value that print with the values in one column.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn add(&mut self, label: &str, value: impl Into<String>) -> &mut Self {
        self.0.push((label.to_owned(), value.into()));
        self
    }

    pub(crate) fn add_some(&mut self, label: &str, value: Option<impl Into<String>>) -> &mut Self {
        if let Some(value) = value {
            self.add(label, value);
        }
        self
    }

    pub(crate) fn print(&self, console: &mut Console) -> Outcome {
        let width = self.0.iter().map(|(label, _)| label.chars().count()).max();
        let width = width.unwrap_or_default();
        for (label, value) in &self.0 {
            // A line break in a value must not look like a field of its own.
            let value = value.replace('\n', " / ");
            console.line(&format!("  {label:<width$}  {value}"))?;
        }
        Ok(())
    }
}

/// The beginning of an id, as lists show it.
pub(crate) fn short_id(id: &str) -> &str {
    id.get(..SHORT_ID_CHARS).unwrap_or(id)
}

/// Names in a row: `alice, bob`; `nobody` if there are none.
pub(crate) fn words_list(names: &[String]) -> String {
    if names.is_empty() {
        "nobody".to_owned()
    } else {
        names.join(", ")
    }
}
