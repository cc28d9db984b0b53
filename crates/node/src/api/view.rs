//! What a vault says of itself, in the API's words.

use std::collections::{BTreeMap, BTreeSet};

use quorate_api::{
    AddressView, AwaitedMember, DecisionView, IntentLine, IntentView, MemberState, MemberView,
    ReceiptView, RequestKind, RequestState, RequestView, SessionOutcome, SessionView, VaultPhase,
    VaultView,
};
use quorate_chain::ChainId;
use quorate_chain::evm::Wei;
use quorate_vault::machine::{self, Phase};
use quorate_vault::{RequestId, Vault, fold};
use quorate_wire::{PartyCard, VerifiedCard};

use super::answer::Refusal;
use super::node::TEST_FUNDS;
use crate::daemon::Daemon;
use crate::making::{Inviting, Labels, Seat, Stage, VaultRecord};
use crate::peers::PeerStatus;
use crate::vaults::Seen;

/// A vault, however far it has come.
pub(super) async fn vault(
    daemon: &Daemon,
    name: &str,
    record: &VaultRecord,
) -> Result<VaultView, Refusal> {
    let peers = Channels::of(daemon);
    let mut view = match &record.stage {
        Stage::Inviting(inviting) => {
            let mut view = blank(name, inviting.terms.threshold, inviting.terms.size);
            view.members
                .push(peers.member(daemon.me.card().card(), &inviting.labels));
            for seat in &inviting.seats {
                let card = seat.card();
                view.members
                    .extend(card.map(|card| peers.member(card.card(), &seat.taken.labels)));
            }
            view.waiting_for = awaited_joiners(inviting);
            view
        }
        Stage::Joined(joined) => {
            let mut view = blank(name, joined.terms.threshold, joined.terms.size);
            if let Ok(inviter) = VerifiedCard::decode(&joined.inviter) {
                let card = inviter.card();
                view.members
                    .push(peers.member(card, &Labels::or_card(None, None, card)));
                let what = match joined.draft {
                    Some(_) => "to hear from every member",
                    None => "to send the complete roster",
                };
                view.waiting_for = vec![awaited(Some(card.name.clone()), what)];
            }
            view.members
                .push(peers.member(daemon.me.card().card(), &joined.labels));
            view
        }
        Stage::Founded(_) => founded(daemon, name, &peers).await?,
    };
    let fault = daemon.making.fault(name);
    view.warnings
        .extend(fault.map(|why| format!("a roster was refused: {why}")));
    view.created_ms = record.created_ms;
    Ok(view)
}

/// A vault of which nothing can be told but why.
pub(super) fn broken(name: &str, why: String) -> VaultView {
    let mut view = blank(name, 0, 0);
    view.phase = VaultPhase::Failed;
    view.warnings.push(why);
    view
}

fn blank(name: &str, threshold: u8, size: u8) -> VaultView {
    VaultView {
        id: String::new(),
        name: name.to_owned(),
        threshold,
        size,
        members: Vec::new(),
        phase: VaultPhase::Inviting,
        waiting_for: Vec::new(),
        words: None,
        charter_version: 0,
        epoch: 0,
        addresses: Vec::new(),
        warnings: vec![TEST_FUNDS.to_owned()],
        created_ms: 0,
    }
}

fn awaited(name: Option<String>, what: &str) -> AwaitedMember {
    AwaitedMember {
        name,
        what: what.to_owned(),
    }
}

/// Whom a vault begun here waits for: free seats, then whoever has yet to reveal its nonce.
fn awaited_joiners(inviting: &Inviting) -> Vec<AwaitedMember> {
    if inviting.free() > 0 {
        return vec![awaited(None, "to join"); inviting.free()];
    }
    let silent = inviting.seats.iter().filter(|seat| seat.nonce.is_none());
    silent
        .filter_map(Seat::card)
        .map(|card| awaited(Some(card.card().name.clone()), "to accept the roster"))
        .collect()
}

