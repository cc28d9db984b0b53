//! Waiting for a request, and what the exit code says when it does not get there.

use quorate_api::{Client, ErrorCode, RequestState, RequestView, Until, WaitQuery};

use crate::action::{Action, failed};
use crate::context::{Context, Deadline};
use crate::failure::Outcome;
use crate::{DONE, Failure, render};

/// Waits until `request` is as far as `until`, is dead, or the time is over; prints it; and says by
/// the exit code which it was.
pub(super) fn to_the_end(
    context: &mut Context<'_>,
    client: &Client,
    request: &RequestView,
    until: Until,
    deadline: Deadline,
) -> Outcome<Action> {
    let request = follow(context, client, request, until, deadline)?;
    context
        .console
        .result("request", &request, render::request)?;
    match verdict(&request, until) {
        None => Ok(Action::Done(DONE)),
        Some(failure) => {
            // The result is printed already: the failure goes to the side only.
            context.console.set_json(false);
            Ok(Action::Done(failed(context.console, &failure)))
        }
    }
}

/// Follows `request` and tells its progress to the side.
fn follow(
    context: &mut Context<'_>,
    client: &Client,
    request: &RequestView,
    until: Until,
    deadline: Deadline,
) -> Outcome<RequestView> {
    let mut now = request.clone();
    let mut told = String::new();
    loop {
        let line = progress(&now);
        if line != told {
            context.console.note(&line);
            told = line;
        }
        if now.state.reached(until) || now.state.is_final() || deadline.left().is_zero() {
            return Ok(now);
        }
        let query = WaitQuery {
            until,
            timeout_ms: deadline.poll_ms().min(PROGRESS_MS),
        };
        now = client.wait(&now.vault, &now.id, &query)?;
        now = go_on(context, client, now)?;
    }
}

/// The request that `id` means. One that lost its slot is asked again by a new one of the same content; the person is
/// told, and sees that one.
pub(super) fn find(
    context: &mut Context<'_>,
    client: &Client,
    vault: &str,
    id: &str,
) -> Outcome<RequestView> {
    let asked = client.request(vault, id)?;
    go_on(context, client, asked)
}

fn go_on(context: &mut Context<'_>, client: &Client, asked: RequestView) -> Outcome<RequestView> {
    let Some(later) = &asked.asked_again_as else {
        return Ok(asked);
    };
    context.console.note(&format!(
        "{} lost its slot to another request and was asked again as {}: this is that one.",
        render::short_id(&asked.id),
        render::short_id(later)
    ));
    Ok(client.request(&asked.vault, later)?)
}

/// How often progress is looked at while the state that is waited for is not there, in milliseconds.
const PROGRESS_MS: u64 = 2_000;

fn progress(request: &RequestView) -> String {
    let id = render::short_id(&request.id);
    let state = render::state_line(request);
    match (&request.blocked, request.state) {
        // Why it waits says the state, too.
        (Some(blocked), RequestState::WaitingForApprovals | RequestState::Ready) => {
            format!("{id}: {blocked}")
        }
        (Some(blocked), _) => format!("{id}: {state}; {blocked}"),
        (None, _) => format!("{id}: {state}"),
    }
}

/// Why a wait ended without success; none if it did not.
fn verdict(request: &RequestView, until: Until) -> Option<Failure> {
    if request.state.reached(until) {
        return None;
    }
    let id = render::short_id(&request.id);
    let again = format!("it goes on by itself; wait again with `quorate request wait {id}`");
    let (code, message, hint) = match request.state {
        RequestState::WaitingForApprovals => (
            ErrorCode::Pending,
            format!(
                "{id} has {} of {} approvals",
                request.approvals.len(),
                request.needed
            ),
            format!("others approve with `quorate approve {id}`"),
        ),
        RequestState::Ready => (ErrorCode::TooFewOnline, not_signed(request), again),
        RequestState::Signing => (ErrorCode::Network, not_signed(request), again),
        RequestState::Signed => (
            ErrorCode::Network,
            format!("{id} is signed, and no endpoint has taken it yet"),
            "see `quorate chain list`; do not request it again".to_owned(),
        ),
        RequestState::Broadcast => (
            ErrorCode::BroadcastUnreported,
            format!("{id} is broadcast and in no block yet"),
            format!(
                "do not request it again; if its fee is too low: `quorate request replace {id}`"
            ),
        ),
        RequestState::PaidBefore => (
            ErrorCode::Denied,
            format!(
                "{id} is not paid: the request that it was asked in place of was paid after all"
            ),
            "do not request it again".to_owned(),
        ),
        RequestState::Failed => (
            ErrorCode::Denied,
            format!("the chain reverted {id}; the fee is spent, the amount is not"),
            "find out why the recipient does not take it before you request it again".to_owned(),
        ),
        dead => (
            ErrorCode::Denied,
            format!("{id}: {}", dead_line(dead)),
            format!("see `quorate request show {id}`; request it again if it is still wanted"),
        ),
    };
    Some(Failure::new(code, message, hint))
}

