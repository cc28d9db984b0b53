//! The loop that carries out every output of a vault: the same in the daemon and in the simulator.
//!
//! A [`Driver`] runs one vault over four traits. It decides nothing, keeps no thread and never waits: whoever owns it
//! calls [`Driver::step`] with what happened, and again no later than [`Driver::wake_at`].
//!
//! **Invariant:** all that a batch of inputs makes durable is committed in one journal commit before any `Send`,
//! `Broadcast`, `Query` or `Done` of that batch is carried out. The order stands in one place, behind [`Order`].

mod driver;
mod effects;
mod order;
mod seams;

pub use self::driver::{Answer, Driver, DriverError, Refused, Stepped};
pub use self::order::{MutateNoPersist, Order, PersistFirst};
pub use self::seams::{Chain, Clock, Journal, Peers, Write};