/// The channels of this member, as they stand.
struct Channels {
    me: String,
    status: Vec<PeerStatus>,
}

impl Channels {
    fn of(daemon: &Daemon) -> Self {
        Self {
            me: daemon.me.party.to_string(),
            status: daemon.peers.status(),
        }
    }

    fn find(&self, party: &str) -> Option<&PeerStatus> {
        self.status
            .iter()
            .find(|status| status.party.to_string() == party)
    }

    fn member(&self, card: &PartyCard, labels: &Labels) -> MemberView {
        let party = quorate_vault::PartyId::of_identity(&card.identity).to_string();
        self.complete(MemberView {
            you: party == self.me,
            party,
            name: card.name.clone(),
            index: None,
            controller: labels.controller.clone(),
            trust_domain: labels.domain.clone(),
            state: MemberState::Joined,
            online: false,
            last_seen_ms: None,
            problem: None,
        })
    }

    /// Adds what the channel says.
    fn complete(&self, mut member: MemberView) -> MemberView {
        let channel = self.find(&member.party);
        member.online = member.you || channel.is_some_and(|channel| channel.online);
        member.last_seen_ms = channel.and_then(|channel| channel.last_heard_ms);
        member.problem = member
            .problem
            .or_else(|| channel.and_then(|channel| channel.problem.clone()));
        member
    }
}

/// What is asked of a running vault's thread.
struct Look {
    view: machine::VaultView,
    awaited: Vec<machine::Awaited>,
    distrusted: BTreeMap<String, &'static str>,
    read_only: Option<&'static str>,
}

async fn founded(daemon: &Daemon, name: &str, peers: &Channels) -> Result<VaultView, Refusal> {
    let Some(handle) = daemon.vaults.named(name) else {
        return Ok(blank(name, 0, 0));
    };
    let look = handle
        .look(|seen| Look {
            view: seen.vault.view(),
            awaited: seen.vault.awaited(),
            distrusted: distrusted(seen.vault),
            read_only: seen.vault.read_only(),
        })
        .await?;
    let mut view = blank(
        name,
        look.view.threshold,
        u8::try_from(look.view.members.len()).unwrap_or(u8::MAX),
    );
    view.members = look
        .view
        .members
        .iter()
        .map(|member| peers.complete(member_view(member, &look)))
        .collect();
    view.phase = phase(look.view.phase);
    view.waiting_for = waiting_for(&look, &view.members);
    view.words = Some(look.view.words.clone());
    view.charter_version = look.view.charter_version;
    view.epoch = u32::try_from(look.view.epoch).unwrap_or(u32::MAX);
    view.addresses = look
        .view
        .address
        .iter()
        .map(|address| address_view(address))
        .collect();
    view.warnings.extend(warnings(&look));
    view.id = look.view.id;
    Ok(view)
}

fn distrusted(vault: &Vault) -> BTreeMap<String, &'static str> {
    vault
        .presence()
        .into_iter()
        .filter_map(|one| Some((one.party.to_string(), one.distrusted?)))
        .collect()
}

fn member_view(member: &machine::MemberView, look: &Look) -> MemberView {
    let state = match (member.confirmed, member.prepared, member.acknowledged) {
        (_, _, true) => MemberState::Acknowledged,
        (_, true, _) => MemberState::Prepared,
        (true, _, _) => MemberState::Confirmed,
        _ => MemberState::Joined,
    };
    MemberView {
        party: member.party.clone(),
        name: member.name.clone(),
        index: Some(member.index),
        you: member.you,
        controller: member.controller.clone(),
        trust_domain: member.domains.join(", "),
        state,
        online: false,
        last_seen_ms: None,
        problem: look
            .distrusted
            .get(&member.party)
            .map(|why| (*why).to_owned()),
    }
}

