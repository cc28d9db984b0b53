//! Habits that no lint holds: nothing unfinished, nothing ignored, nothing longer than a screen or two.

use crate::repository::{assert_none, files, text};

/// A file beyond this has two subjects.
const MAX_FILE_LINES: usize = 600;
/// A function beyond this does not fit a screen; comments and blank lines count.
const MAX_FUNCTION_LINES: usize = 70;
/// Files that may be longer, each with its reason. Empty, and meant to stay so.
const LONG_FILES: &[(&str, &str)] = &[];

/// Rust files with their text.
fn sources() -> impl Iterator<Item = (String, String)> {
    files()
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| (path.clone(), text(&path)))
}

#[test]
fn nothing_is_left_unfinished_or_ignored() {
    // Put together here, so that this file does not find itself.
    let marks = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    let found: Vec<String> = sources()
        .flat_map(|(path, text)| {
            let hits = text
                .lines()
                .enumerate()
                .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)));
            hits.map(|(i, line)| format!("{path}:{}: {}", i + 1, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_none(
        &found,
        "Finish it, or take it out and say so in docs/status.md.",
    );
}

#[test]
fn no_file_has_two_subjects() {
    let long: Vec<String> = sources()
        .filter(|(path, _)| !LONG_FILES.iter().any(|(exempt, _)| exempt == path))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_FILE_LINES)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert_none(&long, "Split it where its second subject begins.");
}

#[test]
fn every_function_fits_a_screen() {
    let long: Vec<String> = sources()
        .flat_map(|(path, text)| {
            functions(&text)
                .into_iter()
                .filter(|function| function.lines > MAX_FUNCTION_LINES)
                .map(|function| format!("{path}:{}: {} lines", function.starts_at, function.lines))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_none(&long, "Give its parts names.");
}

struct Function {
    starts_at: usize,
    lines: usize,
}

/// Functions as rustfmt lays them out: from `fn` to the closing brace of the same indentation.
fn functions(text: &str) -> Vec<Function> {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut found = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if starts_function(line.trim_start()) {
            open.retain(|(_, other)| *other < indent);
            open.push((i, indent));
        }
        let closes = line.trim_start().starts_with('}');
        if closes {
            // A signature without a body, the last of its trait, is closed by nothing.
            open.retain(|(_, other)| *other <= indent);
        }
        if let Some(&(start, _)) = open
            .last()
            .filter(|(start, other)| closes && *other == indent && *start < i)
        {
            open.pop();
            found.push(Function {
                starts_at: start + 1,
                lines: i - start + 1,
            });
        }
    }
    found
}

fn starts_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let keyword = words.find(|word| {
        let modifier = ["const", "async", "unsafe", "extern", "pub"].contains(word);
        !modifier && !word.starts_with("pub(") && !word.starts_with('"')
    });
    keyword == Some("fn") && !line.trim_end().ends_with(';')
}

#[test]
fn functions_are_measured_from_signature_to_closing_brace() {
    let text = "impl X {\n    pub(crate) const fn a() {\n        if b {\n        }\n    }\n\n    fn c(\n        d: u8,\n    ) -> u8 {\n        d\n    }\n}\n";
    let lines: Vec<(usize, usize)> = functions(text)
        .iter()
        .map(|f| (f.starts_at, f.lines))
        .collect();
    assert_eq!(lines, [(2, 4), (7, 5)]);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let without: Vec<String> = files()
        .into_iter()
        .filter(|path| path.starts_with("crates/") && path.ends_with("/Cargo.toml"))
        .filter(|path| !text(path).contains("[lints]\nworkspace = true"))
        .collect();
    assert_none(&without, "Add `[lints]` with `workspace = true`.");
}
