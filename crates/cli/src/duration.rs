//! Durations as people type them.

use std::time::Duration;

/// Longest duration taken, in seconds: a year.
const MAX_SECONDS: u64 = 366 * 24 * 60 * 60;

/// Reads `90s`, `10m`, `24h`, `7d`; at least a second, at most a year.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let usage = || "write a duration as a number and a unit: 90s, 10m, 24h, 7d".to_owned();
    let unit = text.chars().last().ok_or_else(usage)?;
    let factor: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(usage()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(usage());
    }
    let seconds = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|seconds| (1..=MAX_SECONDS).contains(seconds))
        .ok_or_else(|| "a duration is between a second and a year".to_owned())?;
    Ok(Duration::from_secs(seconds))
}

/// Milliseconds, for the API.
pub(crate) fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(parse(text).map(|d| d.as_secs()), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn all_else_is_refused() {
        for bad in [
            "",
            "s",
            "10",
            "-1s",
            "1.5h",
            "0s",
            "1y",
            "1 h",
            "99999999999999999999s",
            "367d",
            "١s",
            "1é",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