fn phase(phase: Phase) -> VaultPhase {
    match phase {
        Phase::Confirming => VaultPhase::Confirming,
        Phase::Keygen => VaultPhase::Keygen,
        Phase::Active => VaultPhase::Active,
        Phase::Failed => VaultPhase::Failed,
    }
}

/// Whom the vault waits for; who is away is waited for at that first.
fn waiting_for(look: &Look, members: &[MemberView]) -> Vec<AwaitedMember> {
    let mut all: Vec<AwaitedMember> = look
        .awaited
        .iter()
        .map(|one| awaited(Some(one.name.clone()), one.what))
        .collect();
    let making = matches!(look.view.phase, Phase::Confirming | Phase::Keygen);
    for member in members.iter().filter(|member| making && !member.online) {
        let entry = awaited(Some(member.name.clone()), "to come online");
        if !all.contains(&entry) {
            all.push(entry);
        }
    }
    all
}

fn address_view(address: &str) -> AddressView {
    AddressView {
        namespace: "eip155".to_owned(),
        address: address.to_owned(),
        suite: "ecdsa-secp256k1".to_owned(),
    }
}

fn warnings(look: &Look) -> Vec<String> {
    let mut all = Vec::new();
    if look.view.phase == Phase::Active {
        all.extend(
            look.read_only
                .map(|why| format!("this member signs nothing at present: {why}")),
        );
    } else {
        let newest = look.view.aborted.last();
        all.extend(newest.map(|(attempt, name, why)| {
            format!("key generation {attempt} was given up by {name}: {why}")
        }));
    }
    all
}

/// A request as the API tells it. `names` tells the local names of chains.
pub(super) fn request(
    seen: &Seen<'_>,
    vault: &str,
    names: &BTreeMap<String, String>,
    view: machine::RequestView,
) -> RequestView {
    let state = request_state(&view, seen.accepted);
    RequestView {
        blocked: blocked(seen.vault, &view),
        id: view.id,
        vault: vault.to_owned(),
        kind: RequestKind::Transfer,
        state,
        awaits_you: view.awaits_you,
        intent: intent(&view.intent, names),
        requester: view.requester,
        note: Some(view.note).filter(|note| !note.is_empty()),
        created_ms: view.created.0,
        expires_ms: view.expires.0,
        in_place_of: view.in_place_of,
        asked_again_as: view.asked_again_as,
        needed: view.needed,
        approvals: view.approvals.into_iter().map(decision).collect(),
        rejections: view.rejections.into_iter().map(decision).collect(),
        undecided: view.undecided,
        sessions: view.sessions.into_iter().map(session).collect(),
        tx_hashes: view.tx_hashes,
        receipt: view.receipt.map(receipt),
    }
}

fn request_state(view: &machine::RequestView, accepted: &BTreeSet<[u8; 32]>) -> RequestState {
    let taken = || {
        accepted
            .iter()
            .any(|hash| view.tx_hashes.contains(&format!("0x{}", hex::encode(hash))))
    };
    match &view.state {
        fold::RequestState::WaitingForApprovals => RequestState::WaitingForApprovals,
        fold::RequestState::Ready => RequestState::Ready,
        fold::RequestState::Signing => RequestState::Signing,
        fold::RequestState::Signed if taken() => RequestState::Broadcast,
        fold::RequestState::Signed => RequestState::Signed,
        fold::RequestState::Mined { success: true, .. } => RequestState::Mined,
        fold::RequestState::Mined { success: false, .. } => RequestState::Failed,
        fold::RequestState::Rejected | fold::RequestState::Invalid(_) => RequestState::Rejected,
        fold::RequestState::Cancelled => RequestState::Cancelled,
        fold::RequestState::Expired => RequestState::Expired,
        fold::RequestState::Lost => RequestState::Superseded,
        fold::RequestState::PaidBefore { .. } => RequestState::PaidBefore,
    }
}

