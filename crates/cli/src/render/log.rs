//! The members' logs.

use quorate_api::LogPage;

use super::{short_id, table};
use crate::console::Console;
use crate::failure::Outcome;
use crate::when;

/// Entries, then heads.
pub(crate) fn log_page(console: &mut Console, page: &LogPage) -> Outcome {
    let rows = page.entries.iter().map(|entry| {
        vec![
            when::show(entry.at_ms),
            entry.author.clone(),
            entry.position.to_string(),
            entry.kind.clone(),
            entry
                .request
                .as_deref()
                .map(short_id)
                .unwrap_or_default()
                .to_owned(),
            entry.summary.clone(),
        ]
    });
    let header = ["WHEN", "MEMBER", "#", "ENTRY", "REQUEST", "WHAT"];
    table::print(console, &header, &[2], rows.collect())?;
    console.line("")?;
    let heads = page.heads.iter().map(|head| {
        let cosigned = head
            .cosigned
            .iter()
            .map(|it| format!("{} at {}", it.member, it.size));
        vec![
            head.author.clone(),
            head.size.to_string(),
            head.root.clone(),
            cosigned.collect::<Vec<_>>().join(", "),
        ]
    });
    let header = ["LOG OF", "ENTRIES", "ROOT", "COSIGNED BY"];
    table::print(console, &header, &[1], heads.collect())
}
