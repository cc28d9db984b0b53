//! Holds the crates' directions: the table of `docs/adr/0001-crates-and-directions.md`, edge by edge.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::DependencyKind;

use crate::repository::{assert_none, house, metadata, short};

/// Every crate of the house and the crates of the house it depends on: these, all of them, and no others.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("threshold", &[]),
    ("chain", &[]),
    ("log", &[]),
    ("vault", &["threshold", "chain", "log"]),
    ("driver", &["vault"]),
    ("wire", &[]),
    ("store", &[]),
    ("api", &[]),
    (
        "node",
        &[
            "driver",
            "vault",
            "threshold",
            "chain",
            "log",
            "wire",
            "store",
            "api",
        ],
    ),
    ("offline", &["vault", "threshold", "chain", "log", "store"]),
    ("cli", &["api", "offline"]),
    ("quorate", &["cli", "node"]),
    ("sim", &["driver", "vault", "threshold", "chain", "log"]),
];

/// Crates for development. They may use what stands here, need not, and nothing depends on them.
const DEVELOPMENT: &[(&str, &[&str])] = &[("stories", &["api"])];

/// A crate with such a name becomes the place where everything ends up.
const NO_SUBJECT: &[&str] = &[
    "common", "core", "helpers", "misc", "shared", "types", "util", "utils",
];

type Edges<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Edges between crates of the house, of the given kinds.
fn edges<'a>(metadata: &'a cargo_metadata::Metadata, kinds: &[DependencyKind]) -> Edges<'a> {
    let names: BTreeSet<&str> = house(metadata).iter().map(|(name, _)| *name).collect();
    house(metadata)
        .into_iter()
        .map(|(name, package)| {
            let targets = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.path.is_some() && kinds.contains(&dependency.kind))
                .map(|dependency| short(&dependency.name))
                .filter(|target| names.contains(target))
                .collect();
            (name, targets)
        })
        .collect()
}

#[test]
fn every_crate_depends_on_exactly_what_the_table_says() {
    let metadata = metadata();
    let found = edges(&metadata, &[DependencyKind::Normal, DependencyKind::Build]);
    let table: Edges<'_> = DIRECTIONS
        .iter()
        .map(|(name, targets)| (*name, targets.iter().copied().collect()))
        .collect();
    let development: Edges<'_> = DEVELOPMENT
        .iter()
        .map(|(name, targets)| (*name, targets.iter().copied().collect()))
        .collect();

    let mut wrong = Vec::new();
    for (name, targets) in &found {
        match (table.get(name), development.get(name)) {
            (Some(expected), _) => {
                let extra = targets
                    .difference(expected)
                    .map(|to| format!("{name} -> {to} is not in the table"));
                let missing = expected
                    .difference(targets)
                    .map(|to| format!("{name} -> {to} is in the table and unused"));
                wrong.extend(extra.chain(missing));
            }
            (None, Some(allowed)) => {
                wrong.extend(
                    targets
                        .difference(allowed)
                        .map(|to| format!("{name} -> {to} is not allowed")),
                );
            }
            (None, None) => wrong.push(format!("{name} is not in the table")),
        }
    }
    wrong.extend(
        table
            .keys()
            .filter(|name| !found.contains_key(*name))
            .map(|name| format!("{name} does not exist")),
    );
    assert_none(
        &wrong,
        "Change the code, or write an ADR and then change the table.",
    );
}

#[test]
fn nothing_depends_on_a_crate_for_development() {
    let metadata = metadata();
    let all = [
        DependencyKind::Normal,
        DependencyKind::Build,
        DependencyKind::Development,
    ];
    let development: BTreeSet<&str> = DEVELOPMENT
        .iter()
        .map(|(name, _)| *name)
        .chain(["sim"])
        .collect();
    let wrong: Vec<String> = edges(&metadata, &all)
        .into_iter()
        .flat_map(|(from, targets)| targets.into_iter().map(move |to| (from, to)))
        .filter(|(_, to)| development.contains(to))
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect();
    assert_none(
        &wrong,
        "sim and stories use the house; the house does not use them, not even in its tests.",
    );
}

#[test]
fn dev_dependencies_close_no_cycle() {
    let metadata = metadata();
    let all = [
        DependencyKind::Normal,
        DependencyKind::Build,
        DependencyKind::Development,
    ];
    let mut left = edges(&metadata, &all);
    // Kahn: take away, again and again, every crate that depends on none of those left.
    loop {
        let names: BTreeSet<&str> = left.keys().copied().collect();
        let before = left.len();
        left.retain(|_, targets| targets.iter().any(|to| names.contains(to)));
        if left.len() == before {
            break;
        }
    }
    let cycle: Vec<String> = left
        .keys()
        .map(|name| format!("{name} is in a cycle or above one"))
        .collect();
    assert_none(
        &cycle,
        "Move the test up to the crate that sees both sides.",
    );
}

#[test]
fn a_crate_is_named_after_its_subject_and_lives_under_that_name() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for (name, package) in house(&metadata) {
        if NO_SUBJECT.contains(&name) {
            wrong.push(format!("{name} names no subject"));
        }
        let folder = package
            .manifest_path
            .parent()
            .and_then(|folder| folder.file_name());
        if folder != Some(name) {
            wrong.push(format!("{name} lives in {}", package.manifest_path));
        }
    }
    assert_none(&wrong, "Name a crate after the one thing it is about.");
}
