//! Holds the documents together: numbered ADRs, a status table that can be read by a script, links that lead somewhere.

use std::path::Path;

use crate::repository::{assert_none, files, root, text};

fn documents() -> impl Iterator<Item = String> {
    files().into_iter().filter(|path| path.ends_with(".md"))
}

fn decisions() -> Vec<String> {
    files()
        .into_iter()
        .filter_map(|path| path.strip_prefix("docs/adr/").map(str::to_owned))
        .filter(|name| name != "README.md")
        .collect()
}

#[test]
fn decisions_are_numbered_without_gap_or_twin() {
    let numbers: Vec<String> = decisions()
        .iter()
        .map(|name| name.chars().take(4).collect())
        .collect();
    let expected: Vec<String> = (0..numbers.len())
        .map(|number| format!("{number:04}"))
        .collect();
    assert_eq!(numbers, expected);
}

#[test]
fn every_decision_has_the_parts_of_the_template() {
    let mut wrong = Vec::new();
    for name in decisions() {
        let text = text(&format!("docs/adr/{name}"));
        for part in [
            "Status: ",
            "\n## Context\n",
            "\n## Decision\n",
            "\n## Consequences\n",
        ] {
            if !text.contains(part) {
                wrong.push(format!("docs/adr/{name} has no `{}`", part.trim()));
            }
        }
    }
    assert_none(&wrong, "Follow docs/adr/0000-template.md.");
}

#[test]
fn every_line_of_the_status_says_whether_it_is_met_and_how_to_see_it() {
    let mut wrong = Vec::new();
    let mut last = String::new();
    let rows = text("docs/status.md");
    let numbered = |line: &&str| {
        let cell = line.strip_prefix("| ");
        cell.is_some_and(|cell| cell.starts_with(|c: char| c.is_ascii_digit()))
    };
    for line in rows.lines().filter(numbered) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, _, state, command, note] = cells[..] else {
            wrong.push(format!("{} cells, not five: {line}", cells.len()));
            continue;
        };
        if number <= last.as_str() {
            wrong.push(format!("{number} comes after {last}"));
        }
        last = number.to_owned();
        match state {
            "met" if !command.starts_with('`') => {
                wrong.push(format!("{number} is met, and no command shows it"))
            }
            "partly" if note == "-" => wrong.push(format!(
                "{number} is partly met, and the note does not say what is missing"
            )),
            "met" | "partly" | "not yet" => {}
            other => wrong.push(format!("{number} is `{other}`")),
        }
    }
    assert!(!last.is_empty(), "docs/status.md has no rows");
    assert_none(
        &wrong,
        "The head of docs/status.md says what each column holds.",
    );
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut wrong = Vec::new();
    for path in documents() {
        let folder = root().join(Path::new(&path).parent().unwrap());
        let text = text(&path);
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let file = target.split('#').next().unwrap_or_default();
            if !folder.join(file).exists() {
                wrong.push(format!("{path}: {target}"));
            }
        }
    }
    assert_none(&wrong, "Mend the link.");
}

/// Two implementations that share no code: the page alone is enough to write another.
#[test]
fn the_python_beside_the_ed25519_page_reproduces_its_vectors() {
    let run = std::process::Command::new("python3")
        .args(["docs/ed25519_hd.py", "--check", "docs/ed25519-hd.json"])
        .current_dir(root())
        .output()
        .expect("python3 is installed: apt install python3");
    assert!(run.status.success(), "{run:?}");
    assert_eq!(String::from_utf8_lossy(&run.stdout), "15 vectors agree\n");
}
