//! What an EVM endpoint says of fees, accounts, slots and blocks.

use quorate_chain::evm::{
    self, Address, FeeQuote, Fees, Mined, SignedTransfer, Transfer, TransferTerms, Wei,
};
use quorate_chain::{ChainId, Intent};
use quorate_vault::io::SlotStatus;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::{MAX_ANSWER_BYTES, MAX_BLOCK_BYTES, RpcClient, RpcError};
use super::wire::{
    Amount, Block, Bytes, FeeHistory, Fixed, Header, Quantity, Receipt, Transaction,
};

/// Hashes of own attempts that are looked up for one slot at the most.
const MAX_CANDIDATES: usize = 16;
/// Tip where an endpoint does not suggest one, wei a unit of gas.
const DEFAULT_TIP: u128 = 1_000_000_000;
/// Words by which endpoints say that they have a transaction already.
const KNOWN: [&str; 5] = [
    "already known",
    "already imported",
    "known transaction",
    "already_exists",
    "already in mempool",
];

/// An endpoint of one EVM chain. Every answer is taken only after it has said that it serves that chain.
pub struct Evm {
    client: RpcClient,
    chain: ChainId,
}

/// A balance and the block it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// How much.
    pub amount: Wei,
    /// At which block.
    pub block: u64,
}

impl Evm {
    /// The endpoint at `url`, which must serve `chain`.
    ///
    /// # Errors
    /// As [`RpcClient::new`].
    pub fn new(chain: ChainId, url: &str) -> Result<Self, RpcError> {
        Ok(Self {
            client: RpcClient::new(url)?,
            chain,
        })
    }

    /// Asks an endpoint which chain it serves.
    ///
    /// # Errors
    /// [`RpcError`].
    pub async fn identify(client: &RpcClient) -> Result<ChainId, RpcError> {
        let method = "eth_chainId";
        let id: Option<Quantity> = client.call(method, json!([]), MAX_ANSWER_BYTES).await?;
        let id = id.and_then(Quantity::small).filter(|id| *id != 0);
        id.map(ChainId::Eip155)
            .ok_or_else(|| client.malformed(method, "it is no chain id"))
    }

    /// What may be shown of the endpoint's URL.
    pub fn host(&self) -> String {
        self.client.host()
    }

    /// The newest block's height.
    ///
    /// # Errors
    /// [`RpcError`].
    pub async fn head(&self) -> Result<u64, RpcError> {
        self.require_chain().await?;
        self.number("eth_blockNumber", json!([])).await
    }

    /// Base fee of the next block and a tip that gets in soon.
    ///
    /// # Errors
    /// [`RpcError`].
    pub async fn fees(&self) -> Result<FeeQuote, RpcError> {
        self.require_chain().await?;
        let history: FeeHistory = self
            .ask("eth_feeHistory", json!(["0x5", "latest", [50]]))
            .await?;
        let base = history.base_fee_per_gas.last();
        let base =
            base.ok_or_else(|| self.client.malformed("eth_feeHistory", "it lists no fee"))?;
        let tip = match self
            .ask::<Quantity>("eth_maxPriorityFeePerGas", json!([]))
            .await
        {
            Ok(tip) => tip.0,
            Err(RpcError::Refused { .. }) => median_reward(&history).unwrap_or(DEFAULT_TIP),
            Err(error) => return Err(error),
        };
        Ok(FeeQuote {
            base_fee_per_gas: base.0,
            tip,
        })
    }

    /// What an account holds at the newest block.
    ///
    /// # Errors
    /// [`RpcError`].
    pub async fn balance(&self, account: Address) -> Result<Balance, RpcError> {
        let block = self.head().await?;
        let account = Fixed::text(account.as_bytes());
        let at = |tag: String| json!([account, tag]);
        let exact = self
            .ask::<Amount>("eth_getBalance", at(Quantity::text(block)))
            .await;
        let amount = match exact {
            // Behind a load balancer the next machine may not have that block yet.
            Err(RpcError::Refused { .. }) => {
                self.ask::<Amount>("eth_getBalance", at("latest".into()))
                    .await?
            }
            other => other?,
        };
        Ok(Balance {
            amount: amount.0,
            block,
        })
    }

    /// Hands over a signed transaction. The inner error is the endpoint's refusal, in words.
    ///
    /// # Errors
    /// [`RpcError`] if it is not known whether the endpoint took it.
    pub async fn broadcast(
        &self,
        raw: &[u8],
        hash: [u8; 32],
    ) -> Result<Result<(), String>, RpcError> {
        self.require_chain().await?;
        let method = "eth_sendRawTransaction";
        let sent = self
            .ask::<Fixed<32>>(method, json!([format!("0x{}", hex::encode(raw))]))
            .await;
        match sent {
            Ok(answered) if answered.0 == hash => Ok(Ok(())),
            Ok(_) => Err(self
                .client
                .malformed(method, "it answers with another hash")),
            Err(RpcError::Refused { message, .. }) => self.judge_refusal(message, hash).await,
            Err(error) => Err(error),
        }
    }

