//! An open invitation: a TCP listener of its own, while it lasts. It lives in memory only and dies with the daemon.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quorate_wire::VerifiedCard;
use quorate_wire::pairing::{Invitation, Inviter, LIFETIME_MS};
use rand_core::OsRng;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::Making;
use super::channel::Pairing;
use super::error::MakingError;
use super::record::{Labels, Taken, Terms};
use super::roster::member;
use crate::process::{now_ms, uptime_ms};
use crate::record;
use crate::shared::lock;

/// Pairings that one invitation takes part in at once.
const MAX_PAIRING: usize = 8;
/// Ports from the chosen one on that are tried.
const MAX_PORTS: u16 = 32;

/// What the inviter tells a joiner that has proved the code.
#[derive(Serialize, Deserialize)]
pub(super) enum Details {
    /// Welcome.
    Invited(Terms),
    /// The code was right, and yet: in words.
    Refused(String),
}

/// An invitation that somebody can still join with.
pub(super) struct Open {
    pub(super) vault: String,
    pub(super) address: SocketAddr,
    pub(super) expires_ms: u64,
    invitation: Arc<Mutex<Invitation>>,
    task: AbortHandle,
}

impl Open {
    /// Whether its code still opens.
    pub(super) fn is_alive(&self) -> bool {
        !self.task.is_finished() && lock(&self.invitation).check(uptime_ms()).is_ok()
    }

