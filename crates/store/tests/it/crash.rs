//! SIGKILL while committing.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use quorate_store::Store;

use crate::common::{PASSPHRASE, VAULT, entry, place, rng, setting};

const CHILD: &str = "QUORATE_STORE_CRASH_TEST_DIR";

/// Commits without end and says so after each; only in the process that the next test starts.
#[test]
fn child() {
    let Ok(dir) = std::env::var(CHILD) else {
        return;
    };
    let mut store = Store::open(Path::new(&dir), PASSPHRASE).unwrap();
    let mut out = std::io::stdout().lock();
    for position in store.logs(&VAULT).unwrap().len() as u64.. {
        let writes = vec![
            entry(position, &[position as u8; 3000]),
            setting("newest", &position.to_be_bytes()),
        ];
        store.commit(writes, &mut rng(position)).unwrap();
        writeln!(out, "acknowledged {position}").unwrap();
    }
}

/// Threat: the process dies at any instant. Every commit that was acknowledged is there, whole; at
/// most one that was not is.
#[test]
fn acknowledged_commits_survive_sigkill() {
    let (_parent, dir) = place();
    drop(Store::init(&dir, PASSPHRASE, &mut rng(1)).unwrap());
    let mut next = 0;
    for round in 0..4 {
        let acknowledged =
            commit_until_killed(&dir, Duration::from_millis(20 + 35 * round)).unwrap_or(next);
        let store = Store::open(&dir, PASSPHRASE).unwrap();
        let logs = store.logs(&VAULT).unwrap();
        let count = logs.len() as u64;
        assert!(
            count > acknowledged && count <= acknowledged + 2,
            "{count} entries, {acknowledged} acknowledged"
        );
        assert!(
            logs.iter()
                .enumerate()
                .all(|(at, log)| log.position == at as u64 && log.entry == [at as u8; 3000])
        );
        assert_eq!(
            store.setting("newest").unwrap().unwrap(),
            (count - 1).to_be_bytes()
        );
        next = count;
    }
    assert!(next > 8, "only {next} commits were tried");
}

/// Runs the child, kills it some time after its first commit, and returns the last position it acknowledged.
fn commit_until_killed(dir: &Path, after: Duration) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let position = |line: &str| {
        line.rsplit("acknowledged ")
            .next()
            .and_then(|number| number.parse::<u64>().ok())
    };
    let mut last = lines.by_ref().find_map(|line| position(&line.unwrap()));
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        last = position(&line.unwrap()).or(last);
    }
    last
}
