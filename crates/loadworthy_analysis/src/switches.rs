//! Options of constructors that matter by what they do: which calls set them, or leave them out.

use loadworthy_knowledge::{HandleId, OptionIs, OptionRow, OptionTrait};
use loadworthy_syntax::{Binary, Kind};

use crate::analysis::Analysis;
use crate::calls::Call;
use crate::query::Options;
use crate::values::{Resolver, Site};

/// A constructor whose options do something.
#[derive(Clone, Debug)]
pub struct Switch<'p> {
    /// The row that says what.
    pub row: &'p OptionRow,
    /// The constructor.
    pub call: Site,
    /// The value of the option; the call itself where the option is absent.
    pub at: Site,
}

/// The calls whose options do `does`, in the order of files. What a condition decides is left out.
#[must_use]
pub fn switches<'p>(analysis: &Analysis<'p>, resolver: &Resolver<'p>, does: OptionTrait) -> Vec<Switch<'p>> {
    let knowledge = analysis.knowledge();
    let rows: Vec<&'p OptionRow> = knowledge.options(does).collect();
    let mut found = Vec::new();
    for call in analysis.calls().iter() {
        let Some(library) = &call.library else { continue };
        let id = knowledge.library(library.lib).id.as_str();
        for row in rows.iter().filter(|row| row.lib == id && row.names.iter().any(|it| **it == *library.name))
        {
            if row.module.as_deref().is_some_and(|module| library.module.as_deref() != Some(module)) {
                continue;
            }
            // `Sequelize.prototype.log` and the like are no constructors.
            if library.on != HandleId::MODULE && library.path.len() > 1 {
                continue;
            }
            found.extend(at(resolver, call, row).map(|at| Switch { row, call: call.site, at }));
        }
    }
    found
}

/// Where a call does what the row says.
fn at(resolver: &Resolver<'_>, call: &Call<'_>, row: &OptionRow) -> Option<Site> {
    let module = resolver.program().module(call.site.0)?;
    let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(call.site.1) else {
        return None;
    };
    let arguments: Vec<Site> = module.list(arguments).map(|node| (call.site.0, node)).collect();
    let given = match usize::try_from(row.argument) {
        Ok(at) => arguments.get(at).copied(),
        Err(_) => arguments.last().copied(),
    };
    // `FileInterceptor("file")`: the last argument is no object of options.
    let is_literal = |site: &Site| {
        resolver
            .program()
            .module(site.0)
            .is_some_and(|module| matches!(module.kind(site.1), Kind::String(_) | Kind::Number(_)))
    };
    let mut value = given.filter(|site| !is_literal(site));
    let mut is_open = false;
    for name in row.option.split('.') {
        let Some(site) = value else { break };
        let options = Options::of(resolver, site);
        is_open |= options.is_open;
        // What only some environments set is a choice.
        value = options.all(name).next().map(|it| it.value);
        if options.all(name).any(|it| it.is_optional) {
            return None;
        }
    }
    match row.is {
        OptionIs::Absent => (value.is_none() && !is_open).then_some(call.site),
        OptionIs::On => value.filter(|site| is_on(resolver, *site, row)),
        OptionIs::Infinite => value.filter(|site| {
            resolver.program().module(site.0).is_some_and(|module| module.source(site.1).contains("Infinity"))
        }),
    }
}

fn is_on(resolver: &Resolver<'_>, (file, node): Site, row: &OptionRow) -> bool {
    let Some(module) = resolver.program().module(file) else { return false };
    match module.kind(node) {
        Kind::Bool(is_on) => is_on,
        Kind::Function(_) => row.values.is_empty(),
        Kind::Member { .. } => row.values.is_empty() && module.source(node).starts_with("console."),
        Kind::String(text) => row.values.iter().any(|value| value == module.str(text)),
        Kind::Array(items) => module.list(items).any(|item| {
            let text = module.source(item);
            let listed = |value: &String| {
                text.trim_matches(['"', '\'', '`']) == value || is_level(module.source(item), value)
            };
            !matches!(
                module.kind(item),
                Kind::Conditional { .. } | Kind::Binary { operator: Binary::And, .. } | Kind::Spread(_)
            ) && row.values.iter().any(listed)
        }),
        _ => false,
    }
}

/// `{ emit: "stdout", level: "query" }`; events are handed to a listener, which may do anything.
fn is_level(text: &str, value: &str) -> bool {
    text.starts_with('{') && text.contains("level") && text.contains(value) && text.contains("stdout")
}
