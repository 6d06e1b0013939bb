//! Functions that a platform calls: those that deployment files name, those whose type or place says so.

use loadworthy_knowledge::{Convention, LibId};
use loadworthy_project::FileId;
use loadworthy_syntax::{FunctionId, Kind, Module};
use rustc_hash::FxHashSet;

use super::loops::Loops;
use super::registration::Registration;
use super::tree::joined;
use super::{EntryKind, Handler, Route};
use crate::handles::Folded;
use crate::links::FunctionRef;
use crate::positions::{Place, path_in_package};
use crate::values::{Resolver, Site, Step, Value};

/// Every function that a platform calls.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let Some(lib) = resolver.program().knowledge().library_id("aws-lambda") else { return Vec::new() };
    let mut routes = Vec::new();
    for path in &resolver.program().project().other_files {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_deployment = matches!(
            name,
            "serverless.yml" | "serverless.yaml" | "template.yml" | "template.yaml" | "sam.yml" | "sam.yaml"
        );
        if let (true, Ok(text)) = (is_deployment, resolver.program().project().read_other(path)) {
            routes.extend(deployed(resolver, lib, path, &text));
        }
    }
    let known: FxHashSet<FunctionRef> = routes.iter().flat_map(functions_of).collect();
    for (file, module) in resolver.program().modules() {
        let found = placed(resolver, lib, file, module).into_iter().chain(typed(resolver, lib, file, module));
        routes.extend(found.filter(|route| !functions_of(route).any(|it| known.contains(&it))));
    }
    routes
}

fn functions_of(route: &Route) -> impl Iterator<Item = FunctionRef> + '_ {
    route.handler.iter().flat_map(|handler| handler.functions.iter().copied())
}

/// A function of a deployment file, with its events.
#[derive(Default, Debug, PartialEq, Eq)]
struct Deployed {
    handler: String,
    folder: String,
    events: Vec<Event>,
}

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Http { method: String, path: String },
    Schedule(String),
    Queue(String),
}

/// Reads `handler`, `path`, `method` and the kinds of events, line by line: the forms of both tools have these words in
/// common, whatever stands around them.
fn functions_in(text: &str) -> Vec<Deployed> {
    let mut found: Vec<Deployed> = Vec::new();
    let mut folder = String::new();
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or(line).trim();
        let line = line.strip_prefix("- ").unwrap_or(line);
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim().trim_matches(['"', '\'']);
        let key = key.trim().to_lowercase();
        match key.as_str() {
            "codeuri" if !value.is_empty() => {
                value.clone_into(&mut folder);
                if let Some(last) = found.last_mut().filter(|it| it.folder.is_empty() && it.events.is_empty())
                {
                    last.folder.clone_from(&folder);
                }
            }
            "handler" if value.contains('.') => {
                found.push(Deployed {
                    handler: value.to_owned(),
                    folder: std::mem::take(&mut folder),
                    events: Vec::new(),
                });
            }
            _ => {
                if let Some(last) = found.last_mut() {
                    last.read(&key, value);
                }
            }
        }
    }
    found
}

impl Deployed {
    fn read(&mut self, key: &str, value: &str) {
        let empty = || Event::Http { method: String::new(), path: String::new() };
        match (key, self.events.last_mut()) {
            ("http" | "httpapi" | "alb", _) => match value.split_once(' ') {
                Some((method, path)) if !value.starts_with('{') => {
                    self.events
                        .push(Event::Http { method: method.to_uppercase(), path: path.trim().to_owned() });
                }
                _ => self.events.push(empty()),
            },
            ("type", _) if matches!(value, "Api" | "HttpApi") => self.events.push(empty()),
            ("type", _)
                if matches!(value, "SQS" | "SNS" | "S3" | "DynamoDB" | "Kinesis" | "EventBridgeRule") =>
            {
                self.events.push(Event::Queue(value.to_lowercase()));
            }
            ("path", Some(Event::Http { path, .. })) => value.clone_into(path),
            ("method", Some(Event::Http { method, .. })) => *method = value.to_uppercase(),
            ("schedule", _) => self.events.push(Event::Schedule(value.to_owned())),
            ("rate" | "cron", Some(Event::Schedule(rate))) if rate.is_empty() => value.clone_into(rate),
            ("sqs" | "sns" | "stream" | "s3" | "eventbridge" | "msk" | "kafka", _) => {
                self.events.push(Event::Queue(key.to_owned()));
            }
            _ => {}
        }
    }
}

