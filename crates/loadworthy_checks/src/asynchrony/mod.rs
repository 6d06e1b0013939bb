//! Checks of waiting and ordering, one file each.

pub(crate) mod await_waterfall;
pub(crate) mod check_then_act;
pub(crate) mod event_loop_block;
pub(crate) mod missing_timeout;
pub(crate) mod retry_storm;
