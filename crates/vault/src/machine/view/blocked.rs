//! Why a request does not go on at this moment.

use super::super::Vault;
use crate::entry::Purpose;
use crate::fold::{Denied, RequestState, Standing};
use crate::ids::{PartyId, RequestId};

impl Vault {
    /// Why a request does not go on at present, or what is wrong about it, in one sentence; none when it does, or is
    /// finished.
    pub fn blocked(&self, id: &RequestId) -> Option<String> {
        let standing = self.state.standing(id, self.now)?;
        if self.state.is_contradicted(&standing.slot) {
            return Some(self.state.explain(id, self.now)?.sentence);
        }
        match standing.state {
            RequestState::Ready => self.signing_blocked(&standing),
            RequestState::Signed => self.broadcast_blocked(&standing),
            _ => None,
        }
    }

    /// Why no endpoint takes what is signed.
    fn broadcast_blocked(&self, standing: &Standing) -> Option<String> {
        let newest = self.state.newest_signed(&standing.id, Purpose::Payment)?;
        let hash = self.state.signed_tx(&newest)?.hash;
        let refused = self
            .watch
            .refused
            .get(&hash)
            .map(|words| format!("the chain does not take it: {words}"));
        refused.or_else(|| self.trouble_with(standing))
    }

    fn signing_blocked(&self, standing: &Standing) -> Option<String> {
        if let Some(why) = self.read_only() {
            return Some(format!("this member signs nothing: {why}"));
        }
        let mine = self
            .state
            .may_sign(&standing.id, Purpose::Payment, self.now);
        if let Err(
            denied @ (Denied::LowerSlotOpen { .. }
            | Denied::SlotClaimed { .. }
            | Denied::SlotTooFar { .. }
            | Denied::MayBePaid { .. }),
        ) = mine
            && self.state.fill_needed(&standing.id, self.now).is_none()
        {
            return Some(denied.to_string());
        }
        self.too_few_online(standing)
            .or_else(|| self.trouble_with(standing))
    }

    /// Who of the approvers is missing, when too few can be reached for a session.
    fn too_few_online(&self, standing: &Standing) -> Option<String> {
        let needed = usize::from(self.charter.threshold);
        let can_sign = |party: &PartyId| {
            *party == self.me
                || (self.conduct.trusts(party)
                    && self.peers.get(party).is_some_and(|peer| peer.is_ready()))
        };
        let (there, away): (Vec<_>, Vec<_>) = standing
            .approvals
            .iter()
            .map(|approval| approval.party)
            .partition(can_sign);
        if there.len() >= needed {
            return None;
        }
        let (distrusted, offline): (Vec<_>, Vec<_>) = away
            .into_iter()
            .partition(|party| !self.conduct.trusts(party));
        let names = |parties: &[PartyId]| {
            parties
                .iter()
                .map(|p| self.charter.name_of(p))
                .collect::<Vec<_>>()
                .join(" and ")
        };
        let mut sentence = format!("{needed} of those who approved are needed online");
        if !offline.is_empty() {
            sentence.push_str(&format!("; offline: {}", names(&offline)));
        }
        if !distrusted.is_empty() {
            sentence.push_str(&format!(
                "; this member does not sign with {}",
                names(&distrusted)
            ));
        }
        Some(sentence)
    }

    fn trouble_with(&self, standing: &Standing) -> Option<String> {
        self.watch
            .trouble
            .get(&standing.slot.chain)
            .map(|words| format!("the endpoint of {}: {words}", standing.slot.chain))
    }
}