    /// A refusal is none if the transaction is known or mined: "nonce too low" is also what its own success looks like.
    async fn judge_refusal(
        &self,
        message: String,
        hash: [u8; 32],
    ) -> Result<Result<(), String>, RpcError> {
        let words = message.to_lowercase();
        if KNOWN.iter().any(|known| words.contains(known)) {
            return Ok(Ok(()));
        }
        match self.receipt(&hash).await? {
            Some(_) => Ok(Ok(())),
            None => Ok(Err(message)),
        }
    }

    /// What became of an account's nonce. `candidates` are hashes of own attempts, tried first.
    ///
    /// # Errors
    /// [`RpcError`]; also if the endpoint says that the nonce is used and cannot show by what.
    pub async fn slot(
        &self,
        account: Address,
        nonce: u64,
        candidates: &[[u8; 32]],
    ) -> Result<SlotStatus, RpcError> {
        self.require_chain().await?;
        for hash in candidates.iter().rev().take(MAX_CANDIDATES) {
            if let Some(mined) = self.receipt(hash).await? {
                return self.consumed(account, nonce, mined).await;
            }
        }
        let Some(block) = self.consuming_block(account, nonce).await? else {
            return Ok(SlotStatus::Open);
        };
        let listed: Option<Block> = self
            .client
            .call(
                "eth_getBlockByNumber",
                json!([Quantity::text(block), true]),
                MAX_BLOCK_BYTES,
            )
            .await?;
        let ours = |tx: &super::wire::Listed| {
            tx.from.0 == *account.as_bytes() && tx.nonce.0 == u128::from(nonce)
        };
        let found = listed.and_then(|block| block.transactions.into_iter().find(ours));
        let unclear = || {
            self.client.malformed(
                "eth_getBlockByNumber",
                "it lacks the transaction that used a nonce",
            )
        };
        let hash = found.ok_or_else(unclear)?.hash.0;
        let mined = self.receipt(&hash).await?.ok_or_else(unclear)?;
        self.consumed(account, nonce, mined).await
    }

    /// The block that took the account's transaction count beyond `nonce`; none if it is not beyond it.
    async fn consuming_block(&self, account: Address, nonce: u64) -> Result<Option<u64>, RpcError> {
        let mut used_by: u64 = self.number("eth_blockNumber", json!([])).await?;
        if self.count_at(account, used_by).await? <= nonce {
            return Ok(None);
        }
        // Back in growing steps: mostly it was lately, and endpoints without an archive know only lately.
        let (mut step, mut free_at) = (1, None);
        while free_at.is_none() && used_by > 0 {
            let earlier = used_by.saturating_sub(step);
            if self.count_at(account, earlier).await? <= nonce {
                free_at = Some(earlier);
            } else {
                used_by = earlier;
                step = step.saturating_mul(4);
            }
        }
        let Some(mut free_at) = free_at else {
            return Ok(Some(used_by));
        };
        while used_by - free_at > 1 {
            let middle = free_at + (used_by - free_at) / 2;
            if self.count_at(account, middle).await? <= nonce {
                free_at = middle;
            } else {
                used_by = middle;
            }
        }
        Ok(Some(used_by))
    }

    async fn count_at(&self, account: Address, block: u64) -> Result<u64, RpcError> {
        let params = json!([Fixed::text(account.as_bytes()), Quantity::text(block)]);
        self.number("eth_getTransactionCount", params).await
    }

    async fn consumed(
        &self,
        account: Address,
        nonce: u64,
        mined: Mined,
    ) -> Result<SlotStatus, RpcError> {
        let raw = self.raw(&mined.hash).await?;
        let signed = self.own(&raw, &mined.hash)?;
        if signed.signer != account || signed.transfer.nonce != nonce {
            return Err(self.client.malformed(
                "eth_getTransactionReceipt",
                "it is about another account or nonce",
            ));
        }
        let finalised = self.is_finalised(&mined).await?;
        Ok(SlotStatus::Consumed {
            raw,
            mined,
            finalised,
        })
    }

    fn own(&self, raw: &[u8], hash: &[u8; 32]) -> Result<SignedTransfer, RpcError> {
        let malformed = |why: &str| self.client.malformed("eth_getTransactionByHash", why);
        let signed = evm::decode_signed(raw).map_err(|error| malformed(&error.to_string()))?;
        let fits = signed.hash == *hash && signed.transfer.chain == self.chain;
        if fits {
            Ok(signed)
        } else {
            Err(malformed("it is another transaction"))
        }
    }

