//! Database checks, one file each.

pub(crate) mod n_plus_one;
