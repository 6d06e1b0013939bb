//! Plans over random proposals, and the forms of files.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use loadworthy_fix::{
    Edit, NewFile, NewPackage, Planned, Proposal, add_packages, diff, line_of, offset_of, plan,
};
use proptest::prelude::*;

fn edit(start: usize, end: usize, replacement: &str) -> Edit {
    Edit { file: String::from("a.js"), start, end, replacement: replacement.to_owned() }
}

fn proposal(id: &str, edits: Vec<Edit>) -> Proposal {
    Proposal { id: id.to_owned(), rank: 0, edits, files: Vec::new(), packages: Vec::new() }
}

fn over(text: &str, proposals: &[Proposal]) -> Planned {
    plan(proposals, |path| (path == "a.js").then(|| text.to_owned()))
}

#[test]
fn insertions_at_one_place_are_all_done_in_the_order_of_ranks() {
    let mut late = proposal("1", vec![edit(3, 3, "late ")]);
    late.rank = 7;
    let planned = over("let x;", &[late, proposal("2", vec![edit(3, 3, "early ")])]);
    assert_eq!(planned.changes["a.js"], "letearly late  x;");
}

#[test]
fn equal_edits_are_done_once() {
    let import = edit(0, 0, "import x from 'x';\n");
    let planned = over(
        "a; b;",
        &[
            proposal("1", vec![import.clone(), edit(0, 1, "x(a)")]),
            proposal("2", vec![import, edit(3, 4, "x(b)")]),
        ],
    );
    assert_eq!(planned.changes["a.js"], "import x from 'x';\nx(a); x(b);");
    assert_eq!(planned.taken, ["1", "2"]);
}

#[test]
fn of_two_that_overlap_the_first_is_taken_whole_and_the_other_not_at_all() {
    let planned = over(
        "abcdef",
        &[proposal("2", vec![edit(0, 1, "X"), edit(2, 4, "Y")]), proposal("1", vec![edit(3, 5, "Z")])],
    );
    assert_eq!(planned.changes["a.js"], "abcZf");
    assert_eq!(planned.clashes.len(), 1);
    assert_eq!((&*planned.clashes[0].id, &*planned.clashes[0].with), ("2", "1"));
}

#[test]
fn what_makes_no_sense_is_refused_with_the_reason() {
    let outside = over("ab", &[proposal("1", vec![edit(1, 9, "")])]);
    assert_eq!(outside.refused[0].reason, "1..9 is no range of a.js");
    let inside_character = over("é", &[proposal("1", vec![edit(1, 2, "")])]);
    assert_eq!(inside_character.refused.len(), 1);
    let own = over("abcdef", &[proposal("1", vec![edit(0, 3, ""), edit(2, 4, "")])]);
    assert_eq!(own.refused[0].reason, "two of its edits in a.js overlap");
    let mut missing = proposal("1", Vec::new());
    missing.edits.push(Edit { file: String::from("b.js"), ..edit(0, 0, "") });
    assert_eq!(over("", &[missing]).refused[0].reason, "b.js is no file of the project");
}

#[test]
fn line_ends_are_those_of_the_file() {
    let planned = over("a\r\nb\r\n", &[proposal("1", vec![edit(1, 1, "\n  x")])]);
    assert_eq!(planned.changes["a.js"], "a\r\n  x\r\nb\r\n");
    assert_eq!(planned.moved("a.js", 3), 8);
    let mixed = over("a\nb\nc\r\n", &[proposal("1", vec![edit(1, 1, "\nx")])]);
    assert_eq!(mixed.changes["a.js"], "a\nx\nb\nc\r\n");
}

#[test]
fn files_are_added_once_and_never_over_others() {
    let adds = |id: &str, path: &str, text: &str| Proposal {
        files: vec![NewFile { path: path.to_owned(), text: text.to_owned() }],
        ..proposal(id, Vec::new())
    };
    let planned = over(
        "x",
        &[
            adds("1", "up.sql", "CREATE"),
            adds("2", "up.sql", "CREATE"),
            adds("3", "up.sql", "DROP"),
            adds("4", "a.js", "y"),
        ],
    );
    assert_eq!(planned.taken, ["1", "2"]);
    assert_eq!(planned.changes["up.sql"], "CREATE");
    assert_eq!(planned.clashes[0].id, "3");
    assert_eq!(planned.refused[0].reason, "a.js exists already");
}

#[test]
fn two_migrations_never_have_the_same_number() {
    let adds = |id: &str, path: &str| Proposal {
        files: vec![NewFile { path: path.to_owned(), text: id.to_owned() }],
        ..proposal(id, Vec::new())
    };
    let planned = over(
        "x",
        &[
            adds("1", "db/0004_a.sql"),
            adds("2", "db/0004_b.sql"),
            adds("3", "other/0004_b.sql"),
            adds("4", "db/a.sql"),
            adds("5", "db/b.sql"),
        ],
    );
    assert_eq!(planned.taken, ["1", "3", "4", "5"]);
}

fn package(name: &str, range: &str) -> NewPackage {
    NewPackage { name: name.to_owned(), range: range.to_owned(), manifest: String::from("package.json") }
}

