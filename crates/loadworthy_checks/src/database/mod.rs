//! Database checks, one file each.

pub(crate) mod missing_index;
pub(crate) mod n_plus_one;
pub(crate) mod pool_exhaustion;
pub(crate) mod rows;
pub(crate) mod unbounded_fetch;
