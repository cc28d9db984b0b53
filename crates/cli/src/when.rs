//! Times as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Milliseconds since 1970 in this machine's time zone: `2026-11-22 15:04:05`.
pub(crate) fn show(ms: u64) -> String {
    format(ms, "%Y-%m-%d %H:%M:%S")
}

/// Only the time of day: `15:04:05`.
pub(crate) fn time_of_day(ms: u64) -> String {
    format(ms, "%H:%M:%S")
}

fn format(ms: u64, pattern: &str) -> String {
    let timestamp = i64::try_from(ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    match timestamp {
        Some(timestamp) => timestamp
            .to_zoned(TimeZone::system())
            .strftime(pattern)
            .to_string(),
        None => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::show;

    #[test]
    fn a_time_beyond_the_calendar_is_no_panic() {
        assert_eq!(show(u64::MAX), format!("{} ms", u64::MAX));
        assert_eq!(show(1_795_000_000_000).len(), "2026-11-18 11:06:40".len());
    }
}