fn deployed(resolver: &Resolver<'_>, lib: LibId, path: &str, text: &str) -> Vec<Route> {
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let mut routes = Vec::new();
    for function in functions_in(text) {
        let Some((stem, export)) = function.handler.rsplit_once('.') else { continue };
        let Some(file) = source_file(resolver, &[dir, &function.folder, stem]) else { continue };
        let Some(handler) = exported(resolver, file, export) else { continue };
        let route = |kind, method: &str, path: String| Route {
            kind,
            framework: lib,
            method: method.to_owned(),
            path,
            site: handler.site,
            is_mounted: true,
            middleware: Vec::new(),
            handler: Some(handler.clone()),
        };
        if function.events.is_empty() {
            routes.push(route(EntryKind::Serverless, "LAMBDA", export.to_owned()));
        }
        for event in function.events {
            routes.push(match event {
                Event::Http { method, path } => {
                    let path = with_colons(&joined("", &path));
                    let path = format!("{method} {}", if path.is_empty() { "/" } else { &path });
                    route(EntryKind::Serverless, "LAMBDA", path.trim().to_owned())
                }
                Event::Schedule(rate) => route(EntryKind::Schedule, "CRON", rate),
                Event::Queue(name) => route(EntryKind::Job, "JOB", name),
            });
        }
    }
    routes
}

fn with_colons(path: &str) -> String {
    let segments =
        path.split('/').map(|segment| match segment.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            Some(name) => format!(":{}", name.trim_end_matches('+')),
            None => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}

fn source_file(resolver: &Resolver<'_>, parts: &[&str]) -> Option<FileId> {
    let segments = parts.iter().flat_map(|part| part.split('/'));
    let path: Vec<_> = segments.filter(|segment| !matches!(*segment, "" | ".")).collect();
    let path = path.join("/");
    let extensions = ["ts", "js", "mts", "mjs", "cjs", "tsx"];
    let project = resolver.program().project();
    extensions.into_iter().find_map(|it| project.file_by_path(&format!("{path}.{it}")))
}

fn exported(resolver: &Resolver<'_>, file: FileId, name: &str) -> Option<Handler> {
    let site = resolver.export_site(file, name)?;
    let module = resolver.program().module(site.0)?;
    let registration = Registration { resolver, file: site.0, module, loops: Loops::default() };
    Some(registration.handler(site))
}

/// Exports of files that a platform looks for.
fn placed(resolver: &Resolver<'_>, lib: LibId, file: FileId, module: &Module) -> Vec<Route> {
    let conventions = resolver.program().knowledge().conventions().iter();
    let here = conventions.filter(|it| it.lib == lib && it.has_place(resolver, file, module));
    here.flat_map(|convention| placed_by(resolver, convention, file, module)).collect()
}

fn placed_by(resolver: &Resolver<'_>, convention: &Convention, file: FileId, module: &Module) -> Vec<Route> {
    let path = path_in_package(resolver, file).unwrap_or_default();
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let stem = stem.strip_prefix("netlify/functions/").unwrap_or(stem);
    let names = module.exports().iter().map(|export| module.str(export.name));
    let names = names.filter(|name| convention.has_export(name));
    let routes = names.filter_map(|name| {
        let handler = exported(resolver, file, name).filter(|handler| !handler.functions.is_empty())?;
        Some(Route {
            kind: EntryKind::Serverless,
            framework: convention.lib,
            method: "LAMBDA".to_owned(),
            path: format!("/{}", stem.replace('[', ":").replace(']', "")),
            site: handler.site,
            is_mounted: true,
            middleware: Vec::new(),
            handler: Some(handler),
        })
    });
    routes.collect()
}

/// Exports whose type, or whose parameter's type, is a platform's.
fn typed(resolver: &Resolver<'_>, lib: LibId, file: FileId, module: &Module) -> Vec<Route> {
    let mut routes = Vec::new();
    for export in module.exports() {
        let name = module.str(export.name);
        let Some(site) = resolver.export_site(file, name).filter(|site| site.0 == file) else { continue };
        let Some(handle) = handle_of(resolver, lib, site) else { continue };
        let Some(handler) = exported(resolver, file, name).filter(|it| !it.functions.is_empty()) else {
            continue;
        };
        let stem = resolver.program().path(file).rsplit('/').next().unwrap_or_default();
        let stem = stem.split('.').next().unwrap_or_default();
        let (kind, method) = match handle.split(' ').next() {
            Some("queue") => (EntryKind::Job, "JOB"),
            Some("schedule") => (EntryKind::Schedule, "CRON"),
            _ => (EntryKind::Serverless, "LAMBDA"),
        };
        routes.push(Route {
            kind,
            framework: lib,
            method: method.to_owned(),
            path: if matches!(name, "handler" | "default" | "main") {
                stem.to_owned()
            } else {
                name.to_owned()
            },
            site,
            is_mounted: true,
            middleware: Vec::new(),
            handler: Some(handler),
        });
    }
    routes
}

/// What a function is by its declared type, by its first parameter's, or by the library's wrapper around it.
fn handle_of<'r>(resolver: &Resolver<'r>, lib: LibId, (file, node): Site) -> Option<&'r str> {
    let module = resolver.program().module(file)?;
    if let Kind::Declarator { target, .. } = module.kind(module.parent(node))
        && let Kind::Binding(binding) = module.kind(target)
        && let Some(handle) = of_type(resolver, lib, file, module.binding(binding)?.type_id)
    {
        return Some(handle);
    }
    let values = resolver.value_of((file, node));
    values.iter().find_map(|value| match value {
        Value::Function(file, function) => of_parameter(resolver, lib, *file, *function),
        Value::External(external) => {
            let is_wrapped = matches!(external.steps.first(), Some(Step::Call(_)))
                && matches!(resolver.fold(external), Folded::Result(outcome) if outcome.on.lib == lib);
            is_wrapped.then_some("function")
        }
        _ => None,
    })
}

