//! Two vaults of the same members in the same daemons, each with money of its own; then one of them is emptied.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{FUNDS, SHOP};
use crate::report::Report;
use crate::world::{Household, text};

/// What the second vault is called.
const SECOND: &str = "savings";

/// All of it. From here on every command has to name its vault.
pub(crate) fn all(report: &mut Report, home: &mut Household) -> Result<()> {
    let (first, first_address) = (home.vault, home.address.clone());
    home.make(SECOND, 2)?;
    let second_address = home.address.clone();
    report.claim(
        "a second vault of the same daemons has an address of its own",
        !second_address.is_empty() && second_address != first_address,
        || format!("{first_address} and {second_address}"),
    );
    home.chain.fund(&second_address, FUNDS)?;
    for (vault, address) in [(SECOND, &second_address), (first, &first_address)] {
        home.vault = vault;
        report.piece(&format!("`--vault {vault}` pays from {vault}"), |_| {
            let view = home.pay(0, &[0, 1], "0.02", SHOP)?;
            let signer = home.chain.mined(&hash_of(&view)?)?.signer;
            ensure!(signer == *address, "{signer} paid instead of {address}");
            Ok(())
        });
    }
    forgotten(report, home, &[first, SECOND])?;
    home.vault = SECOND;
    report.piece(
        "`send max` empties a vault down to what its fee left over",
        |_| emptied(home, &second_address),
    );
    Ok(())
}

/// With two vaults a command that does not say which is refused with both names, and does nothing.
fn forgotten(report: &mut Report, home: &Household, names: &[&str]) -> Result<()> {
    for typed in ["balance", "send 0.01 ETH --to SHOP", "requests"] {
        let typed = typed.replace("SHOP", SHOP);
        let args: Vec<&str> = typed.split_whitespace().collect();
        let ran = home.member(0)?.run(&args)?;
        let named =
            ran.stderr.contains("--vault") && names.iter().all(|it| ran.stderr.contains(it));
        report.claim(
            &format!("`{typed}` without --vault: exit 2, naming both"),
            ran.code == 2 && named,
            || format!("{}: {}{}", ran.code, ran.stdout, ran.stderr),
        );
    }
    Ok(())
}

fn emptied(home: &Household, address: &str) -> Result<()> {
    let before = home.chain.balance(address)?;
    let shop = home.chain.balance(SHOP)?;
    let view = home.pay(0, &[0, 1], "max", SHOP)?;
    let left = home.chain.balance(address)?;
    let arrived = home.chain.balance(SHOP)? - shop;
    let intent = view.get("intent").context("an intent")?;
    let reserved: u128 = text(intent, "max_fee_wei")?.parse()?;
    ensure!(
        arrived + reserved == before,
        "{arrived} wei arrived and {reserved} were kept for the fee, of {before}"
    );
    let fee = before - arrived - left;
    ensure!(
        left < reserved && fee > 0,
        "{left} wei are left, {fee} were the fee, {reserved} were kept for it"
    );
    let refused = home
        .member(0)?
        .run(&["--vault", SECOND, "send", "0.01", "ETH", "--to", SHOP])?;
    ensure!(refused.code == 6, "an empty vault pays: {refused:?}");
    Ok(())
}

fn hash_of(view: &Value) -> Result<String> {
    text(view.get("receipt").context("a receipt")?, "tx_hash")
}
