//! Checks of React code, one file each.

mod answers;
pub(crate) mod fetch_loop;
pub(crate) mod oversized_state;
pub(crate) mod rerender_storm;
pub(crate) mod unvirtualized_list;
