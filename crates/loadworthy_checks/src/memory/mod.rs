//! Memory checks, one file each.

pub(crate) mod unbounded_cache;
