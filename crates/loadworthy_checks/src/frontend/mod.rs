//! Checks of this group, one file each.
