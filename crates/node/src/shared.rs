//! Locks that outlive a panic: the state under them is whole between any two statements that can panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whoever panicked before.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
