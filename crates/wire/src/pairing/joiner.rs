//! The side that joins.

use rand_core::CryptoRngCore;
use spake2::{Ed25519Group, Spake2};

use super::keys::{INVITER, JOINER, RunKeys, Sealed, Setting, password};
use super::message::{Message, SPAKE_BYTES, join, out_of_turn, split, within_limit};
use super::{PairingCode, PairingError, accept_card};
use crate::card::VerifiedCard;
use crate::hello::Channel;

/// The joiner, having asked: it waits for the inviter's answer.
pub struct Joiner {
    spake: Spake2<Ed25519Group>,
    setting: Setting,
    channel: Channel,
    sent: [u8; SPAKE_BYTES],
}

impl Joiner {
    /// Asks to join `invitation` ([`crate::Rendezvous::invitation`]) with a code, which is used for this run only.
    pub fn start(
        code: PairingCode,
        invitation: u32,
        channel: &Channel,
        rng: &mut dyn CryptoRngCore,
    ) -> (Self, Vec<u8>) {
        let setting = Setting::at_joiner(invitation, channel);
        let (id_joiner, id_inviter) = setting.identities();
        let (spake, ours) = Spake2::<Ed25519Group>::start_a_with_rng(
            &password(&code),
            &id_joiner,
            &id_inviter,
            rng,
        );
        let (side, point) = split(&ours);
        let start = Message::Start {
            invitation,
            side,
            point,
        };
        (
            Self {
                spake,
                setting,
                channel: *channel,
                sent: join(side, &point),
            },
            start.encode(),
        )
    }

    /// Proves the code to the inviter.
    ///
    /// # Errors
    /// The inviter's reason ([`PairingError::CodeUsed`], [`PairingError::CodeExpired`],
    /// [`PairingError::CodeDead`], [`PairingError::UnknownInvitation`]), [`PairingError::OtherVersion`],
    /// [`PairingError::Unexpected`].
    pub fn confirm(self, answer: &[u8]) -> Result<(Confirming, Vec<u8>), PairingError> {
        let Message::Answer { side, point } = Message::decode(answer)? else {
            return Err(out_of_turn());
        };
        let theirs = join(side, &point);
        let keys = RunKeys::derive(self.spake, &self.setting, &self.sent, &theirs, &theirs)?;
        let confirm = Message::Confirm {
            mac: keys.confirmation(JOINER),
        };
        Ok((
            Confirming {
                keys,
                channel: self.channel,
            },
            confirm.encode(),
        ))
    }
}

/// The joiner, having proved: it waits for the inviter's proof and card.
pub struct Confirming {
    keys: RunKeys,
    channel: Channel,
}

impl Confirming {
    /// Checks the inviter's proof and card, and gives one's own card in return.
    ///
    /// # Errors
    /// [`PairingError::WrongCode`] and the inviter's other reasons, [`PairingError::NotTheInviter`],
    /// [`PairingError::Card`], [`PairingError::EndpointDiffers`], [`PairingError::Yourself`],
    /// [`PairingError::Altered`], [`PairingError::Unexpected`].
    pub fn introduce(
        self,
        confirmed: &[u8],
        own: &VerifiedCard,
    ) -> Result<(Introduced, Vec<u8>), PairingError> {
        let Message::Confirmed { mac, card } = Message::decode(confirmed)? else {
            return Err(out_of_turn());
        };
        if !self.keys.confirms(INVITER, &mac) {
            return Err(PairingError::NotTheInviter);
        }
        let inviter = accept_card(
            &self.keys.open(Sealed::InviterCard, &card)?,
            own,
            &self.channel,
        )?;
        let introduction = Message::Introduction {
            card: self.keys.seal(Sealed::JoinerCard, &own.encode()),
        };
        Ok((
            Introduced {
                keys: self.keys,
                inviter,
            },
            introduction.encode(),
        ))
    }
}

/// The joiner, cards exchanged: it waits for the details.
pub struct Introduced {
    keys: RunKeys,
    inviter: VerifiedCard,
}

/// The joiner, invited: it says when it has what it was told.
pub struct Joined {
    /// The inviter's card.
    pub inviter: VerifiedCard,
    /// What the inviter said about the invitation.
    pub details: Vec<u8>,
    keys: RunKeys,
}

impl Introduced {
    /// The inviter's card.
    pub fn inviter(&self) -> &VerifiedCard {
        &self.inviter
    }

    /// Reads the details; with them the inviter has accepted the joiner's card.
    ///
    /// # Errors
    /// [`PairingError::Altered`], [`PairingError::Unexpected`], [`PairingError::Refused`].
    pub fn finish(self, welcome: &[u8]) -> Result<Joined, PairingError> {
        let Message::Welcome { details } = Message::decode(welcome)? else {
            return Err(out_of_turn());
        };
        let details = self.keys.open(Sealed::Details, &details)?.to_vec();
        within_limit(&details)?;
        Ok(Joined {
            inviter: self.inviter,
            details,
            keys: self.keys,
        })
    }
}

impl Joined {
    /// Takes the seat. `details` are bytes that only the two can read.
    ///
    /// # Errors
    /// [`PairingError::DetailsTooLarge`].
    pub fn take_seat(self, details: &[u8]) -> Result<Vec<u8>, PairingError> {
        within_limit(details)?;
        Ok(Message::Seat {
            details: self.keys.seal(Sealed::Seat, details),
        }
        .encode())
    }
}
