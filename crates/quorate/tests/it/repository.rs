//! Reads the repository for the other modules: its root, its files, its dependency graph.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().to_path_buf()
}

/// The locked dependency graph of every platform, with dev-dependencies.
pub(crate) fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()
        .unwrap()
}

/// The crates of this workspace, without the `quorate-` prefix, beside their packages.
pub(crate) fn house(metadata: &Metadata) -> Vec<(&str, &Package)> {
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| (short(&package.name), package))
        .collect()
}

/// `quorate-vault` is `vault` in the docs; the binary keeps its name.
pub(crate) fn short(package: &str) -> &str {
    package.strip_prefix("quorate-").unwrap_or(package)
}

/// The files git tracks or would track, as paths relative to the root, sorted.
pub(crate) fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(listed.status.success(), "git ls-files failed");
    let mut files: Vec<String> = String::from_utf8(listed.stdout)
        .unwrap()
        .lines()
        .filter(|path| root().join(path).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    files
}

/// The text of one tracked file.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Fails with every finding on a line of its own, and what to do about them.
#[track_caller]
pub(crate) fn assert_none(findings: &[String], remedy: &str) {
    assert!(findings.is_empty(), "\n{}\n{remedy}\n", findings.join("\n"));
}
