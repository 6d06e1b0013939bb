//! Memory checks, one file each.

pub(crate) mod buffered_payload;
pub(crate) mod leaked_handle;
pub(crate) mod log_flooding;
pub(crate) mod unbounded_cache;
