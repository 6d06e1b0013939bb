//! Sets of characters as sorted, disjoint, inclusive intervals of code points.

/// The largest code point.
pub(crate) const MAX: u32 = 0x0010_FFFF;

/// A set of code points.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CharSet(Vec<(u32, u32)>);

impl CharSet {
    /// The set of all of `ranges` (inclusive, in any order).
    pub(crate) fn of(ranges: &[(u32, u32)]) -> Self {
        let mut sorted: Vec<_> = ranges.iter().copied().filter(|(low, high)| low <= high).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
        for (low, high) in sorted {
            match merged.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        Self(merged)
    }

    pub(crate) fn all() -> Self {
        Self(vec![(0, MAX)])
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let ranges: Vec<_> = self.0.iter().chain(&other.0).copied().collect();
        Self::of(&ranges)
    }

    pub(crate) fn complement(&self) -> Self {
        let mut out = Vec::with_capacity(self.0.len() + 1);
        let mut next = 0;
        for &(low, high) in &self.0 {
            if low > next {
                out.push((next, low - 1));
            }
            next = high.saturating_add(1);
        }
        if next <= MAX {
            out.push((next, MAX));
        }
        Self(out)
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.complement().union(&other.complement()).complement()
    }

    pub(crate) fn contains(&self, value: u32) -> bool {
        let after = self.0.partition_point(|&(low, _)| low <= value);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|&(_, high)| value <= high)
    }

    /// Closed under ASCII case.
    pub(crate) fn ignoring_case(&self) -> Self {
        let mut ranges = self.0.clone();
        for letter in u32::from(b'a')..=u32::from(b'z') {
            let upper = letter - 32;
            if self.contains(letter) || self.contains(upper) {
                ranges.extend([(letter, letter), (upper, upper)]);
            }
        }
        Self::of(&ranges)
    }

    /// The code points at which membership changes.
    pub(crate) fn boundaries(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|&(low, high)| [low, high.saturating_add(1)])
    }

    pub(crate) fn digits() -> Self {
        Self::of(&[(0x30, 0x39)])
    }

    pub(crate) fn word() -> Self {
        Self::of(&[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
    }

    pub(crate) fn space() -> Self {
        Self::of(&[
            (0x09, 0x0D),
            (0x20, 0x20),
            (0xA0, 0xA0),
            (0x1680, 0x1680),
            (0x2000, 0x200A),
            (0x2028, 0x2029),
            (0x202F, 0x202F),
            (0x205F, 0x205F),
            (0x3000, 0x3000),
            (0xFEFF, 0xFEFF),
        ])
    }

    pub(crate) fn line_ends() -> Self {
        Self::of(&[(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)])
    }
}