    async fn receipt(&self, hash: &[u8; 32]) -> Result<Option<Mined>, RpcError> {
        let method = "eth_getTransactionReceipt";
        let receipt = self
            .client
            .call(method, json!([Fixed::text(hash)]), MAX_ANSWER_BYTES)
            .await?;
        let Some(receipt): Option<Receipt> = receipt else {
            return Ok(None);
        };
        let (Some(block_hash), Some(block_number)) = (receipt.block_hash, receipt.block_number)
        else {
            return Ok(None);
        };
        if receipt.transaction_hash.0 != *hash {
            return Err(self
                .client
                .malformed(method, "it is about another transaction"));
        }
        let small = |quantity: Quantity| {
            quantity
                .small()
                .ok_or_else(|| self.client.malformed(method, "a number is too large"))
        };
        Ok(Some(Mined {
            hash: *hash,
            block_number: small(block_number)?,
            block_hash: block_hash.0,
            success: receipt.status == Quantity(1),
            gas_used: small(receipt.gas_used)?,
            effective_gas_price: receipt.effective_gas_price.0,
        }))
    }

    /// The raw bytes of a mined transaction: told, or put together again from its fields. Judged by [`Self::own`].
    async fn raw(&self, hash: &[u8; 32]) -> Result<Vec<u8>, RpcError> {
        let params = || json!([Fixed::text(hash)]);
        let told = self
            .client
            .call::<Bytes>("eth_getRawTransactionByHash", params(), MAX_ANSWER_BYTES)
            .await;
        match told {
            Ok(Some(Bytes(raw))) if self.own(&raw, hash).is_ok() => return Ok(raw),
            Ok(_) | Err(RpcError::Refused { .. } | RpcError::Malformed { .. }) => {}
            Err(error) => return Err(error),
        }
        let fields: Transaction = self.ask("eth_getTransactionByHash", params()).await?;
        let raw = encode_again(self.chain, &fields);
        raw.ok_or_else(|| {
            self.client.malformed(
                "eth_getTransactionByHash",
                "it is no transfer that a vault makes",
            )
        })
    }

    /// Whether the block is the chain's own and not above the one tagged `finalized`. An endpoint that does not know
    /// the tag has finalised nothing.
    async fn is_finalised(&self, mined: &Mined) -> Result<bool, RpcError> {
        let header = |tag: String| json!([tag, false]);
        let method = "eth_getBlockByNumber";
        let finalised = self
            .client
            .call::<Header>(method, header("finalized".into()), MAX_ANSWER_BYTES)
            .await;
        let finalised = match finalised {
            Ok(Some(block)) => block.number.0,
            Ok(None) | Err(RpcError::Refused { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        if finalised < u128::from(mined.block_number) {
            return Ok(false);
        }
        let block: Header = self
            .ask(method, header(Quantity::text(mined.block_number)))
            .await?;
        Ok(block.hash.0 == mined.block_hash)
    }

    async fn require_chain(&self) -> Result<(), RpcError> {
        let answered = Self::identify(&self.client).await?;
        if answered == self.chain {
            return Ok(());
        }
        let (host, expected, answered) =
            (self.host(), self.chain.to_string(), answered.to_string());
        Err(RpcError::WrongChain {
            host,
            expected,
            answered,
        })
    }

    async fn number(&self, method: &'static str, params: Value) -> Result<u64, RpcError> {
        let quantity: Quantity = self.ask(method, params).await?;
        quantity
            .small()
            .ok_or_else(|| self.client.malformed(method, "the number is too large"))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcError> {
        let answer = self.client.call(method, params, MAX_ANSWER_BYTES).await?;
        answer.ok_or_else(|| self.client.malformed(method, "it is null"))
    }
}

fn median_reward(history: &FeeHistory) -> Option<u128> {
    let rows = history.reward.as_ref()?;
    let mut tips: Vec<u128> = rows
        .iter()
        .filter_map(|row| row.first())
        .map(|tip| tip.0)
        .collect();
    tips.sort_unstable();
    tips.get(tips.len() / 2).copied()
}

/// The signed bytes that these fields and this signature make, if they are a vault's transfer.
fn encode_again(chain: ChainId, tx: &Transaction) -> Option<Vec<u8>> {
    let fees = Fees {
        max_fee_per_gas: tx.max_fee_per_gas.0,
        max_priority_fee_per_gas: tx.max_priority_fee_per_gas.0,
    };
    let terms = TransferTerms {
        chain,
        from: Address::new(tx.from.0),
        to: Address::new(tx.to.0),
        value: tx.value.0,
        nonce: tx.nonce.small()?,
        gas_limit: tx.gas.small()?,
        bounds: fees,
        fills_dead_slots_below: false,
    };
    let intent = Intent::EvmTransfer(Transfer::new(terms).ok()?);
    let signable = intent.check(&intent.build(fees).ok()?).ok()?;
    let parity = u8::try_from(tx.y_parity.or(tx.v)?.0).ok()?;
    let signed = signable
        .assemble(tx.r.0.to_be_bytes(), tx.s.0.to_be_bytes(), parity)
        .ok()?;
    Some(signed.raw)
}
