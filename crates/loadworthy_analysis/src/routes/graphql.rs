//! The fields of GraphQL schemas: maps of resolvers, decorated classes, object types, field builders.

use loadworthy_knowledge::LibId;
use loadworthy_project::FileId;
use loadworthy_syntax::{Kind, List, Module, NodeId};

use super::objects::properties;
use super::registration::Registration;
use super::{EntryKind, Handler, Route};
use crate::handles::{Called, Folded};
use crate::links::FunctionRef;
use crate::values::{Resolver, Site, Value};

/// Libraries that take a map of resolvers.
const SERVERS: [&str; 2] = ["apollo-server", "graphql"];

/// A field with what resolves it.
struct Field {
    parent: String,
    name: String,
    site: Site,
    handler: Handler,
}

/// Every field that a function of the program resolves.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let mut routes = Vec::new();
    for (file, module) in resolver.program().modules() {
        for (lib, field) in fields(resolver, file, module) {
            routes.push(field.route(lib));
        }
    }
    routes
}

/// The functions of a file's maps of resolvers, with their fields.
pub(crate) fn resolver_maps(
    resolver: &Resolver<'_>,
    file: FileId,
    module: &Module,
) -> Vec<(LibId, String, FunctionRef)> {
    let graphql = resolver.program().knowledge().library_id("graphql");
    let fields = fields(resolver, file, module).into_iter();
    fields
        .flat_map(|(_, field)| {
            let name = field.name;
            field.handler.functions.into_iter().filter_map(move |it| Some((graphql?, name.clone(), it)))
        })
        .collect()
}

impl Field {
    fn route(self, framework: LibId) -> Route {
        let method = match self.parent.as_str() {
            "Query" => "QUERY",
            "Mutation" => "MUTATION",
            "Subscription" => "SUBSCRIPTION",
            _ => "FIELD",
        };
        let path = if method == "FIELD" { format!("{}.{}", self.parent, self.name) } else { self.name };
        Route {
            kind: EntryKind::GraphqlResolver,
            framework,
            method: method.to_owned(),
            path,
            site: self.site,
            is_mounted: true,
            middleware: Vec::new(),
            handler: Some(self.handler),
        }
    }
}

fn fields(resolver: &Resolver<'_>, file: FileId, module: &Module) -> Vec<(LibId, Field)> {
    let mut found = Vec::new();
    for call in module.calls() {
        let (Kind::Call { callee, arguments } | Kind::New { callee, arguments }) = module.kind(*call) else {
            continue;
        };
        let reader = Reader { resolver, file, module };
        if let Some(map) = reader.map_argument(arguments)
            && let Some(lib) = reader.server(callee, arguments)
        {
            found.extend(reader.of_map(map).into_iter().map(|field| (lib, field)));
        }
        if reader.is_candidate(callee) {
            found.extend(reader.of_builders(*call));
        }
    }
    found
}

struct Reader<'r, 'p> {
    resolver: &'r Resolver<'p>,
    file: FileId,
    module: &'r Module,
}

impl Reader<'_, '_> {
    /// The value of a `resolvers` property among the arguments.
    fn map_argument(&self, arguments: List) -> Option<Site> {
        self.module.list(arguments).find_map(|argument| {
            let Kind::Object(parts) = self.module.kind(argument) else { return None };
            self.module.list(parts).find_map(|part| match self.module.kind(part) {
                Kind::Property { key, value } if self.module.str(key) == "resolvers" => {
                    Some((self.file, value.ok()?))
                }
                _ => None,
            })
        })
    }

    /// The library of a callee or of another argument (`app.register(mercurius, { resolvers })`).
    fn server(&self, callee: NodeId, arguments: List) -> Option<LibId> {
        let knowledge = self.resolver.program().knowledge();
        let libs: Vec<_> = SERVERS.iter().filter_map(|id| knowledge.library_id(id)).collect();
        let arguments =
            self.module.list(arguments).filter(|it| !matches!(self.module.kind(*it), Kind::Object(_)));
        std::iter::once(callee).chain(arguments).find_map(|node| {
            let values = self.resolver.value_of((self.file, node));
            self.resolver.folded(&values).into_iter().find_map(|folded| match folded {
                Folded::Held(held) | Folded::Member(held, _) => {
                    Some(held.lib).filter(|lib| libs.contains(lib))
                }
                _ => None,
            })
        })
    }

    fn of_map(&self, map: Site) -> Vec<Field> {
        let mut fields = Vec::new();
        for (parent, site) in properties(self.resolver, map) {
            for (name, value) in properties(self.resolver, site) {
                if !name.starts_with("__") {
                    fields.extend(self.field(&parent, name, value));
                }
            }
        }
        fields
    }

    /// A function, or `{ resolve, subscribe }`.
    fn field(&self, parent: &str, name: String, site: Site) -> Option<Field> {
        let module = self.resolver.program().module(site.0)?;
        let registration = Registration {
            resolver: self.resolver,
            file: site.0,
            module,
            loops: super::loops::Loops::default(),
        };
        let described = ["resolve", "subscribe"].iter().find_map(|option| registration.option(site, option));
        let handler = registration.handler(described.unwrap_or(site));
        (!handler.functions.is_empty()).then(|| Field { parent: parent.to_owned(), name, site, handler })
    }

