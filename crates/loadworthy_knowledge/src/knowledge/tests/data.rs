//! Every row of the compiled-in files.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::super::Knowledge;
use crate::names::{HandleId, without_node};
use crate::source::{
    BLOCKING, CALLBACKS, CONVENTIONS, COSTS, DEADLINES, DEFAULTS, EFFECTS, ENVIRONMENT, FAILURES, File,
    HANDLES, HOOKS, OPTIONS, PACKAGES, TRAPS, WIRING,
};
use crate::steps::HandleOp;

fn effects() -> File {
    File::parse(EFFECTS).unwrap()
}

#[test]
fn every_file_parses_into_the_closed_sets() {
    for source in [
        EFFECTS,
        HANDLES,
        CALLBACKS,
        CONVENTIONS,
        BLOCKING,
        DEADLINES,
        HOOKS,
        PACKAGES,
        DEFAULTS,
        COSTS,
        TRAPS,
        ENVIRONMENT,
        FAILURES,
        WIRING,
        OPTIONS,
    ] {
        if let Err(error) = File::parse(source) {
            panic!("{error}");
        }
    }
    Knowledge::build(Vec::new()).unwrap();
    assert!(Knowledge::builtin().members().len() > 700);
    assert!(Knowledge::builtin().callbacks().len() > 200);
}

#[test]
fn library_ids_packages_and_globals_are_unique() {
    let mut ids = BTreeSet::new();
    let mut owners = BTreeMap::new();
    for library in effects().library {
        assert!(ids.insert(library.id.clone()), "{} twice", library.id);
        let packages: BTreeSet<_> = library.packages.iter().map(|p| without_node(p)).collect();
        for package in packages {
            if let Some(other) = owners.insert(package.to_owned(), library.id.clone()) {
                panic!("{package} is of {other} and of {}", library.id);
            }
        }
        for global in &library.globals {
            if let Some(other) = owners.insert(format!("global {global}"), library.id.clone()) {
                panic!("global {global} is of {other} and of {}", library.id);
            }
        }
    }
}

#[test]
fn members_narrow_to_packages_of_their_library() {
    let knowledge = Knowledge::builtin();
    for member in knowledge.members() {
        assert!(!member.on.is_empty() && !member.names.is_empty(), "{member:?}");
        let Some(module) = &member.module else { continue };
        let lib = knowledge.library_id(&member.lib).unwrap();
        assert_eq!(knowledge.library_of(module, ""), Some(lib), "{module} of {}", member.lib);
    }
}

#[test]
fn handle_modules_are_packages_of_their_library() {
    let knowledge = Knowledge::builtin();
    for row in knowledge.steps.rows() {
        let Some(module) = &row.module else { continue };
        let lib = knowledge.library_id(&row.lib).unwrap();
        assert_eq!(knowledge.library_of(module, ""), Some(lib), "{module} of {}", row.lib);
    }
}

#[test]
fn global_members_are_globals_of_their_library() {
    let knowledge = Knowledge::builtin();
    for member in knowledge.members().iter().filter(|m| m.on.iter().any(|on| on == "global")) {
        for name in &member.names {
            assert_eq!(knowledge.global(name), knowledge.library_id(&member.lib), "{name}");
        }
    }
    for row in knowledge.steps.rows() {
        if row.from.iter().any(|from| from == "global") {
            for name in row.name.iter() {
                assert_eq!(knowledge.global(name), knowledge.library_id(&row.lib), "{name}");
            }
        }
    }
}

/// Handles reached from exports and globals, through rows whose own handle is reached.
fn reached(knowledge: &Knowledge) -> BTreeSet<(String, String)> {
    let mut reached = BTreeSet::new();
    for (_, library) in knowledge.libraries() {
        reached.insert((library.id.clone(), "module".to_owned()));
        reached.insert((library.id.clone(), "global".to_owned()));
        reached.insert((library.id.clone(), "decorator".to_owned()));
        reached.insert((library.id.clone(), "resolver map".to_owned()));
    }
    for convention in knowledge.conventions() {
        let lib = knowledge.library(convention.lib).id.clone();
        reached.insert((lib, knowledge.handle_name(convention.handle).to_owned()));
    }
    loop {
        let before = reached.len();
        for row in knowledge.steps.rows() {
            let is_free = matches!(row.op, HandleOp::Type | HandleOp::Inject);
            let lib = row.lib.clone();
            if is_free || row.from.iter().any(|f| reached.contains(&(lib.clone(), f.to_owned()))) {
                let to_lib = row.to_lib.clone().unwrap_or(lib);
                if let Some(instance) = &row.instance {
                    reached.insert((to_lib.clone(), instance.clone()));
                }
                reached.insert((to_lib, row.to.clone()));
            }
        }
        if reached.len() == before {
            return reached;
        }
    }
}