/// Why a request does not go on by itself at present.
fn blocked(vault: &Vault, view: &machine::RequestView) -> Option<String> {
    match &view.state {
        fold::RequestState::WaitingForApprovals
        | fold::RequestState::Invalid(_)
        | fold::RequestState::Lost
        | fold::RequestState::PaidBefore { .. } => Some(view.sentence.clone()),
        _ => vault.blocked(&id_of(view)?),
    }
}

fn id_of(view: &machine::RequestView) -> Option<RequestId> {
    let mut id = [0; 32];
    hex::decode_to_slice(&view.id, &mut id).ok()?;
    Some(RequestId(id))
}

/// An intent as the API tells it.
pub(super) fn intent(intent: &machine::IntentView, names: &BTreeMap<String, String>) -> IntentView {
    let line = |line: &quorate_chain::Line| IntentLine {
        label: line.label.to_owned(),
        value: line.value.clone(),
    };
    IntentView {
        digest: intent.digest.clone(),
        lines: intent.lines.iter().map(line).collect(),
        chain: intent.chain.clone(),
        chain_name: names.get(&intent.chain).cloned(),
        from: intent.from.clone(),
        to: intent.to.clone(),
        asset: intent.asset.clone(),
        value_wei: intent.value.to_string(),
        nonce: intent.nonce,
        gas_limit: intent.gas_limit,
        max_fee_per_gas_wei: intent.max_fee_per_gas.to_string(),
        max_priority_fee_per_gas_wei: intent.max_priority_fee_per_gas.to_string(),
        max_fee_wei: intent.largest_fee.to_string(),
        largest_cost_wei: intent.largest_total.to_string(),
    }
}

/// Local names of chains, by CAIP-2 id.
pub(super) fn chain_names(daemon: &Daemon) -> BTreeMap<String, String> {
    daemon
        .chains
        .all()
        .into_iter()
        .map(|known| (known.chain.to_string(), known.name))
        .collect()
}

fn decision(one: machine::DecisionView) -> DecisionView {
    DecisionView {
        member: one.member,
        at_ms: one.at.0,
        reason: one.reason.filter(|reason| !reason.is_empty()),
    }
}

fn session(one: machine::SessionView) -> SessionView {
    let outcome = match one.outcome {
        "signed" => SessionOutcome::Signed,
        "failed" => SessionOutcome::Aborted,
        _ => SessionOutcome::Running,
    };
    SessionView {
        attempt: one.attempt,
        opener: one.opener,
        quorum: one.quorum,
        outcome,
        reason: one.reason,
    }
}

fn receipt(one: machine::ReceiptView) -> ReceiptView {
    ReceiptView {
        tx_hash: one.tx_hash,
        block: one.block,
        block_hash: one.block_hash,
        success: one.success,
        gas_used: one.gas_used,
        effective_gas_price_wei: one.effective_gas_price.to_string(),
        fee_wei: one.fee.unwrap_or_default().to_string(),
    }
}

/// How many requests are neither finished nor dead.
pub(super) fn open_requests(vault: &Vault) -> u32 {
    let open = vault
        .state()
        .requests()
        .filter(|id| is_open(vault, id))
        .count();
    u32::try_from(open).unwrap_or(u32::MAX)
}

fn is_open(vault: &Vault, id: &RequestId) -> bool {
    let state = vault.state().request_state(id, vault.now());
    state
        .is_some_and(|state| !state.is_dead() && !matches!(state, fold::RequestState::Mined { .. }))
}

/// What open requests can take at the most, by chain.
pub(super) fn reserved(vault: &Vault) -> BTreeMap<ChainId, Wei> {
    let mut sums: BTreeMap<ChainId, Wei> = BTreeMap::new();
    for id in vault.state().requests().filter(|id| is_open(vault, id)) {
        let Some(view) = vault.request(&id) else {
            continue;
        };
        let Ok(chain) = view.intent.chain.parse::<ChainId>() else {
            continue;
        };
        let sum = sums.entry(chain).or_default();
        *sum = sum.checked_add(view.intent.largest_total).unwrap_or(*sum);
    }
    sums
}
