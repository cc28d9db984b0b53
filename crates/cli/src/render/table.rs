//! Tables without borders.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::console::{Console, clean};
use crate::failure::Outcome;

/// Prints `rows` under `header`. `right` names the columns that align right.
pub(crate) fn print(
    console: &mut Console,
    header: &[&str],
    right: &[usize],
    rows: Vec<Vec<String>>,
) -> Outcome {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.iter().copied());
    for row in rows {
        // A cell is one line, whatever another member wrote into it.
        table.add_row(row.iter().map(|cell| clean(cell).replace('\n', " / ")));
    }
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.lines() {
        console.line(line.trim_end())?;
    }
    Ok(())
}
