//! A user's rows.

use super::super::Knowledge;
use crate::{Effect, HandleId, KnowledgeError, Op, Runs};

#[test]
fn a_wrapper_becomes_a_package_of_a_known_library() {
    let text = r#"
        [[library]]
        id = "prisma"
        packages = ["./db"]
        [[handle]]
        lib = "prisma"
        op = "get"
        name = "db"
        to = "client"
    "#;
    let knowledge = Knowledge::with_overrides(text).unwrap();
    let lib = knowledge.library_of("./db", "").unwrap();
    assert_eq!(knowledge.library_of("@prisma/client", ""), Some(lib));
    assert!(knowledge.library(lib).lifetime.is_some());
    let step = knowledge.step(lib, HandleId::MODULE, Op::Get, "db").unwrap();
    assert_eq!(knowledge.handle_name(step.to), "client");
}

#[test]
fn a_new_library_with_members_handles_and_callbacks() {
    let text = r#"
        [[library]]
        id = "@acme/store"
        packages = ["@acme/store"]
        kind = "orm"
        [[handle]]
        lib = "@acme/store"
        op = "call"
        name = "open"
        to = "store"
        [[member]]
        lib = "@acme/store"
        on = ["store"]
        names = ["all"]
        effect = "db.query"
        returns = "promise"
        rows = "many-unbounded"
        [[callback]]
        lib = "@acme/store"
        on = ["store"]
        names = ["each"]
        arg = 0
        runs = "per-element"
    "#;
    let knowledge = Knowledge::with_overrides(text).unwrap();
    let lib = knowledge.library_of("@acme/store", "").unwrap();
    let store = knowledge.step(lib, HandleId::MODULE, Op::Call, "open").unwrap().to;
    assert_eq!(knowledge.member(lib, store, "all", None, None).unwrap().effect, Effect::DbQuery);
    assert_eq!(knowledge.callback(lib, store, "each", 0, 1).unwrap().runs, Runs::PerElement);
}

#[test]
fn a_user_member_replaces_a_known_one() {
    let text = r#"
        [[member]]
        lib = "axios"
        on = ["module"]
        names = ["get"]
        effect = "cache.get"
        returns = "promise"
    "#;
    let knowledge = Knowledge::with_overrides(text).unwrap();
    let lib = knowledge.library_of("axios", "").unwrap();
    let member = knowledge.member(lib, HandleId::MODULE, "get", Some("axios"), Some("1.7.0"));
    assert_eq!(member.unwrap().effect, Effect::CacheGet);
}

#[test]
fn a_user_default_comes_first() {
    let text = r#"
        [[default]]
        target = "npm"
        lib = "pg-pool"
        versions = "*"
        option = "max"
        scope = "pool"
        value = "3"
        unit = "count"
        unbounded = false
        basis = ["docs"]
        source = "our wrapper"
    "#;
    let knowledge = Knowledge::with_overrides(text).unwrap();
    assert_eq!(knowledge.default_of("pg-pool", "max", None).unwrap().text, "3");
    assert!(knowledge.defaults().len() > 500);
}

#[test]
fn wrong_rows_are_errors() {
    let unknown_library = "[[member]]\nlib = \"nope\"\non = [\"x\"]\nnames = [\"y\"]\neffect = \"db.query\"\nreturns = \"promise\"";
    assert!(matches!(Knowledge::with_overrides(unknown_library), Err(KnowledgeError::UnknownLibrary { .. })));
    let unknown_effect = unknown_library.replace("nope", "pg").replace("db.query", "db.quarry");
    let error = Knowledge::with_overrides(&unknown_effect).unwrap_err().to_string();
    assert!(error.contains("unknown effect `db.quarry`"), "{error}");
    let misplaced = "[[handle]]\nlib = \"pg\"\nop = \"new\"\nname = \"x\"\nto = \"client\"\nparam = 1";
    assert!(matches!(Knowledge::with_overrides(misplaced), Err(KnowledgeError::Handle { .. })));
    assert!(matches!(Knowledge::with_overrides("= ="), Err(KnowledgeError::Toml { .. })));
    assert!(Knowledge::with_overrides("").is_ok());
}
