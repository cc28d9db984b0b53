//! One QUIC endpoint for all vaults: direct addresses only, no relay, no discovery.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use iroh::endpoint::{IdleTimeout, QuicTransportConfig, VarInt, presets};
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, SecretKey};
use zeroize::Zeroizing;

/// A connection on which nothing is heard for so long is dead. With the keep-alive below, five seconds are never
/// reached.
const IDLE: Duration = Duration::from_secs(4);
/// How often an otherwise silent connection is kept alive.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// Bytes that a peer can have in flight towards this member.
const RECEIVE_WINDOW: u32 = 4 * 1024 * 1024;

/// Opens the endpoint with this secret key on this UDP address.
///
/// # Errors
/// The address is taken or not of this machine.
pub async fn bind(secret: &Zeroizing<[u8; 32]>, listen: SocketAddr) -> io::Result<Endpoint> {
    let builder = Endpoint::builder(presets::Minimal)
        .secret_key(SecretKey::from_bytes(secret))
        .alpns(vec![quorate_wire::ALPN.to_vec()])
        .relay_mode(RelayMode::Disabled)
        .clear_relay_transports()
        .clear_address_lookup()
        .clear_ip_transports()
        .transport_config(transport())
        .bind_addr(listen)
        .map_err(io::Error::other)?;
    builder
        .bind()
        .await
        .map_err(|error| io::Error::other(root_cause(&error)))
}

/// Where others reach this endpoint: the bound address, or every address of this machine if it is bound to all.
pub fn reachable(endpoint: &Endpoint) -> Vec<SocketAddr> {
    let bound = endpoint.bound_sockets();
    if bound.iter().any(|addr| addr.ip().is_unspecified()) {
        endpoint.addr().ip_addrs().copied().collect()
    } else {
        bound
    }
}

/// The address to dial a party by; none if the key is not a point.
pub fn dial_address(key: &[u8; 32], addresses: &[SocketAddr]) -> Option<EndpointAddr> {
    let id = EndpointId::from_bytes(key).ok()?;
    Some(
        addresses
            .iter()
            .fold(EndpointAddr::new(id), |dial, addr| dial.with_ip_addr(*addr)),
    )
}

fn transport() -> QuicTransportConfig {
    let idle = IdleTimeout::try_from(IDLE).expect("invariant: four seconds fit a QUIC timeout");
    QuicTransportConfig::builder()
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(KEEP_ALIVE)
        .default_path_max_idle_timeout(IDLE)
        .default_path_keep_alive_interval(KEEP_ALIVE)
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .stream_receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .build()
}

/// The innermost words of an error; the layers above it name addresses and repeat each other.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
