//! What lies on disk: tables that can be deleted, bits that must not flip, a disk that is full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::report::Report;
use crate::world::{Household, Member};

/// All of it, on the third member, who ends as healthy as before.
pub(crate) fn all(report: &mut Report, home: &mut Household) -> Result<()> {
    report.piece(
        "restarted, a member shows the same state to the byte",
        |_| same_after_restart(home),
    );
    let carol = home.member_mut(2)?;
    carol.stop()?;
    report.piece(
        "a flipped bit in the database: refused with 11, and nothing overwritten",
        |_| flipped(carol),
    );
    report.piece("a folder that others can read is refused with 11", |_| {
        loose(carol)
    });
    report.piece(
        "a foreign database is refused with 11, and left as it was",
        |_| foreign(carol),
    );
    report.piece(
        "a full disk: exit 1, named as that, and the old data opens afterwards",
        |_| full(carol),
    );
    carol.start()
}

fn same_after_restart(home: &mut Household) -> Result<()> {
    let carol = home.member_mut(2)?;
    let before = folded(carol)?;
    carol.stop()?;
    carol.start()?;
    let after = folded(carol)?;
    ensure!(before == after, "before {before}\nafter {after}");
    Ok(())
}

/// What is folded from the logs, and nothing that a connection or the clock decides.
fn folded(member: &Member) -> Result<Value> {
    member.json(&["request", "list", "--state", "all"])
}

fn database(member: &Member) -> Result<PathBuf> {
    let mut found = None;
    for entry in fs::read_dir(&member.dir)? {
        let path = entry?.path();
        let begins = fs::read(&path)
            .map(|bytes| bytes.starts_with(b"SQLite format 3"))
            .unwrap_or(false);
        if begins {
            found = Some(path);
        }
    }
    found.context("no database in the folder")
}

fn refuses(member: &Member, code: i32) -> Result<()> {
    let ran = member.run(&["node", "run"])?;
    ensure!(
        ran.code == code,
        "`node run` ended with {} instead of {code}: {}",
        ran.code,
        ran.stderr
    );
    ensure!(ran.stderr.contains("hint:"), "no hint: {}", ran.stderr);
    Ok(())
}

/// Flips one bit in the page that holds most of the log, finds it refused, and puts the file back.
fn flipped(member: &Member) -> Result<()> {
    let path = database(member)?;
    let healthy = fs::read(&path)?;
    let mut sick = healthy.clone();
    let needle = b"quorate/";
    let at = sick
        .windows(needle.len())
        .rposition(|window| window == needle)
        .context("no checkpoint in the file")?;
    *sick.get_mut(at).context("inside the file")? ^= 1;
    fs::write(&path, &sick)?;
    let refused = refuses(member, 11);
    let untouched = fs::read(&path)? == sick;
    fs::write(&path, &healthy)?;
    refused?;
    ensure!(untouched, "the damaged file was overwritten");
    Ok(())
}

fn loose(member: &Member) -> Result<()> {
    Command::new("chmod")
        .arg("0755")
        .arg(&member.dir)
        .status()?;
    let refused = refuses(member, 11);
    Command::new("chmod")
        .arg("0700")
        .arg(&member.dir)
        .status()?;
    refused
}

fn foreign(member: &Member) -> Result<()> {
    let path = database(member)?;
    let healthy = fs::read(&path)?;
    let mut other = healthy.clone();
    // The application id of an SQLite file: four bytes at offset 68 (sqlite.org/fileformat.html).
    other
        .get_mut(68..72)
        .context("a header")?
        .copy_from_slice(b"MINE");
    fs::write(&path, &other)?;
    let refused = refuses(member, 11);
    let untouched = fs::read(&path)? == other;
    fs::write(&path, &healthy)?;
    refused?;
    ensure!(untouched, "the foreign file was overwritten");
    Ok(())
}

/// Fills a small file system with a copy of the folder $1 and junk, starts the daemon $3.. on it, says its exit code,
/// then makes room and opens the copy again. Mounted in a namespace of this script's own, so it is gone with it.
const FULL: &str = r#"
set -e
small=$2
mount -t tmpfs -o "size=$3k,mode=0700" tmpfs "$small"
cp -a "$1/." "$small"
dd if=/dev/zero of="$small/filler" bs=1k status=none 2>/dev/null || true
code=0
"$4" --dir "$small" --passphrase-file "$5" node run || code=$?
echo "full: $code"
rm "$small/filler"
"$4" --dir "$small" --passphrase-file "$5" node passphrase --new-passphrase-file "$5"
echo "opened"
"#;

/// The folder moves to a file system that is all but full. Who is not root mounts it in a user namespace; a limit on file
/// sizes would not do, as it is another error than a full disk.
fn full(member: &Member) -> Result<()> {
    let small = member.dir.with_extension("small");
    fs::create_dir_all(&small)?;
    let namespace = if rustix::process::geteuid().is_root() {
        "-m"
    } else {
        "-Urm"
    };
    let ran = Command::new("timeout")
        .args(["60", "unshare", namespace, "sh", "-c", FULL, "sh"])
        .arg(&member.dir)
        .arg(&small)
        .arg((size_kib(&member.dir)? + 64).to_string())
        .arg(crate::world::quorate())
        .arg(&member.passphrase)
        .output()?;
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    let refused = out.contains("full: 1\n") && err.contains("full") && err.contains("hint:");
    ensure!(
        refused && !err.contains("ERROR"),
        "`node run` on a full disk: {out}{err}"
    );
    ensure!(
        out.contains("opened\n"),
        "the old data does not open once there is room: {out}{err}"
    );
    Ok(())
}

fn size_kib(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        bytes += entry?.metadata()?.len().next_multiple_of(4096);
    }
    Ok(bytes / 1024)
}
