//! Names for findings that stay while lines move.

/// What identifies a finding across versions of a file.
#[derive(Debug, Clone, Copy)]
pub struct FingerprintOf<'a> {
    /// Code of the check.
    pub check: &'a str,
    /// Relative path with `/`.
    pub file: &'a str,
    /// The enclosing function, class member or other symbol; empty at the top level.
    pub symbol: &'a str,
    /// Text of the node; its white space does not matter.
    pub source: &'a str,
    /// Which of several findings equal in all of the above, in source order, from 0.
    pub ordinal: u32,
}

/// 16 hexadecimal digits: FNV-1a (64 bits; offset basis and prime as published by Fowler, Noll and
/// Vo) over the parts, each ended by the byte 0xFF, which UTF-8 never contains.
///
/// Line numbers are no part of it; white space outside and between words counts as one space.
#[must_use]
pub fn fingerprint(of: &FingerprintOf<'_>) -> String {
    let source = of.source.split_whitespace().collect::<Vec<_>>().join(" ");
    let ordinal = of.ordinal.to_string();
    let hash = [of.check, of.file, of.symbol, &source, &ordinal].into_iter().fold(OFFSET_BASIS, absorb);
    format!("{hash:016x}")
}

const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

fn absorb(hash: u64, part: &str) -> u64 {
    part.bytes().chain([0xFF]).fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: FingerprintOf<'_> = FingerprintOf {
        check: "1A",
        file: "src/orders.ts",
        symbol: "list",
        source: "await find(\n  id)",
        ordinal: 0,
    };

    #[test]
    fn white_space_does_not_matter() {
        assert_eq!(fingerprint(&OF), fingerprint(&FingerprintOf { source: " await   find( id)\n", ..OF }));
    }

    #[test]
    fn each_part_matters_and_parts_do_not_run_together() {
        let others = [
            FingerprintOf { check: "1B", ..OF },
            FingerprintOf { file: "src/orders.tsl", symbol: "ist", ..OF },
            FingerprintOf { symbol: "all", ..OF },
            FingerprintOf { source: "await find(other)", ..OF },
            FingerprintOf { ordinal: 1, ..OF },
        ];
        assert!(others.iter().all(|other| fingerprint(other) != fingerprint(&OF)));
    }

    #[test]
    fn it_is_the_same_in_every_version_of_the_tool() {
        assert_eq!(absorb(OFFSET_BASIS, ""), (OFFSET_BASIS ^ 0xFF).wrapping_mul(PRIME));
        assert_eq!(fingerprint(&OF).len(), 16);
    }
}