    /// Whether nobody is answered on its port any more.
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// The code, for the person to speak.
    pub(super) fn code(&self) -> String {
        lock(&self.invitation).code().reveal().to_string()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens an invitation to `vault`.
///
/// # Errors
/// [`MakingError::Listen`].
pub(super) async fn open(making: &Making, vault: &str) -> Result<Open, MakingError> {
    let listener = listen(making.pairing_at())
        .await
        .map_err(MakingError::Listen)?;
    let bound = listener.local_addr().map_err(MakingError::Listen)?;
    let address = SocketAddr::new(making.told_ip(bound.ip()), bound.port());
    let invitation = Arc::new(Mutex::new(Invitation::create(uptime_ms(), &mut OsRng)));
    let serving = serve(
        making.clone(),
        vault.to_owned(),
        listener,
        Arc::clone(&invitation),
    );
    let task = tokio::spawn(serving).abort_handle();
    let expires_ms = now_ms().saturating_add(LIFETIME_MS);
    Ok(Open {
        vault: vault.to_owned(),
        address,
        expires_ms,
        invitation,
        task,
    })
}

/// Listens on the chosen port or the next free one after it.
async fn listen(at: SocketAddr) -> std::io::Result<TcpListener> {
    let ports = at.port()..=at.port().saturating_add(MAX_PORTS);
    let mut last = TcpListener::bind(at).await;
    for port in ports.skip(1).take_while(|_| at.port() != 0) {
        match last {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                last = TcpListener::bind(SocketAddr::new(at.ip(), port)).await;
            }
            other => return other,
        }
    }
    last
}

/// Answers joiners until the invitation has expired; who comes with a used or dead code before is told that it is.
async fn serve(
    making: Making,
    vault: String,
    listener: TcpListener,
    invitation: Arc<Mutex<Invitation>>,
) {
    let room = Arc::new(Semaphore::new(MAX_PAIRING));
    let expires_at_ms = lock(&invitation).expires_at_ms();
    while uptime_ms() < expires_at_ms {
        let left = Duration::from_millis(expires_at_ms.saturating_sub(uptime_ms()));
        let Ok(accepted) = timeout(left, listener.accept()).await else {
            return;
        };
        let (Ok((stream, _)), Ok(seat)) = (accepted, Arc::clone(&room).try_acquire_owned()) else {
            continue;
        };
        let (making, vault, invitation) = (making.clone(), vault.clone(), Arc::clone(&invitation));
        tokio::spawn(async move {
            if let Err(error) = answer(&making, &vault, stream, &invitation).await {
                tracing::info!(vault, %error, "a pairing failed");
            }
            drop(seat);
        });
    }
}

async fn answer(
    making: &Making,
    vault: &str,
    stream: TcpStream,
    invitation: &Mutex<Invitation>,
) -> Result<(), MakingError> {
    let id = lock(invitation).id();
    let mut pairing = Pairing::invite(stream, making.own_endpoint(), id).await?;
    match pair(making, vault, &mut pairing, invitation).await {
        Err(MakingError::Pairing(error)) => {
            if let Some(refusal) = error.refusal() {
                pairing.write(&refusal).await?;
            }
            Err(error.into())
        }
        other => other,
    }
}

async fn pair(
    making: &Making,
    vault: &str,
    pairing: &mut Pairing,
    invitation: &Mutex<Invitation>,
) -> Result<(), MakingError> {
    let start = pairing.read().await?;
    let (inviter, reply) = Inviter::answer(
        &lock(invitation),
        uptime_ms(),
        &start,
        &pairing.channel,
        &mut OsRng,
    )?;
    pairing.write(&reply).await?;
    let confirm = pairing.read().await?;
    let (admitting, reply) = inviter.confirm(
        &mut lock(invitation),
        uptime_ms(),
        &confirm,
        &making.own_card(),
    )?;
    pairing.write(&reply).await?;
    let introduction = pairing.read().await?;
    let card = admitting.joiner(&introduction)?;
    let details = match making.may_seat(vault, &card) {
        Ok(terms) => Details::Invited(terms),
        Err(why) => Details::Refused(why),
    };
    let (seating, welcome) = admitting.welcome(&record::encode(&details))?;
    pairing.write(&welcome).await?;
    if let Details::Refused(why) = details {
        return Err(MakingError::Refused(why));
    }
    // The joiner says this once the vault is durable on its side.
    let seated = seating.seated(&pairing.read().await?)?;
    let taken: Taken = record::decode(&seated).ok_or(MakingError::Malformed)?;
    making.seat(vault, &card, taken).await
}

/// The address that a joiner is told: the bound one, or one of this machine's if it is bound to all.
pub(super) fn told(bound: IpAddr, reachable: &[SocketAddr]) -> IpAddr {
    if !bound.is_unspecified() {
        return bound;
    }
    let same_family = |ip: &IpAddr| ip.is_ipv4() == bound.is_ipv4();
    let outside = reachable
        .iter()
        .map(SocketAddr::ip)
        .find(|ip| same_family(ip) && !ip.is_loopback());
    outside.unwrap_or(bound)
}

/// What a seat needs to know of a card: a charter can hold it, and nobody else in the vault has its name or keys.
pub(super) fn clash(card: &VerifiedCard, others: &[VerifiedCard]) -> Option<String> {
    let card = card.card();
    // The labels are the joiner's to say, and are judged when it says them.
    let labels = Labels {
        controller: "owner".to_owned(),
        domain: "device".to_owned(),
    };
    if let Err(error) = member(card, &labels, [0; 32]).check() {
        return Some(error.to_string());
    }
    others.iter().map(VerifiedCard::card).find_map(|other| {
        if other.name.to_lowercase() == card.name.to_lowercase() {
            return Some(format!(
                "a member named {} is in the vault already; make this member under another name",
                card.name
            ));
        }
        let keys = [other.identity, other.endpoint, other.credential];
        let shared = [card.identity, card.endpoint, card.credential]
            .iter()
            .any(|key| keys.contains(key));
        shared.then(|| {
            format!(
                "{} has a key of this member; make this member afresh",
                other.name
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{Details, told};
    use crate::making::record::{Labels, Taken, Terms};
    use crate::record::encode;

    /// What both sides of a pairing say, byte for byte.
    #[test]
    fn what_is_said_while_pairing_keeps_its_encoding() {
        let terms = Terms {
            name: "family".into(),
            nonce: [7; 32],
            threshold: 2,
            size: 3,
            needed: 2,
            commitment: [6; 32],
        };
        let (nonce, commitment) = ("07".repeat(32), "06".repeat(32));
        let golden = format!("01000666616d696c79{nonce}020302{commitment}");
        assert_eq!(hex::encode(encode(&Details::Invited(terms))), golden);
        let refused = Details::Refused("no".into());
        assert_eq!(hex::encode(encode(&refused)), "0101026e6f");
        let taken = Taken {
            labels: Labels {
                controller: "owner".into(),
                domain: "office".into(),
            },
            commitment: [6; 32],
        };
        let golden = format!("01056f776e6572066f6666696365{commitment}");
        assert_eq!(hex::encode(encode(&taken)), golden);
    }

    #[test]
    fn a_joiner_is_told_an_address_that_it_can_reach() {
        let reachable =
            ["127.0.0.1:1", "192.0.2.7:1", "[2001:db8::7]:1"].map(|text| text.parse().unwrap());
        let told = |bound: &str| told(bound.parse().unwrap(), &reachable).to_string();
        assert_eq!(told("192.0.2.9"), "192.0.2.9");
        assert_eq!(told("0.0.0.0"), "192.0.2.7");
        assert_eq!(told("::"), "2001:db8::7");
    }
}
