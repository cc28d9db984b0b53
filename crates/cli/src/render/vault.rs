//! Vaults and invitations.

use quorate_api::{Invitation, MemberState, MemberView, VaultPhase, VaultView};

use super::request::warnings;
use super::{Fields, table};
use crate::console::{Console, Style};
use crate::failure::Outcome;
use crate::when;

/// One vault, whole.
pub(crate) fn vault(console: &mut Console, vault: &VaultView) -> Outcome {
    let head = format!(
        "Vault {}: {} of {} members, {}",
        vault.name,
        vault.threshold,
        vault.size,
        phase(vault.phase)
    );
    console.styled(Style::Bold, &head)?;
    let mut fields = Fields::default();
    for address in &vault.addresses {
        let label = format!("Address ({})", address.namespace);
        fields.add(&label, address.address.as_str());
    }
    if let Some(words) = &vault.words {
        fields.add("Six words", words.join(" "));
    }
    if vault.charter_version > 0 {
        fields.add("Charter", format!("version {}", vault.charter_version));
    }
    if vault.epoch > 0 {
        fields.add("Epoch", vault.epoch.to_string());
    }
    if !vault.id.is_empty() {
        fields.add("Id", vault.id.as_str());
    }
    fields.print(console)?;
    console.line("")?;
    members(console, &vault.members)?;
    if let Some(waiting) = waiting_line(vault) {
        console.line("")?;
        console.styled(Style::Warn, &waiting)?;
    }
    warnings(console, &vault.warnings)
}

fn members(console: &mut Console, members: &[MemberView]) -> Outcome {
    let rows = members.iter().map(|member| {
        vec![
            member
                .index
                .map_or_else(String::new, |index| index.to_string()),
            member.name.clone(),
            online(member),
            member_state(member.state).to_owned(),
            member.controller.clone(),
            member.trust_domain.clone(),
            member.party.chars().take(16).collect(),
        ]
    });
    let header = [
        "#",
        "MEMBER",
        "ONLINE",
        "STATE",
        "CONTROLLER",
        "TRUST DOMAIN",
        "PARTY",
    ];
    table::print(console, &header, &[0], rows.collect())
}

fn online(member: &MemberView) -> String {
    if member.you {
        return "this one".to_owned();
    }
    match (&member.problem, member.online, member.last_seen_ms) {
        (Some(problem), _, _) => problem.clone(),
        (None, true, _) => "yes".to_owned(),
        (None, false, Some(seen)) => format!("no, last {}", when::show(seen)),
        (None, false, None) => "no".to_owned(),
    }
}

fn member_state(state: MemberState) -> &'static str {
    match state {
        MemberState::Joined => "joined",
        MemberState::Confirmed => "confirmed",
        MemberState::Prepared => "shares durable",
        MemberState::Acknowledged => "ready",
    }
}

fn phase(phase: VaultPhase) -> &'static str {
    match phase {
        VaultPhase::Inviting => "members are joining",
        VaultPhase::Confirming => "members compare the six words",
        VaultPhase::Keygen => "keys are being made",
        VaultPhase::Active => "active",
        VaultPhase::Failed => "key generation failed",
    }
}

/// Whom the vault waits for, in one line; none if for nobody.
pub(crate) fn waiting_line(vault: &VaultView) -> Option<String> {
    if vault.waiting_for.is_empty() {
        return None;
    }
    let named = vault.waiting_for.iter();
    let mut awaited: Vec<String> = named
        .filter_map(|awaited| Some(format!("{} {}", awaited.name.as_deref()?, awaited.what)))
        .collect();
    match vault.waiting_for.len() - awaited.len() {
        0 => {}
        1 => awaited.push("one more member to join".to_owned()),
        free => awaited.push(format!("{free} more members to join")),
    }
    Some(format!("Waiting for {}.", awaited.join(", ")))
}

/// Vaults, one a line.
pub(crate) fn vaults(console: &mut Console, vaults: &[VaultView]) -> Outcome {
    if vaults.is_empty() {
        console.note("No vaults. Begin one with `quorate vault create`, or join one with `quorate vault join`.");
        return Ok(());
    }
    let rows = vaults.iter().map(|vault| {
        let online = vault.members.iter().filter(|m| m.you || m.online).count();
        vec![
            vault.name.clone(),
            format!("{} of {}", vault.threshold, vault.size),
            phase(vault.phase).to_owned(),
            format!("{online} of {}", vault.size),
            vault
                .addresses
                .first()
                .map_or_else(String::new, |a| a.address.clone()),
        ]
    });
    let header = ["VAULT", "NEEDS", "PHASE", "ONLINE", "ADDRESS"];
    table::print(console, &header, &[], rows.collect())
}

/// Codes, each as the line that the joining member types.
pub(crate) fn invitations(console: &mut Console, invitations: &[Invitation]) -> Outcome {
    for invitation in invitations {
        console.line(&format!(
            "  quorate vault join {} --at {}",
            invitation.code, invitation.address
        ))?;
    }
    if let Some(first) = invitations.first() {
        console.note(&format!(
            "Tell each member one of these lines, over the phone or in person. A code works once, until {}.",
            when::time_of_day(first.expires_ms)
        ));
    }
    Ok(())
}