#[test]
fn handles_of_members_are_reached() {
    let knowledge = Knowledge::builtin();
    let reached = reached(knowledge);
    let mut missing = BTreeSet::new();
    for member in knowledge.members() {
        for on in &member.on {
            if !reached.contains(&(member.lib.clone(), on.clone())) {
                missing.insert((member.lib.as_str(), on.as_str()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn handles_of_callbacks_and_steps_are_reached() {
    let knowledge = Knowledge::builtin();
    let reached = reached(knowledge);
    let mut missing = BTreeSet::new();
    for callback in knowledge.callbacks() {
        for on in &callback.on {
            if !reached.contains(&(callback.lib.clone(), on.clone())) {
                missing.insert((callback.lib.as_str(), on.as_str()));
            }
        }
    }
    for row in knowledge.steps.rows() {
        if matches!(row.op, HandleOp::Type | HandleOp::Inject) {
            continue;
        }
        for from in row.from.iter() {
            if !reached.contains(&(row.lib.clone(), from.to_owned())) {
                missing.insert((row.lib.as_str(), from));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn defaults_costs_and_traps_are_well_formed() {
    let knowledge = Knowledge::builtin();
    assert_eq!(knowledge.defaults().len(), File::parse(DEFAULTS).unwrap().default.len());
    let mut operations = BTreeSet::new();
    for cost in knowledge.costs() {
        assert!(operations.insert(&cost.op), "{} twice", cost.op);
        assert_eq!(cost.scales_with.is_some(), cost.ratio.is_some(), "{}", cost.op);
        assert!(cost.range[0] <= cost.value && cost.value <= cost.range[1], "{}", cost.op);
        if let Some(calibration) = &cost.scales_with {
            assert!(knowledge.cost(calibration).is_some(), "{calibration}");
        }
    }
    let words = ["source", "measured", "docs", "third-party"];
    let bases = knowledge.defaults().iter().flat_map(|row| &row.basis);
    let bases = bases.chain(knowledge.costs().iter().flat_map(|row| &row.basis));
    assert!(bases.clone().all(|basis| words.contains(&basis.as_str())));
    assert!(!knowledge.defaults().iter().any(|row| row.source.is_empty()));
}

#[test]
fn reserved_handles_have_their_ids() {
    let knowledge = Knowledge::builtin();
    assert_eq!(knowledge.handle("module"), Some(HandleId::MODULE));
    assert_eq!(knowledge.handle("global"), Some(HandleId::GLOBAL));
}

/// A start must not be noticed; a debug build on a busy machine is only asked not to be absurd.
#[test]
fn knowledge_is_read_quickly() {
    let start = Instant::now();
    Knowledge::build(Vec::new()).unwrap();
    let elapsed = start.elapsed().as_millis();
    assert!(elapsed < 2_000, "{elapsed} ms");
}

#[test]
fn pools_belong_to_known_libraries_and_their_defaults_exist() {
    let knowledge = Knowledge::builtin();
    assert!(knowledge.pools().len() > 10);
    for pool in knowledge.pools() {
        assert!(knowledge.library_id(&pool.lib).is_some(), "{}", pool.lib);
        for driver in &pool.drivers {
            assert!(knowledge.pools().iter().any(|row| row.lib == *driver) || driver == "mssql", "{driver}");
        }
        let options = pool.default_max.iter().chain(&pool.default_min);
        for option in options.chain(&pool.default_acquire_timeout).chain(&pool.default_idle_timeout) {
            assert!(
                knowledge.default_nearest(&pool.defaults, option, None).is_some(),
                "{} {option}",
                pool.lib
            );
        }
    }
}

#[test]
fn a_package_has_the_roles_of_all_rows_that_name_it() {
    let names = |package| {
        let roles = Knowledge::builtin().roles_of(package);
        roles.iter().map(|row| format!("{} {}", row.role, row.name)).collect::<Vec<_>>()
    };
    assert_eq!(names("mongoose"), ["database MongoDB", "orm Mongoose"]);
    assert_eq!(names("@clerk/nextjs"), ["auth Clerk"]);
    assert!(names("@sentry/node").contains(&"error-tracking Sentry".to_owned()));
    assert!(names("left-pad").is_empty());
}

#[test]
fn host_names_end_at_a_dot() {
    let provider = |host| Knowledge::builtin().host(host).map(|row| row.provider.as_str());
    assert_eq!(provider("ep-x-pooler.eu-central-1.aws.neon.tech"), Some("Neon"));
    assert_eq!(provider("notneon.tech"), None);
}

#[test]
fn failures_name_handles_and_packages_of_their_library() {
    let knowledge = Knowledge::builtin();
    let rows = File::parse(FAILURES).unwrap();
    for row in &rows.rejection {
        for on in &row.on {
            assert!(knowledge.handle(on).is_some(), "{on} of {row:?}");
        }
        let Some(module) = &row.module else { continue };
        assert_eq!(knowledge.library_of(module, ""), knowledge.library_id(&row.lib), "{row:?}");
    }
    for row in &rows.error_event {
        assert!(row.from.iter().all(|from| knowledge.handle(from).is_some()), "{row:?}");
    }
}

#[test]
fn wiring_and_pings_name_libraries() {
    let knowledge = Knowledge::builtin();
    let rows = File::parse(WIRING).unwrap();
    for row in &rows.wiring {
        assert!(row.framework == "*" || knowledge.library_id(&row.framework).is_some(), "{row:?}");
        assert!(row.imports.iter().all(|import| import.contains('|')), "{row:?}");
    }
    for row in &rows.ping {
        assert!(knowledge.library_id(&row.lib).is_some(), "{row:?}");
    }
}

#[test]
fn deadlines_are_about_known_handles_packages_and_defaults() {
    let knowledge = Knowledge::builtin();
    let reached = reached(knowledge);
    assert!(knowledge.deadlines().len() > 30);
    for row in knowledge.deadlines() {
        for on in &row.on {
            assert!(reached.contains(&(row.lib.clone(), on.clone())), "{} {on}", row.lib);
        }
        if let Some(module) = &row.module {
            assert_eq!(knowledge.library_of(module, ""), knowledge.library_id(&row.lib), "{module}");
        }
        if let (Some(lib), Some(option)) = (&row.defaults, &row.default) {
            assert!(knowledge.default_nearest(lib, option, None).is_some(), "{lib} {option}");
        }
        assert_eq!(row.defaults.is_some(), row.default.is_some(), "{} {:?}", row.lib, row.names);
        assert!(!row.standing || row.serves.is_some(), "{} {:?}", row.lib, row.names);
    }
}

#[test]
fn retries_are_about_known_handles_and_packages() {
    let knowledge = Knowledge::builtin();
    let reached = reached(knowledge);
    assert!(knowledge.retry_rows().len() > 10);
    for row in knowledge.retry_rows() {
        for on in &row.on {
            assert!(reached.contains(&(row.lib.clone(), on.clone())), "{} {on}", row.lib);
        }
        if let Some(module) = &row.module {
            assert_eq!(knowledge.library_of(module, ""), knowledge.library_id(&row.lib), "{module}");
        }
        assert!(!row.count.is_empty() && !row.remedy.is_empty(), "{} {:?}", row.lib, row.names);
        assert!(row.spares.is_empty() || !row.condition.is_empty(), "{} {:?}", row.lib, row.names);
    }
}

#[test]
fn attempts_have_options_and_at_least_one() {
    let knowledge = Knowledge::builtin();
    assert!(knowledge.attempts_rows().count() > 5);
    for row in knowledge.attempts_rows() {
        assert!(!row.options.is_empty() && row.attempts(row.default) >= 1.0, "{}", row.lib);
        assert!(row.wraps.as_deref() != Some(&*row.lib), "{}", row.lib);
    }
    let stripe = knowledge.library_id("stripe").unwrap();
    let most = |version| knowledge.attempts(stripe, Some(version)).map(|row| row.attempts(row.default));
    assert_eq!((most("14.1.0"), most("17.7.0"), most("12.0.0")), (Some(2.0), Some(3.0), None));
}

#[test]
fn blocking_rows_are_about_known_handles_packages_and_costs() {
    let knowledge = Knowledge::builtin();
    let reached = reached(knowledge);
    assert!(knowledge.blocking_rows().len() > 20);
    for row in knowledge.blocking_rows() {
        for on in &row.on {
            let is_namespace = on == "JSON";
            assert!(is_namespace || reached.contains(&(row.lib.clone(), on.clone())), "{} {on}", row.lib);
        }
        if let Some(module) = &row.module {
            assert_eq!(knowledge.library_of(module, ""), knowledge.library_id(&row.lib), "{module}");
        }
        assert!(knowledge.cost(&row.op).is_some(), "{}", row.op);
        assert_eq!(row.at.is_some(), row.growth.is_some(), "{}", row.op);
    }
}