    fn is_candidate(&self, callee: NodeId) -> bool {
        const NAMES: [&str; 12] = [
            "GraphQLObjectType",
            "queryField",
            "mutationField",
            "subscriptionField",
            "objectField",
            "queryFields",
            "mutationFields",
            "objectFields",
            "queryType",
            "mutationType",
            "objectType",
            "prismaObject",
        ];
        match self.module.kind(callee) {
            Kind::Member { name, .. } | Kind::Name { name, .. } => NAMES.contains(&self.module.str(name)),
            _ => false,
        }
    }

    /// `new GraphQLObjectType({ name, fields })`, `builder.queryField(name, (t) => t.field({ resolve }))`.
    fn of_builders(&self, call: NodeId) -> Vec<(LibId, Field)> {
        let called = self.resolver.called_members((self.file, call));
        let Some(Called { on, name }) = called.into_iter().next() else { return Vec::new() };
        let argument = |at: usize| self.resolver.argument((self.file, call), at);
        let fields = match &*name {
            "GraphQLObjectType" => self.of_object_type(argument(0)),
            "queryField" | "mutationField" | "subscriptionField" => {
                let field = argument(0).and_then(|it| self.resolver.text_of(it));
                let built = argument(1).map(|it| self.built(it)).unwrap_or_default();
                let handlers = built.into_iter().filter_map(|site| self.described(site));
                handlers
                    .map(|(site, handler)| Field {
                        parent: capitalised(name.trim_end_matches("Field")),
                        name: field.clone().unwrap_or_default(),
                        site,
                        handler,
                    })
                    .collect()
            }
            "queryFields" | "mutationFields" => argument(0)
                .map(|it| self.of_fields(&capitalised(name.trim_end_matches("Fields")), it))
                .unwrap_or_default(),
            "queryType" | "mutationType" => {
                self.of_options(&capitalised(name.trim_end_matches("Type")), argument(0))
            }
            "objectType" | "prismaObject" | "objectFields" => {
                let parent = argument(0).and_then(|it| self.resolver.text_of(it)).unwrap_or_default();
                self.of_options(&parent, argument(1))
            }
            _ => Vec::new(),
        };
        fields.into_iter().map(|field| (on.lib, field)).collect()
    }

    fn of_object_type(&self, options: Option<Site>) -> Vec<Field> {
        let Some(options) = options else { return Vec::new() };
        let Some((file, module)) = self.resolver.program().module(options.0).map(|it| (options.0, it)) else {
            return Vec::new();
        };
        let registration =
            Registration { resolver: self.resolver, file, module, loops: super::loops::Loops::default() };
        let name =
            registration.option(options, "name").and_then(|it| registration.text(it)).unwrap_or_default();
        let parent = match name.as_str() {
            "RootQuery" | "RootQueryType" | "QueryType" => "Query",
            "RootMutation" | "RootMutationType" | "MutationType" | "Mutations" => "Mutation",
            other => other,
        };
        self.of_options(parent, Some(options))
    }

    fn of_options(&self, parent: &str, options: Option<Site>) -> Vec<Field> {
        let Some(options) = options else { return Vec::new() };
        let fields = properties(self.resolver, options).into_iter().find(|(name, _)| name == "fields");
        fields.map(|(_, fields)| self.of_fields(parent, fields)).unwrap_or_default()
    }

    /// `{ a: { resolve } }`, `() => ({ … })`, `(t) => ({ a: t.field({ resolve }) })`.
    fn of_fields(&self, parent: &str, fields: Site) -> Vec<Field> {
        let mut found = Vec::new();
        for object in self.built(fields) {
            for (name, value) in properties(self.resolver, object) {
                if let Some((site, handler)) = self.described(value) {
                    found.push(Field { parent: parent.to_owned(), name, site, handler });
                }
            }
        }
        found
    }

    /// What a function gives back; the expression itself where it is no function.
    fn built(&self, site: Site) -> Vec<Site> {
        let values = self.resolver.value_of(site);
        let functions: Vec<_> = super::registration::functions(&values);
        if functions.is_empty() {
            return vec![site];
        }
        let returns = functions.into_iter().flat_map(|(file, function)| {
            let index = self.resolver.program().index(file);
            let returns = index.map(|index| index.returns(function).to_vec()).unwrap_or_default();
            returns.into_iter().map(move |node| (file, node))
        });
        returns.collect()
    }

    /// The `resolve` of `{ resolve }` or of the options of `t.field(…, { resolve })`.
    fn described(&self, (file, node): Site) -> Option<(Site, Handler)> {
        let module = self.resolver.program().module(file)?;
        let registration =
            Registration { resolver: self.resolver, file, module, loops: super::loops::Loops::default() };
        let candidates: Vec<NodeId> = match module.kind(node) {
            Kind::Call { arguments, .. } => module.list(arguments).collect(),
            _ => vec![node],
        };
        candidates.into_iter().find_map(|candidate| {
            let is_object = self
                .resolver
                .value_of((file, candidate))
                .iter()
                .any(|value| matches!(value, Value::Object(..)));
            let resolve = registration.option((file, candidate), "resolve").filter(|_| is_object)?;
            let handler = registration.handler(resolve);
            (!handler.functions.is_empty()).then_some(((file, node), handler))
        })
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_get_a_capital() {
        assert_eq!(super::capitalised("query"), "Query");
        assert_eq!(super::capitalised(""), "");
    }
}
