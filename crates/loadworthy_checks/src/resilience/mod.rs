//! Checks of this group, one file each.

pub(crate) mod error_observability;
