//! Holds `docs/tiers.txt`: every test binary, benchmark, story and suite stands in it, and what it lists exists.

use std::collections::BTreeSet;

use crate::repository::{assert_none, files, house, metadata, root, text};

const LIST: &str = "docs/tiers.txt";

/// One line: what it is, what it is called, and how each tier runs it.
struct Row {
    kind: String,
    name: String,
    quick: String,
    full: String,
}

fn rows() -> Vec<Row> {
    text(LIST)
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [kind, name, quick, full] = words[..] else {
                panic!("{LIST}: `{line}` has {} words, not four", words.len());
            };
            Row {
                kind: kind.to_owned(),
                name: name.to_owned(),
                quick: quick.to_owned(),
                full: full.to_owned(),
            }
        })
        .collect()
}

/// What the list has to name, as `kind name`.
fn existing() -> BTreeSet<String> {
    let metadata = metadata();
    let targets = house(&metadata).into_iter().flat_map(|(name, package)| {
        package.targets.iter().filter_map(move |target| match () {
            () if target.is_test() => Some(format!("test {name}/{}", target.name)),
            () if target.is_bench() => Some(format!("bench {name}/{}", target.name)),
            () => None,
        })
    });
    let stories = stories().into_iter().map(|name| format!("story {name}"));
    let suites = files()
        .into_iter()
        .filter_map(|path| Some(format!("suite {}", path.strip_suffix("/run")?)))
        .filter(|suite| suite != "suite .ci");
    targets.chain(stories).chain(suites).collect()
}

/// The names in the `STORIES` table that `quorate-stories` dispatches on.
fn stories() -> Vec<String> {
    let main = text("crates/stories/src/main.rs");
    let (_, table) = main
        .split_once("const STORIES")
        .expect("crates/stories/src/main.rs has a table `STORIES`");
    let table = table.split("];").next().unwrap();
    let names: Vec<String> = table
        .split("(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .collect();
    assert!(!names.is_empty(), "the table `STORIES` names no story");
    names
}

#[test]
fn everything_that_can_run_is_in_a_tier_and_everything_listed_exists() {
    let listed: BTreeSet<String> = rows()
        .iter()
        .map(|row| format!("{} {}", row.kind, row.name))
        .collect();
    let existing = existing();
    let missing = existing
        .difference(&listed)
        .map(|name| format!("{name} is not listed"));
    let stale = listed
        .difference(&existing)
        .map(|name| format!("{name} does not exist"));
    let wrong: Vec<String> = missing.chain(stale).collect();
    assert_none(&wrong, "Edit docs/tiers.txt.");
}

#[test]
fn every_row_says_when_it_runs() {
    let mut wrong = Vec::new();
    for Row {
        kind,
        name,
        quick,
        full,
    } in rows()
    {
        let known = |word: &str| word == "run" || word == "skip" || word.starts_with("--");
        let sound = match kind.as_str() {
            // Long cases inside a test binary ask for QUORATE_FULL; the binary itself always runs.
            "test" => quick == "run" && full == "run",
            // A benchmark states a figure and cannot fail, so no tier runs it.
            "bench" => quick == "skip" && full == "skip",
            "story" | "suite" => known(&quick) && known(&full) && full != "skip",
            _ => false,
        };
        if !sound {
            wrong.push(format!("{kind} {name} {quick} {full}"));
        }
    }
    assert_none(
        &wrong,
        "The head of docs/tiers.txt says which words each column takes.",
    );
}

#[test]
fn a_story_or_suite_can_be_started() {
    use std::os::unix::fs::PermissionsExt;
    let wrong: Vec<String> = rows()
        .into_iter()
        .filter(|row| row.kind == "suite")
        .map(|row| format!("{}/run", row.name))
        .chain(["check", "demo", ".ci/run", "scripts/story"].map(str::to_owned))
        .filter(|path| {
            let mode = root()
                .join(path)
                .metadata()
                .map(|found| found.permissions().mode());
            mode.map_or(true, |mode| mode & 0o111 == 0)
        })
        .collect();
    assert_none(&wrong, "`chmod +x`, or create it.");
}
