//! `payment`: three people on three machines share a vault and send real payments.

use anyhow::Result;

use crate::report::Report;
use crate::world::Household;

mod bad_input;
mod deaths;
mod pay;
mod slots;
mod store;
mod vaults;

/// A recipient that no story has a key for.
pub(crate) const SHOP: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// What each household's vault is given to begin with: 5 ETH.
pub(crate) const FUNDS: u128 = 5_000_000_000_000_000_000;

/// The whole story; `quick` leaves out the 3-of-5 vault, the larger numbers and the deaths in keygen.
pub(crate) fn run(report: &mut Report, quick: bool) -> Result<()> {
    report.chapter("2-of-3: a vault, and a first payment");
    let mut home = Household::with_vault(2, 3)?;
    home.chain.fund(&home.address, FUNDS)?;
    pay::first_payment(report, &home)?;
    pay::proof(report, &home)?;
    report.chapter("slots: at once, in parallel, dead, too cheap");
    slots::all(report, &home, if quick { 6 } else { 20 })?;
    report.chapter("bad input");
    bad_input::all(report, &mut home)?;
    report.chapter("deaths around and during a signature");
    deaths::signing(report, &mut home)?;
    pay::chain_is_consistent(report, &home)?;
    report.chapter("the state is a fold over the logs");
    store::all(report, &mut home)?;
    report.chapter("two vaults in one daemon, and a vault emptied");
    vaults::all(report, &mut home)?;
    drop(home);
    report.chapter("pairing and the words");
    bad_input::pairing(report)?;
    if quick {
        return Ok(());
    }
    report.chapter("deaths during keygen");
    deaths::keygen(report)?;
    report.chapter("3-of-5");
    let home = Household::with_vault(3, 5)?;
    home.chain.fund(&home.address, FUNDS)?;
    pay::every_quorum_of_five(report, &home)?;
    pay::chain_is_consistent(report, &home)
}