fn not_signed(request: &RequestView) -> String {
    let id = render::short_id(&request.id);
    match &request.blocked {
        Some(blocked) => format!("{id} is approved and not yet signed: {blocked}"),
        None => format!("{id} is approved and not yet signed"),
    }
}

fn dead_line(state: RequestState) -> &'static str {
    match state {
        RequestState::Rejected => "it was rejected",
        RequestState::Cancelled => "it was cancelled",
        RequestState::Expired => "it expired",
        _ => "its slot went to another request",
    }
}

/// What a person does next with a request that is still open.
pub(super) fn say_what_is_next(context: &mut Context<'_>, request: &RequestView) {
    let id = render::short_id(&request.id);
    let next = match request.state {
        RequestState::WaitingForApprovals if request.awaits_you => {
            format!("Next: quorate approve {id} (and the other members on theirs)")
        }
        RequestState::WaitingForApprovals => {
            format!("Next, on other members: quorate approve {id}")
        }
        state if state.is_final() => return,
        _ => format!("Next: quorate request wait {id}"),
    };
    context.console.note(&next);
}

#[cfg(test)]
mod tests {
    use quorate_api::{IntentView, RequestKind, RequestState as State, RequestView, Until};

    use super::verdict;

    fn request(state: State) -> RequestView {
        RequestView {
            id: "3f9a12bc00".to_owned(),
            vault: "family".to_owned(),
            kind: RequestKind::Transfer,
            state,
            awaits_you: false,
            intent: IntentView {
                digest: String::new(),
                lines: Vec::new(),
                chain: "eip155:31337".to_owned(),
                chain_name: None,
                from: String::new(),
                to: String::new(),
                asset: "ETH".to_owned(),
                value_wei: "1".to_owned(),
                nonce: 0,
                gas_limit: 21_000,
                max_fee_per_gas_wei: "1".to_owned(),
                max_priority_fee_per_gas_wei: "1".to_owned(),
                max_fee_wei: "21000".to_owned(),
                largest_cost_wei: "21001".to_owned(),
            },
            requester: "alice".to_owned(),
            note: None,
            created_ms: 0,
            expires_ms: 0,
            in_place_of: None,
            asked_again_as: None,
            needed: 2,
            approvals: Vec::new(),
            rejections: Vec::new(),
            undecided: Vec::new(),
            blocked: None,
            sessions: Vec::new(),
            tx_hashes: Vec::new(),
            receipt: None,
        }
    }

    #[test]
    fn the_exit_code_says_where_a_wait_ended() {
        for (state, code) in [
            (State::WaitingForApprovals, 7),
            (State::Ready, 10),
            (State::Signing, 4),
            (State::Signed, 4),
            (State::Broadcast, 8),
            (State::Failed, 6),
            (State::Rejected, 6),
            (State::Cancelled, 6),
            (State::Expired, 6),
            (State::Superseded, 6),
            (State::PaidBefore, 6),
        ] {
            let failure = verdict(&request(state), Until::Mined).expect("not mined");
            assert_eq!(failure.code().exit_code(), code, "{state:?}");
        }
        assert_eq!(verdict(&request(State::Mined), Until::Mined), None);
        assert_eq!(verdict(&request(State::Broadcast), Until::Signed), None);
    }
}
