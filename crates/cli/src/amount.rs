//! Decimal amounts: what people type and read. All in text, exact at any size.

/// Fraction digits of the native asset of every EVM chain.
const DECIMALS: usize = 18;

/// Fraction digits of a gwei.
const GWEI_DECIMALS: usize = 9;

/// Digits of the largest 256-bit amount in wei.
const MAX_WEI_DIGITS: usize = 78;

/// What `send` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Amount {
    /// All but the largest fee.
    Max,
    /// A decimal in whole units, in its shortest form: `0.5`.
    Exactly(String),
}

impl Amount {
    /// As the API takes it.
    pub(crate) fn as_text(&self) -> &str {
        match self {
            Self::Max => "max",
            Self::Exactly(decimal) => decimal,
        }
    }
}

/// Reads an amount: `max`, or a positive decimal with at most 18 fraction digits.
pub(crate) fn parse(text: &str) -> Result<Amount, String> {
    if text == "max" {
        return Ok(Amount::Max);
    }
    let wei = parse_wei(text)?;
    if wei == "0" {
        return Err("an amount is above zero".to_owned());
    }
    Ok(Amount::Exactly(from_units(&wei, DECIMALS)))
}

/// Reads a decimal in whole units as wei.
pub(crate) fn parse_wei(text: &str) -> Result<String, String> {
    if text.starts_with('-') {
        return Err("an amount cannot be below zero".to_owned());
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || !digits(whole)
        || !digits(fraction)
        || (text.contains('.') && fraction.is_empty())
    {
        return Err("write an amount as a plain decimal like 0.5".to_owned());
    }
    if fraction.len() > DECIMALS {
        return Err(format!("an amount has at most {DECIMALS} fraction digits"));
    }
    let wei = format!("{whole}{fraction:0<DECIMALS$}");
    let wei = wei.trim_start_matches('0');
    if wei.len() > MAX_WEI_DIGITS {
        return Err("that is more than any chain can hold".to_owned());
    }
    Ok(if wei.is_empty() { "0" } else { wei }.to_owned())
}

/// Wei in whole units: `0.25 ETH`. What is not a number stays as it is.
pub(crate) fn show(wei: &str, asset: &str) -> String {
    if is_number(wei) {
        format!("{} {asset}", from_units(wei, DECIMALS))
    } else {
        wei.to_owned()
    }
}

/// Wei per gas in gwei: `1.5 gwei`.
pub(crate) fn show_gwei(wei: &str) -> String {
    if is_number(wei) {
        format!("{} gwei", from_units(wei, GWEI_DECIMALS))
    } else {
        wei.to_owned()
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `wei` (decimal digits) divided by ten to the `decimals`, without needless zeros.
fn from_units(wei: &str, decimals: usize) -> String {
    let padded = format!("{wei:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Amount, parse, parse_wei, show, show_gwei};

    #[test]
    fn amounts_are_exact() {
        for (text, wei) in [
            ("0.5", "500000000000000000"),
            ("1", "1000000000000000000"),
            ("001.50", "1500000000000000000"),
            ("0.000000000000000001", "1"),
            ("0", "0"),
            ("120000000", "120000000000000000000000000"),
        ] {
            assert_eq!(parse_wei(text).as_deref(), Ok(wei), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_plain_positive_decimal_is_refused() {
        for bad in [
            "",
            ".",
            ".5",
            "5.",
            "-1",
            "-0.5",
            "+1",
            "1e3",
            "1,5",
            "0x10",
            " 1",
            "1 ",
            "1.2.3",
            "0.0000000000000000001",
            "٣",
            "max ",
            "Max",
            "nan",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse("0").is_err() && parse("0.000").is_err());
        assert!(parse(&"9".repeat(70)).is_err());
    }

    #[test]
    fn an_amount_keeps_its_value_in_its_shortest_form() {
        assert_eq!(parse("01.500"), Ok(Amount::Exactly("1.5".to_owned())));
        assert_eq!(parse("max"), Ok(Amount::Max));
    }

    #[test]
    fn wei_reads_in_whole_units() {
        assert_eq!(show("250000000000000000", "ETH"), "0.25 ETH");
        assert_eq!(show("1", "ETH"), "0.000000000000000001 ETH");
        assert_eq!(show("0", "ETH"), "0 ETH");
        assert_eq!(show("10000000000000000000", "ETH"), "10 ETH");
        assert_eq!(show("?", "ETH"), "?");
        assert_eq!(show_gwei("1500000000"), "1.5 gwei");
    }
}
