//! What a story happens in: a chain, members with their daemons, and the command line.

mod anvil;
mod member;
mod vault;

pub(crate) use self::anvil::Anvil;
pub(crate) use self::member::{Member, Ran, quorate, run_anywhere, write_secret};
pub(crate) use self::vault::{Household, text};

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks again every 100 ms until `ready` gives something, or fails after `seconds` saying what was awaited.
pub(crate) fn wait_for<T>(
    what: &str,
    seconds: u64,
    mut ready: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(found) = ready()? {
            return Ok(found);
        }
        if Instant::now() > end {
            bail!("waited {seconds} s for {what}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