#[test]
fn packages_are_declared_where_the_order_puts_them_and_all_else_stays() {
    let manifest = "{\n    \"name\": \"x\",\n    \"dependencies\": {\n        \"express\": \"^4.0.0\",\n        \"pg\": \"^8.0.0\"\n    },\n    \"devDependencies\": { \"opossum\": \"^8\" }\n}\n";
    let (lru, opossum, pg) = (package("lru-cache", "^10.0.0"), package("opossum", "^8"), package("pg", "^9"));
    let (text, added) = add_packages(manifest, &[&lru, &opossum, &pg]).unwrap();
    assert_eq!(added, [&lru]);
    assert_eq!(
        text,
        manifest.replace("        \"pg\"", "        \"lru-cache\": \"^10.0.0\",\n        \"pg\"")
    );
    let (text, _) = add_packages("{\n  \"name\": \"x\"\n}\n", &[&lru]).unwrap();
    assert_eq!(
        text,
        "{\n  \"name\": \"x\",\n  \"dependencies\": {\n    \"lru-cache\": \"^10.0.0\"\n  }\n}\n"
    );
    assert_eq!(add_packages("[]", &[&lru]), None);
    assert_eq!(add_packages("{", &[&lru]), None);
}

#[test]
fn a_package_that_two_need_is_declared_once() {
    let needs =
        |id: &str| Proposal { packages: vec![package("lru-cache", "^10")], ..proposal(id, Vec::new()) };
    let planned =
        plan(&[needs("1"), needs("2")], |path| (path == "package.json").then(|| String::from("{}")));
    assert_eq!(planned.packages.len(), 1);
    assert!(planned.changes["package.json"].contains("\"lru-cache\": \"^10\""));
    let without = plan(&[needs("1")], |_| None);
    assert_eq!(without.refused[0].reason, "there is no package.json to declare `lru-cache` in");
}

#[test]
fn diffs_are_patches() {
    assert_eq!(
        diff("a.js", Some("a\nb\n"), "a\nc\n"),
        "--- a/a.js\n+++ b/a.js\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    );
    assert_eq!(diff("n.sql", None, "x\n"), "--- /dev/null\n+++ b/n.sql\n@@ -0,0 +1 @@\n+x\n");
}

#[test]
fn lines_and_bytes_are_converted() {
    let text = "aé\nbc\n";
    assert_eq!(offset_of(text, 1, 3), 3);
    assert_eq!(offset_of(text, 2, 2), 5);
    assert_eq!(offset_of(text, 9, 1), text.len());
    assert_eq!((line_of(text, 0), line_of(text, 4), line_of(text, 99)), (1, 2, 3));
}

const TEXT: &str = "const a = await one();\nconst b = await two(a);\nsend(a, b);\n";

fn proposals() -> impl Strategy<Value = Vec<Proposal>> {
    let edit = (0..TEXT.len(), 0_usize..6, "[a-z\n]{0,4}")
        .prop_map(|(start, length, text)| edit(start, (start + length).min(TEXT.len()), &text));
    let edits = prop::collection::vec(edit, 0..3);
    prop::collection::vec((edits, 0_u32..3), 0..8).prop_map(|all| {
        let numbered = all.into_iter().enumerate();
        numbered.map(|(id, (edits, rank))| Proposal { rank, ..proposal(&id.to_string(), edits) }).collect()
    })
}

proptest! {
    #[test]
    fn the_order_of_proposals_does_not_matter(
        (proposals, shuffled) in proposals().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle()))
    ) {
        prop_assert_eq!(over(TEXT, &proposals), over(TEXT, &shuffled));
    }

    #[test]
    fn each_proposal_is_taken_whole_or_named(proposals in proposals()) {
        let planned = over(TEXT, &proposals);
        let count = planned.taken.len() + planned.clashes.len() + planned.refused.len();
        prop_assert_eq!(count, proposals.len());
        let mut length = TEXT.len();
        let mut done: Vec<Edit> = Vec::new();
        for proposal in proposals.iter().filter(|it| planned.taken.contains(&it.id)) {
            for edit in &proposal.edits {
                if !done.contains(edit) {
                    length = length + edit.replacement.len() - (edit.end - edit.start);
                    done.push(edit.clone());
                }
            }
        }
        let after = planned.changes.get("a.js").map_or(TEXT, |text| text.as_str());
        prop_assert_eq!(after.len(), length);
    }

    #[test]
    fn places_that_are_not_replaced_keep_their_text(proposals in proposals()) {
        let planned = over(TEXT, &proposals);
        let after = planned.changes.get("a.js").map_or(TEXT, |text| text.as_str());
        let edits = planned.edits.get("a.js").map_or(&[][..], Vec::as_slice);
        for (at, byte) in TEXT.bytes().enumerate() {
            if !edits.iter().any(|edit| edit.start <= at && at < edit.end) {
                let moved = planned.moved("a.js", at);
                prop_assert_eq!(after.as_bytes()[moved], byte, "byte {}", at);
            }
        }
    }
}
