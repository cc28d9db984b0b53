//! The side that invites.

use rand_core::CryptoRngCore;
use spake2::{Ed25519Group, Spake2};

use super::keys::{INVITER, JOINER, RunKeys, Sealed, Setting, password};
use super::message::{Message, join, out_of_turn, split, within_limit};
use super::{Invitation, PairingError, accept_card};
use crate::card::VerifiedCard;
use crate::hello::Channel;

/// The inviter, having answered: it waits for the joiner's proof.
pub struct Inviter {
    keys: RunKeys,
    channel: Channel,
    invitation: u32,
}

impl Inviter {
    /// Answers a joiner's first message. Costs no try: nothing that tells about the code is sent
    /// before the joiner has proved that it knows it.
    ///
    /// # Errors
    /// What [`Invitation::check`] says, [`PairingError::UnknownInvitation`],
    /// [`PairingError::OtherVersion`], [`PairingError::Unexpected`].
    pub fn answer(
        invitation: &Invitation,
        now_ms: u64,
        start: &[u8],
        channel: &Channel,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Self, Vec<u8>), PairingError> {
        let Message::Start {
            invitation: asked,
            side,
            point,
        } = Message::decode(start)?
        else {
            return Err(out_of_turn());
        };
        if asked != invitation.id() {
            return Err(PairingError::UnknownInvitation);
        }
        invitation.check(now_ms)?;
        let setting = Setting::at_inviter(asked, channel);
        let (id_joiner, id_inviter) = setting.identities();
        let (spake, ours) = Spake2::<Ed25519Group>::start_b_with_rng(
            &password(invitation.code()),
            &id_joiner,
            &id_inviter,
            rng,
        );
        let (own_side, own_point) = split(&ours);
        let (from_joiner, from_inviter) = (join(side, &point), join(own_side, &own_point));
        let keys = RunKeys::derive(spake, &setting, &from_joiner, &from_inviter, &from_joiner)?;
        let answer = Message::Answer {
            side: own_side,
            point: own_point,
        };
        Ok((
            Self {
                keys,
                channel: *channel,
                invitation: asked,
            },
            answer.encode(),
        ))
    }

    /// Checks the joiner's proof. A wrong one costs the invitation a try, a right one uses it up; both
    /// count before anything is answered, so runs side by side get no tries of their own.
    ///
    /// # Errors
    /// [`PairingError::WrongCode`], [`PairingError::CodeDead`] and the rest of [`Invitation::check`],
    /// [`PairingError::UnknownInvitation`] if it is another invitation than in [`Inviter::answer`],
    /// [`PairingError::Unexpected`].
    pub fn confirm(
        self,
        invitation: &mut Invitation,
        now_ms: u64,
        confirm: &[u8],
        own: &VerifiedCard,
    ) -> Result<(Admitting, Vec<u8>), PairingError> {
        if self.invitation != invitation.id() {
            return Err(PairingError::UnknownInvitation);
        }
        invitation.check(now_ms)?;
        let Message::Confirm { mac } = Message::decode(confirm)? else {
            return Err(out_of_turn());
        };
        if !self.keys.confirms(JOINER, &mac) {
            return Err(invitation.burn());
        }
        invitation.use_up();
        let card = self.keys.seal(Sealed::InviterCard, &own.encode());
        let reply = Message::Confirmed {
            mac: self.keys.confirmation(INVITER),
            card,
        };
        Ok((
            Admitting {
                keys: self.keys,
                channel: self.channel,
                own: own.clone(),
            },
            reply.encode(),
        ))
    }
}

/// The inviter, both sides having proved the code: it waits for the joiner's card.
pub struct Admitting {
    keys: RunKeys,
    channel: Channel,
    own: VerifiedCard,
}

impl Admitting {
    /// Reads the joiner's card, without answering yet: the details may depend on who it is.
    ///
    /// # Errors
    /// [`PairingError::Card`], [`PairingError::EndpointDiffers`], [`PairingError::Yourself`],
    /// [`PairingError::Altered`], [`PairingError::Unexpected`].
    pub fn joiner(&self, introduction: &[u8]) -> Result<VerifiedCard, PairingError> {
        let Message::Introduction { card } = Message::decode(introduction)? else {
            return Err(out_of_turn());
        };
        accept_card(
            &self.keys.open(Sealed::JoinerCard, &card)?,
            &self.own,
            &self.channel,
        )
    }

    /// Tells the joiner what it was invited to. `details` are bytes that only the two can read.
    ///
    /// # Errors
    /// [`PairingError::DetailsTooLarge`].
    pub fn welcome(self, details: &[u8]) -> Result<(Seating, Vec<u8>), PairingError> {
        within_limit(details)?;
        let welcome = Message::Welcome {
            details: self.keys.seal(Sealed::Details, details),
        };
        Ok((Seating { keys: self.keys }, welcome.encode()))
    }
}

/// The inviter, having welcomed: it waits for the joiner to take its seat.
pub struct Seating {
    keys: RunKeys,
}

impl Seating {
    /// Reads what the joiner said when it took its seat.
    ///
    /// # Errors
    /// [`PairingError::Altered`], [`PairingError::Unexpected`], [`PairingError::Refused`].
    pub fn seated(self, seat: &[u8]) -> Result<Vec<u8>, PairingError> {
        let Message::Seat { details } = Message::decode(seat)? else {
            return Err(out_of_turn());
        };
        let details = self.keys.open(Sealed::Seat, &details)?.to_vec();
        within_limit(&details)?;
        Ok(details)
    }
}
