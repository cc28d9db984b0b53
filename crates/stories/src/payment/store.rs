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

/// The folder moves to a file system that is all but full.
fn full(member: &Member) -> Result<()> {
    let small = member.dir.with_extension("small");
    fs::create_dir_all(&small)?;
    let kib = size_kib(&member.dir)? + 64;
    let mounted = Command::new("mount")
        .args([
            "-t",
            "tmpfs",
            "-o",
            &format!("size={kib}k,mode=0700"),
            "tmpfs",
        ])
        .arg(&small)
        .status()?;
    ensure!(
        mounted.success(),
        "no small file system can be mounted; scripts/story does so as root or by unshare"
    );
    let refused = on_full_disk(member, &small);
    Command::new("umount").arg(&small).status()?;
    refused
}

fn on_full_disk(member: &Member, small: &Path) -> Result<()> {
    Command::new("cp")
        .arg("-a")
        .arg(format!("{}/.", member.dir.display()))
        .arg(small)
        .status()?;
    let filler = vec![0u8; 1024];
    let mut file = fs::File::create(small.join("filler"))?;
    while std::io::Write::write_all(&mut file, &filler).is_ok() {}
    let ran = crate::world::run_as(small, member, &["node", "run"])?;
    ensure!(
        ran.code == 1,
        "`node run` on a full disk ended with {}: {}",
        ran.code,
        ran.stderr
    );
    ensure!(
        ran.stderr.contains("full") && ran.stderr.contains("hint:"),
        "{}",
        ran.stderr
    );
    fs::remove_file(small.join("filler"))?;
    Ok(())
}

fn size_kib(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        bytes += entry?.metadata()?.len().next_multiple_of(4096);
    }
    Ok(bytes / 1024)
}
