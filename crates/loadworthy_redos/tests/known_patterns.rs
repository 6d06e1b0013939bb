//! Well-known patterns, safe and vulnerable.

use loadworthy_redos::{Cause, Kind, Unknown, Verdict, analyse, judge};
use proptest::prelude::*;

const EXPONENTIAL: &[(&str, &str)] = &[
    (r"(a+)+$", ""),
    (r"^(a+)+$", ""),
    (r"^(a|a)*$", ""),
    (r"^(a|aa)+$", ""),
    (r"(\w+\s?)*$", ""),
    (r"^(\w+\s?)+$", ""),
    (r"^([a-zA-Z0-9]+\s?)*$", ""),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", ""),
    (
        r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$",
        "",
    ),
    (r"^(?:.*,)*x$", ""),
    (r"^(\d+|\w+)*:$", ""),
    (r"^(?:(?:a?)*)*b$", ""),
    (r"^([a-z]+-?)+$", "i"),
    (r#"^"(?:[^"]|\\.)*(?:\\.)*x$"#, ""),
    (r"^(\s*\w*\s*)*;$", ""),
];

const POLYNOMIAL: &[(&str, &str)] = &[
    (r"\s+$", ""),
    (r"^\s+|\s+$", "g"),
    (r".*.*=.*", ""),
    (r"^.*.*=.*$", ""),
    (r"\[([^\]]*)\]\(([^)]*)\)", ""),
    (r"^\w+\d+$", ""),
    (r"^\s*(.*?)\s*$", ""),
    (r"<!--[^]*?-->", ""),
    (r"(.+)@(.+)\.(.+)", ""),
    (r"\d+px", ""),
    (r"^[\s\S]*\.[\s\S]*\.[\s\S]*!$", ""),
];

const SAFE: &[(&str, &str)] = &[
    (r"^[a-z0-9]+$", ""),
    (r"^(?:[a-z0-9]+-)*[a-z0-9]+$", ""),
    (r"^[a-z0-9]+(?:-[a-z0-9]+)*$", ""),
    (r"^\d{4}-\d{2}-\d{2}$", ""),
    (r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$", ""),
    (r"^[^\s@]+@[^\s@]+$", ""),
    (
        r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$",
        "",
    ),
    (r"(a+)+", ""),
    (r"(a|a)*", ""),
    (r".*.*", ""),
    (r"^https?:\/\/[^\s/]+\/[^\s]*$", ""),
    (r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", "i"),
    (r"\s+", "g"),
    (r"[^a-z0-9]+", "gi"),
    (r"^\/api\/users\/([^/]+?)\/?$", "i"),
    (r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z\d]{8,}$", ""),
    (r"^\+?[1-9]\d{1,14}$", ""),
    (r"^#(?:[0-9a-f]{3}){1,2}$", "i"),
    (r"^(\d{1,3}\.){3}\d{1,3}$", ""),
    (r"\$\{(\w+)\}", "g"),
    (r"^(?:a|b)*$", ""),
    (r"^(?:(?!-->).)*$", ""),
    (r"^Bearer\s+(\S+)$", ""),
    (r#"^"(?:[^"\\]|\\.)*"$"#, ""),
    (r"\r?\n", ""),
    (r"\.(?:jpe?g|png|gif|webp)$", "i"),
    (r"^[\w.-]+$", ""),
    (r"^$", ""),
    (r"", ""),
    (r"^\s+", ""),
    (r"\B(?=(\d{3})+(?!\d))", ""),
    (r"^(?:\d+,)*\d+$", ""),
    (r"\s+$", "y"),
    (r"[A-Z]", "g"),
    (r"^\p{L}+$", "u"),
];

#[test]
fn nested_ambiguous_repeats_are_exponential() {
    for (pattern, flags) in EXPONENTIAL {
        let found = analyse(pattern, flags);
        let kind = found.as_ref().map(|found| found.kind);
        assert_eq!(kind, Some(Kind::Exponential), "/{pattern}/{flags}: {found:?}");
    }
}

#[test]
fn overlapping_and_restarted_repeats_are_polynomial() {
    for (pattern, flags) in POLYNOMIAL {
        let found = analyse(pattern, flags);
        let kind = found.as_ref().map(|found| found.kind);
        assert_eq!(kind, Some(Kind::Polynomial), "/{pattern}/{flags}: {found:?}");
        assert!(found.is_some_and(|found| found.degree >= 2), "/{pattern}/{flags}");
    }
}

#[test]
fn patterns_with_one_way_to_read_each_text_are_safe() {
    for (pattern, flags) in SAFE {
        assert_eq!(judge(pattern, flags), Verdict::Safe, "/{pattern}/{flags}");
    }
}

#[test]
fn the_ambiguous_part_is_located() {
    let part = |pattern: &str| {
        let found = analyse(pattern, "").expect("vulnerable");
        let at = |offset: u32| usize::try_from(offset).expect("small");
        (pattern[at(found.start)..at(found.end)].to_owned(), found.cause)
    };
    assert_eq!(part(r"^x(a+)+$"), ("(a+)+".to_owned(), Cause::Nested));
    assert_eq!(part(r"\s+$"), (r"\s+".to_owned(), Cause::Restart));
}

#[test]
fn the_attack_starts_with_what_leads_to_the_loop() {
    let found = analyse(r"^key:(\w+\s?)*$", "").expect("vulnerable");
    assert!(found.attack.text(3).starts_with("key:"), "{found:?}");
    assert!(found.reason.contains("exponentially"), "{}", found.reason);
}

#[test]
fn cubic_overlap_is_more_than_quadratic() {
    let found = analyse(r"^a*a*a*b$", "").expect("vulnerable");
    assert_eq!((found.kind, found.degree, found.cause), (Kind::Polynomial, 3, Cause::Overlap));
}

#[test]
fn what_is_not_analysed_says_why() {
    assert_eq!(judge("(", ""), Verdict::Unknown(Unknown::DoesNotParse));
    assert_eq!(judge("a", "q"), Verdict::Unknown(Unknown::DoesNotParse));
    assert_eq!(judge("(?:a{1000}){1000}", ""), Verdict::Unknown(Unknown::TooLarge));
    assert_eq!(judge(&"(".repeat(5_000), ""), Verdict::Unknown(Unknown::TooLarge));
    assert_eq!(judge("(?:(?:(?:){1000}){1000}){1000}", ""), Verdict::Unknown(Unknown::TooLarge));
    assert_eq!(judge(r"\p{Script=Osage}", "u"), Verdict::Unknown(Unknown::Unsupported));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn any_text_is_judged_without_panic(pattern in "\\PC{0,40}", flags in "[a-z]{0,3}") {
        let _ = judge(&pattern, &flags);
    }

    #[test]
    fn any_pattern_like_text_is_judged_without_panic(
        pattern in "[ab.*+?()|\\[\\]{}^$\\\\ds1-3:,=!<]{0,24}",
        flags in "[gimsuy]?",
    ) {
        let _ = judge(&pattern, &flags);
    }

    #[test]
    fn an_attack_lies_within_the_pattern(pattern in "(\\(?[ab.](\\*|\\+)?\\)?(\\*|\\+)?){1,4}\\$") {
        if let Some(found) = analyse(&pattern, "") {
            prop_assert!(found.start < found.end);
            prop_assert!(usize::try_from(found.end).unwrap() <= pattern.len());
            prop_assert!(!found.attack.pump.is_empty());
        }
    }
}
