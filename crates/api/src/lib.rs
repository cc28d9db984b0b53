//! Types and client of the daemon's local API.
//!
//! The daemon serves HTTP/1.1 with JSON on `127.0.0.1` only. While it runs, its folder holds two
//! files made afresh at every start: [`ADDR_FILE`] (`127.0.0.1:PORT`) and [`TOKEN_FILE`] (mode 0600).
//!
//! # Rules of every answer
//!
//! - A request carries `Authorization: Bearer TOKEN` and `Host: 127.0.0.1:PORT`; only
//!   [`Hello`] needs no token. A foreign `Host`, or any `Origin` that is not the daemon's own, is 403.
//! - `200` carries the type the table names. Every other status carries an [`ApiError`].
//! - Amounts are decimal strings in the chain's smallest unit (wei), in fields that end in `_wei`.
//!   Times are milliseconds since 1970 (UTC), in fields that end in `_ms`. Ids and hashes are lower-case
//!   hex without `0x`; what a chain itself calls by `0x` (addresses, transaction hashes) keeps it.
//! - Where the table says `{id}` a unique prefix of a request id is enough. No match is
//!   [`ErrorCode::NotFound`], several are [`ErrorCode::Usage`].
//! - Unknown fields in a body are refused; a client ignores unknown fields of an answer.
//!
//! # Routes
//!
//! | method and path | body or query | answer |
//! |---|---|---|
//! | `GET /v1/hello` | [`HelloQuery`] | [`Hello`], without a token |
//! | `GET /v1/status` | | [`NodeStatus`] |
//! | `GET /v1/doctor` | | `Vec<`[`Check`]`>` |
//! | `GET /v1/events` | [`EventQuery`] (long poll) | [`EventPage`] |
//! | `POST /v1/pin` | [`ChangeSecret`] | [`Done`] |
//! | `POST /v1/passphrase` | [`ChangeSecret`] | [`Done`] |
//! | `GET /v1/chains` | | `Vec<`[`ChainView`]`>` |
//! | `POST /v1/chains` | [`AddChain`] | [`ChainView`] |
//! | `DELETE /v1/chains/{name}` | | [`Done`] |
//! | `GET /v1/vaults` | | `Vec<`[`VaultView`]`>` |
//! | `POST /v1/vaults` | [`CreateVault`] | [`CreatedVault`] |
//! | `POST /v1/join` | [`JoinVault`] | [`VaultView`] |
//! | `GET /v1/vault/{vault}` | | [`VaultView`] |
//! | `POST /v1/vault/{vault}/invite` | | [`Invitation`], a fresh code for a seat that is still free |
//! | `POST /v1/vault/{vault}/confirm` | [`ConfirmRoster`] | [`VaultView`] |
//! | `POST /v1/vault/{vault}/abandon` | | [`Done`]; only before keygen |
//! | `GET /v1/vault/{vault}/addresses` | | `Vec<`[`AddressView`]`>` |
//! | `GET /v1/vault/{vault}/balance` | [`BalanceQuery`] | `Vec<`[`BalanceView`]`>` |
//! | `GET /v1/vault/{vault}/history` | | `Vec<`[`RequestView`]`>` that reached a chain, newest first |
//! | `GET /v1/vault/{vault}/log` | [`LogQuery`] | [`LogPage`] |
//! | `GET /v1/vault/{vault}/log/export` | | the bundle, as bytes |
//! | `POST /v1/vault/{vault}/preview` | [`SendPayment`] | [`Preview`]; changes nothing |
//! | `POST /v1/vault/{vault}/send` | [`SendPayment`] | [`RequestView`] |
//! | `GET /v1/vault/{vault}/requests` | [`RequestQuery`] | `Vec<`[`RequestView`]`>`, oldest first |
//! | `GET /v1/vault/{vault}/request/{id}` | | [`RequestView`] |
//! | `POST /v1/vault/{vault}/request/{id}/approve` | [`Approve`] | [`RequestView`] |
//! | `POST /v1/vault/{vault}/request/{id}/reject` | [`Reject`] | [`RequestView`] |
//! | `POST /v1/vault/{vault}/request/{id}/cancel` | | [`RequestView`] |
//! | `POST /v1/vault/{vault}/request/{id}/replace` | [`Replace`] | [`RequestView`] |
//! | `GET /v1/vault/{vault}/request/{id}/wait` | [`WaitQuery`] (long poll) | [`RequestView`], also when the time is over |

mod chain;
mod client;
mod endpoint;
mod envelope;
mod error;
mod event;
mod hello;
mod limits;
mod log;
mod request;
mod secret;
mod status;
mod vault;

pub use chain::{AddChain, AddressView, BalanceQuery, BalanceView, ChainView};
pub use client::Client;
pub use endpoint::{ADDR_FILE, Endpoint, STORE_FILE, TOKEN_FILE};
pub use envelope::{ENVELOPE_VERSION, Envelope};
pub use error::{ApiError, ClientError, ErrorCode};
pub use event::{EventKind, EventPage, EventQuery, EventView};
pub use hello::{API_VERSION, Hello, HelloQuery, hello_proof, hello_proof_matches};
pub use limits::{
    MAX_ANSWER_BYTES, MAX_BODY_BYTES, MAX_BUNDLE_BYTES, MAX_NAME_CHARS, MAX_NOTE_CHARS,
    MAX_WAIT_MS, MIN_PASSPHRASE_CHARS, MIN_PIN_CHARS, is_name,
};
pub use log::{CosignatureView, LogEntryView, LogHeadView, LogPage, LogQuery};
pub use request::{
    Approve, DecisionView, IntentLine, IntentView, Preview, ReceiptView, Reject, Replace,
    RequestFilter, RequestKind, RequestQuery, RequestState, RequestView, SendPayment,
    SessionOutcome, SessionView, Until, WaitQuery,
};
pub use secret::Secret;
pub use status::{ChangeSecret, Check, CheckLevel, Done, NodeStatus, PeerView, VaultStatus};
pub use vault::{
    AwaitedMember, ConfirmRoster, CreateVault, CreatedVault, Invitation, JoinVault, MemberState,
    MemberView, VaultPhase, VaultView,
};
