//! Checks of React code, one file each.

pub(crate) mod fetch_loop;
pub(crate) mod rerender_storm;
