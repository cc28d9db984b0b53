//! Joining a vault by a spoken code.

use std::time::Duration;

use quorate_wire::VerifiedCard;
use quorate_wire::pairing::{Joined as Paired, Joiner, PairingCode};
use rand_core::OsRng;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::channel::Pairing;
use super::error::MakingError;
use super::invite::Details;
use super::record::{Taken, Terms};
use crate::record;

/// Longest wait for the connection.
const CONNECT: Duration = Duration::from_secs(5);

/// A pairing that went well; say [`Admission::take`] once it is durable here.
pub(super) struct Admission {
    pairing: Pairing,
    paired: Paired,
    /// What one was invited to.
    pub(super) terms: Terms,
}

impl Admission {
    /// Who invited.
    pub(super) fn inviter(&self) -> &VerifiedCard {
        &self.paired.inviter
    }

    /// Tells the inviter that the seat is taken.
    ///
    /// # Errors
    /// The connection broke: the inviter does not know.
    pub(super) async fn take(mut self, taken: &Taken) -> Result<(), MakingError> {
        let seat = self.paired.take_seat(&record::encode(taken))?;
        Ok(self.pairing.write(&seat).await?)
    }
}

/// Pairs with the inviter at `address`.
///
/// # Errors
/// [`MakingError`].
pub(super) async fn pair(
    code: PairingCode,
    address: &str,
    own: &VerifiedCard,
) -> Result<Admission, MakingError> {
    let unreachable = |why: String| MakingError::Unreachable {
        address: address.to_owned(),
        why,
    };
    let connected = timeout(CONNECT, TcpStream::connect(address)).await;
    let stream = connected.map_err(|_| unreachable("no answer".to_owned()))?;
    let stream = stream.map_err(|error| unreachable(error.to_string()))?;
    let mut pairing = Pairing::join(stream, own.card().endpoint).await?;
    match converse(&mut pairing, code, own).await {
        Ok((terms, paired)) => Ok(Admission {
            pairing,
            paired,
            terms,
        }),
        Err(MakingError::Pairing(error)) => {
            if let Some(refusal) = error.refusal() {
                // The pairing is over either way; the refusal is for the inviter's log.
                pairing.write(&refusal).await.ok();
            }
            Err(error.into())
        }
        Err(error) => Err(error),
    }
}

async fn converse(
    pairing: &mut Pairing,
    code: PairingCode,
    own: &VerifiedCard,
) -> Result<(Terms, Paired), MakingError> {
    let (joiner, start) = Joiner::start(code, pairing.invitation, &pairing.channel, &mut OsRng);
    pairing.write(&start).await?;
    let (confirming, confirm) = joiner.confirm(&pairing.read().await?)?;
    pairing.write(&confirm).await?;
    let (introduced, introduction) = confirming.introduce(&pairing.read().await?, own)?;
    pairing.write(&introduction).await?;
    let paired = introduced.finish(&pairing.read().await?)?;
    match record::decode(&paired.details).ok_or(MakingError::Malformed)? {
        Details::Invited(terms) if terms.are_sound() => Ok((terms, paired)),
        Details::Invited(_) => Err(MakingError::Malformed),
        Details::Refused(why) => {
            let visible: String = why.chars().filter(|c| !c.is_control()).take(300).collect();
            Err(MakingError::Refused(visible))
        }
    }
}
