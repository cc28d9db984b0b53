//! The chains that this member knows: a name, a chain, an endpoint. URLs can hold API keys, so they are kept sealed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use quorate_chain::ChainId;
use quorate_store::{Error, Store, Write};
use quorate_vault::io::{ChainFact, Query};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::record;
use crate::rpc::{Evm, RpcError};
use crate::shared::lock;
use crate::shelf::{OWN, OWN_EPOCH, keep_secret, own_secret, unreadable};

/// Chains that one member knows at the most.
pub(crate) const MAX_CHAINS: usize = 64;
const FAMILY: &str = "chain/";

/// A chain that was added.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ChainRecord {
    /// CAIP-2.
    pub(crate) chain: ChainId,
    /// The endpoint.
    pub(crate) url: String,
}

/// A chain and its client.
#[derive(Clone)]
pub(crate) struct Known {
    /// Local name.
    pub(crate) name: String,
    /// Which chain.
    pub(crate) chain: ChainId,
    /// Its endpoint.
    pub(crate) evm: Arc<Evm>,
}

/// All chains, by local name. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Chains(Arc<Mutex<BTreeMap<String, Known>>>);

impl Chains {
    /// The chains that the store knows.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn load(store: &Store) -> Result<Self, Error> {
        let chains = Self::default();
        for secret in store.secret_names(&OWN)? {
            let Some(name) = secret.name.strip_prefix(FAMILY) else {
                continue;
            };
            let bytes = own_secret(store, &secret.name)?.ok_or_else(|| unreadable(&secret.name))?;
            let ChainRecord { chain, url } =
                record::decode(&bytes).ok_or_else(|| unreadable(&secret.name))?;
            match Evm::new(chain, &url) {
                Ok(evm) => chains.put(Known {
                    name: name.to_owned(),
                    chain,
                    evm: Arc::new(evm),
                }),
                Err(error) => tracing::error!(chain = name, %error, "a chain cannot be used"),
            }
        }
        Ok(chains)
    }

    /// Adds a chain whose record is durable.
    pub(crate) fn put(&self, known: Known) {
        lock(&self.0).insert(known.name.clone(), known);
    }

    /// Removes a chain; tells whether it was there.
    pub(crate) fn remove(&self, name: &str) -> bool {
        lock(&self.0).remove(name).is_some()
    }

    /// Every chain, by name.
    pub(crate) fn all(&self) -> Vec<Known> {
        lock(&self.0).values().cloned().collect()
    }

    /// The chain of this id.
    pub(crate) fn of(&self, chain: ChainId) -> Option<Known> {
        lock(&self.0)
            .values()
            .find(|known| known.chain == chain)
            .cloned()
    }

    /// The chain of this local name or CAIP-2 id.
    pub(crate) fn named(&self, text: &str) -> Option<Known> {
        let by_name = lock(&self.0).get(text).cloned();
        by_name.or_else(|| text.parse().ok().and_then(|chain| self.of(chain)))
    }

    /// Asks a chain what a vault wants to know.
    pub(crate) async fn answer(&self, query: Query) -> ChainFact {
        let chain = match query {
            Query::Fees { chain } | Query::Slot { chain, .. } => chain,
        };
        let Some(known) = self.of(chain) else {
            return unknown(chain);
        };
        let answered = match query {
            Query::Fees { .. } => known.evm.fees().await.map(|quote| ChainFact::Fees {
                chain,
                base_fee: quote.base_fee_per_gas,
                tip: quote.tip,
            }),
            Query::Slot {
                account,
                nonce,
                candidates,
                ..
            } => {
                let status = known.evm.slot(account, nonce, &candidates).await;
                status.map(|status| ChainFact::Slot {
                    chain,
                    account,
                    nonce,
                    status,
                })
            }
        };
        answered.unwrap_or_else(|error| unreachable(chain, &error))
    }

    /// Hands a signed transaction to its chain.
    pub(crate) async fn broadcast(
        &self,
        chain: ChainId,
        raw: Vec<u8>,
        hash: [u8; 32],
    ) -> ChainFact {
        let Some(known) = self.of(chain) else {
            return unknown(chain);
        };
        match known.evm.broadcast(&raw, hash).await {
            Ok(result) => ChainFact::Broadcast {
                chain,
                hash,
                result,
            },
            Err(error) => unreachable(chain, &error),
        }
    }
}

/// The write that keeps a chain.
pub(crate) fn keep_chain(name: &str, record: &ChainRecord) -> Write {
    keep_secret(
        &format!("{FAMILY}{name}"),
        Zeroizing::new(record::encode(record)),
    )
}

/// The write that forgets a chain.
pub(crate) fn forget_chain(name: &str) -> Write {
    Write::DeleteSecret {
        vault: OWN,
        name: format!("{FAMILY}{name}"),
        epoch: OWN_EPOCH,
    }
}

fn unknown(chain: ChainId) -> ChainFact {
    ChainFact::Unreachable {
        chain,
        why: format!("no endpoint of {chain} was added here"),
    }
}

fn unreachable(chain: ChainId, error: &RpcError) -> ChainFact {
    ChainFact::Unreachable {
        chain,
        why: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use quorate_chain::ChainId;

    use super::ChainRecord;
    use crate::record::{decode, encode};

    #[test]
    fn records_keep_their_encoding() {
        let record = ChainRecord {
            chain: ChainId::Eip155(31337),
            url: "http://a".into(),
        };
        let bytes = encode(&record);
        assert_eq!(hex::encode(&bytes), "0100e9f40108687474703a2f2f61");
        let read: ChainRecord = decode(&bytes).unwrap();
        assert_eq!((read.chain, read.url), (record.chain, record.url));
    }
}
