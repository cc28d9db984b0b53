//! What the members of a signing session agree on before round one.

use crate::child::ChildPath;
use crate::committee::{Committee, PartyIndex};
use crate::envelope::{ProtocolKind, SessionTag};
use crate::error::Error;
use crate::evidence::EvidenceContext;
use crate::point::Point;
use crate::public::PublicKeys;
use crate::secrets::EpochSecrets;
use crate::session::SignParams;
use crate::share::KeyShare;
use crate::subject::Subject;
use crate::transcript::Transcript;

/// What all signers of a session know of it by themselves, besides the committee.
#[derive(Clone, Copy, Debug)]
pub struct SignContext<'a> {
    /// The session id.
    pub session: [u8; 32],
    /// The vault's id.
    pub vault: [u8; 32],
    /// The sharing generation.
    pub epoch: u64,
    /// The signers, in order.
    pub quorum: &'a [PartyIndex],
    /// Where the key stands below its root.
    pub path: &'a ChildPath,
    /// The key that signs.
    pub key: &'a Point,
    /// What is signed.
    pub subject: &'a Subject,
    /// The public side of the epoch's root keys.
    pub public: &'a PublicKeys,
}

impl SignContext<'_> {
    pub(crate) fn tag(&self, committee: &Committee) -> SessionTag {
        let suite = self.subject.suite();
        let mut transcript = Transcript::new("quorate/threshold/sign/v1");
        transcript.append(&self.vault);
        transcript.append_u64(self.epoch);
        transcript.append(&committee.hash());
        transcript.append_u64(self.quorum.len() as u64);
        for index in self.quorum {
            transcript.append_u64(u64::from(index.get()));
        }
        transcript.append(&self.public.hash());
        transcript.append_u64(self.path.steps().len() as u64);
        for step in self.path.steps() {
            transcript.append_u64(u64::from(*step));
        }
        transcript.append(self.key.as_bytes());
        self.subject.append_to(&mut transcript);
        SessionTag {
            kind: ProtocolKind::Sign,
            suite: Some(suite),
            epoch: self.epoch,
            session: self.session,
            binding: transcript.finish(),
        }
    }

    /// `X_j` of the key that signs: that of the root, moved as the key was.
    pub(crate) fn verification_share(&self, index: PartyIndex) -> Option<Point> {
        let suite = self.subject.suite();
        let root = self.public.verification_share(suite, index)?;
        root.moved_as(self.public.group_key(suite), self.key)
    }
}

impl SignParams {
    /// The session's tag: what its envelopes are bound to and its evidence is judged by.
    #[must_use]
    pub fn tag(&self) -> SessionTag {
        self.sign_context().tag(&self.committee)
    }

    /// What evidence from this session is judged by.
    #[must_use]
    pub fn context(&self) -> EvidenceContext<'_> {
        EvidenceContext::Sign(self.sign_context())
    }

    const fn sign_context(&self) -> SignContext<'_> {
        SignContext {
            session: self.session,
            vault: self.vault,
            epoch: self.epoch,
            quorum: self.quorum.as_slice(),
            path: &self.path,
            key: &self.key,
            subject: &self.subject,
            public: &self.public,
        }
    }

    /// Checks that everything fits together and gives this member's share of the key that signs.
    pub(crate) fn check(&self, secrets: &EpochSecrets) -> Result<KeyShare, Error> {
        let threshold = usize::from(self.committee.parameters().threshold().get());
        let sorted = self.quorum.is_sorted_by(|a, b| a < b);
        let members = self
            .quorum
            .iter()
            .all(|&index| self.committee.parameters().contains(index));
        if self.quorum.len() != threshold || !sorted || !members || !self.quorum.contains(&self.me)
        {
            return Err(Error::Quorum);
        }
        let wrong = |what| Err(Error::WrongSecrets { what });
        if secrets.index() != self.me {
            return wrong("member");
        }
        if secrets.epoch() != self.epoch || self.public.epoch() != self.epoch {
            return wrong("epoch");
        }
        if *self.public.committee_hash() != self.committee.hash() {
            return wrong("committee");
        }
        if !secrets
            .shares()
            .iter()
            .all(|share| self.public.matches(share))
        {
            return wrong("public keys");
        }
        let share = secrets.share(self.subject.suite()).descendant(&self.path)?;
        if *share.group_key() != self.key {
            return wrong("key at this path");
        }
        Ok(share)
    }
}
