//! Lines and columns of places.

use loadworthy_analysis::{Program, Site};
use loadworthy_checks::Place;
use loadworthy_report::Location;

/// Where a place is.
pub(crate) fn location(program: &Program<'_>, place: &Place) -> Location {
    match place {
        Place::Code(site) => of_site(program, *site),
        Place::Line { file, first, last } => Location {
            file: file.clone(),
            start_line: *first,
            end_line: (*last).max(*first),
            start_column: 1,
            end_column: text_of(program, file).map_or(1, |text| width(&text, (*last).max(*first)) + 1),
        },
    }
}

/// Where a node is.
pub(crate) fn of_site(program: &Program<'_>, (file, node): Site) -> Location {
    let path = program.path(file).to_owned();
    let Some(module) = program.lowered(file) else {
        return Location { file: path, start_line: 1, end_line: 1, start_column: 1, end_column: 1 };
    };
    let span = module.node(node).span;
    let (start_line, start_column) = module.position(span.start);
    let (end_line, end_column) = module.position(span.end);
    Location { file: path, start_line, end_line, start_column, end_column }
}

/// The text of any file of the project; absent where it can't be read.
pub(crate) fn text_of(program: &Program<'_>, path: &str) -> Option<String> {
    let project = program.project();
    match project.file_by_path(path) {
        Some(file) => match program.lowered(file) {
            Some(module) => Some(module.text().to_owned()),
            None => project.read(file).ok(),
        },
        None => project.read_other(path).ok(),
    }
}

fn width(text: &str, line: u32) -> u32 {
    let line = text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
    u32::try_from(line.chars().count()).unwrap_or(u32::MAX - 1)
}