fn of_parameter<'r>(
    resolver: &Resolver<'r>,
    lib: LibId,
    file: FileId,
    function: FunctionId,
) -> Option<&'r str> {
    let module = resolver.program().module(file)?;
    let first = module.list(module.function(function)?.parameters).next()?;
    match module.kind(first) {
        Kind::Binding(binding) => of_type(resolver, lib, file, module.binding(binding)?.type_id),
        _ => None,
    }
}

fn of_type<'r>(
    resolver: &Resolver<'r>,
    lib: LibId,
    file: FileId,
    type_id: loadworthy_syntax::TypeId,
) -> Option<&'r str> {
    let knowledge = resolver.program().knowledge();
    let values = resolver.typed_value(file, type_id);
    resolver.folded(&values).into_iter().find_map(|folded| match folded {
        Folded::Held(held) if held.lib == lib => Some(knowledge.handle_name(held.handle)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_both_tools_are_read_with_their_events() {
        let found = functions_in(
            "functions:\n  get:\n    handler: src/users.get # comment\n    events:\n      - http:\n          path: users/{id}\n          method: get\n      - httpApi: 'POST /users'\n  tick:\n    handler: src/jobs.tick\n    events:\n      - schedule: rate(5 minutes)\n      - sqs: arn\n",
        );
        assert_eq!(found.len(), 2);
        let http =
            |method: &str, path: &str| Event::Http { method: method.to_owned(), path: path.to_owned() };
        assert_eq!(found[0].events, [http("GET", "users/{id}"), http("POST", "/users")]);
        assert_eq!(
            found[1].events,
            [Event::Schedule("rate(5 minutes)".to_owned()), Event::Queue("sqs".to_owned())]
        );
        let sam = functions_in(
            "Resources:\n  Fn:\n    Properties:\n      CodeUri: src/\n      Handler: app.handler\n      Events:\n        Api:\n          Type: Api\n          Properties:\n            Path: /items\n            Method: get\n",
        );
        assert_eq!(
            sam,
            [Deployed {
                handler: "app.handler".into(),
                folder: "src/".into(),
                events: vec![http("GET", "/items")]
            }]
        );
        assert!(functions_in("handler: nothing\npath: /x\n").is_empty());
    }
}
