//! Checks of waiting and ordering, one file each.

pub(crate) mod await_waterfall;
