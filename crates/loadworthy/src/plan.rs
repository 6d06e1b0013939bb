//! `loadworthy plan`: the load-test kit.

use std::fs;

use loadworthy_report::{kit, load_test_text};

use crate::arguments::PlanArguments;
use crate::audit;
use crate::failure::Failure;
use crate::load::Load;
use crate::output::print;
use crate::session::Session;

/// Prints the plan, or writes the kit's files.
pub(crate) fn run(arguments: &PlanArguments) -> Result<(), Failure> {
    let session = Session::open(&arguments.project)?;
    let load = Load::of(&arguments.load, &session)?;
    let report = audit::whole(&session, &load)?;
    let Some(folder) = &arguments.output else { return print(&load_test_text(&report)) };
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
    for file in kit::files(&report) {
        let path = folder.join(file.name);
        fs::write(&path, file.text).map_err(|error| Failure::file(&path, error))?;
    }
    if !arguments.project.quiet {
        let count = report.plan.load_test.requests.len();
        anstream::eprintln!(
            "wrote the kit to {}: {count} requests, {} left out; complete requests.json (ids, bodies, login), then read README.md",
            folder.display(),
            report.plan.load_test.left_out.len()
        );
    }
    Ok(())
}
