//! The variable that holds a server which listens, and lines put behind the statement that starts it.

use loadworthy_analysis::{Call, LibraryCall, Site};
use loadworthy_knowledge::{Effect, Op};
use loadworthy_project::Language;
use loadworthy_syntax::{Kind, Module, NodeId};

use crate::audit::Audit;
use crate::edit::{behind, insert, semicolon, styled};
use crate::finding::{Applicability, Edit, Fix};

/// The library whose servers these are, and its handle of one.
const HTTP: (&str, &str) = ("node:http", "server");
/// A name for a server that has none.
const NAME: &str = "server";

/// A server with a name of its own, or one to be given.
pub(crate) struct Listening {
    /// What it is called.
    pub(crate) name: String,
    /// The statement that starts it.
    statement: Site,
    /// The edit that gives it the name.
    naming: Option<Edit>,
}

impl Listening {
    /// `None` where a call gives no server of Node's own, or where it can't be named in its place.
    pub(crate) fn of(audit: &Audit<'_, '_>, call: &Call<'_>, library: &LibraryCall<'_>) -> Option<Self> {
        let module = audit.module(call.site)?;
        gives_server(audit, library).then_some(())?;
        let whole = chained(module, call.site.1);
        if let Some(name) = own_name(module, call.site.1) {
            let statement = audit.statement(call.site);
            let is_line = matches!(module.kind(statement.1), Kind::Expression(_));
            return is_line.then_some(Self { name, statement, naming: None });
        }
        let statement = (call.site.0, module.parent(whole));
        match module.kind(statement.1) {
            Kind::Expression(_) => {
                let is_taken = module.bindings().iter().any(|it| module.str(it.name) == NAME);
                let is_line = matches!(module.kind(module.parent(statement.1)), Kind::Block(_));
                if is_taken || !is_line {
                    return None;
                }
                let at = module.node(statement.1).span.start as usize;
                let naming = insert(audit, call.site.0, at, format!("const {NAME} = "));
                Some(Self { name: NAME.to_owned(), statement, naming })
            }
            Kind::Declarator { target, .. } => {
                let variables = module.parent(statement.1);
                let Kind::Variables(list) = module.kind(variables) else { return None };
                let Kind::Binding(binding) = module.kind(target) else { return None };
                let name = module.str(module.binding(binding)?.name).to_owned();
                (list.len() == 1).then_some(Self { name, statement: (call.site.0, variables), naming: None })
            }
            _ => None,
        }
    }

    /// The server that a site makes or starts.
    pub(crate) fn at(audit: &Audit<'_, '_>, site: Site) -> Option<Self> {
        let (call, library) = audit
            .analysis
            .effects(|effect| effect == Effect::HttpListen)
            .find(|(call, _)| call.site == site)?;
        Self::of(audit, call, library)
    }

    /// A fix that puts lines behind the start.
    pub(crate) fn followed_by(self, audit: &Audit<'_, '_>, lines: &str, plain: Fix) -> Fix {
        let Some(module) = audit.module(self.statement) else { return plain };
        let lines = styled(module, lines);
        let Some(edit) = behind(audit, self.statement, &lines) else { return plain };
        let started = module.source(self.statement.1);
        let head = if self.naming.is_some() {
            format!("const {} = {started}", self.name)
        } else {
            started.to_owned()
        };
        Fix {
            before: Some(started.to_owned()),
            after: Some(format!("{head}\n{lines}")),
            edits: self.naming.into_iter().chain([edit]).collect(),
            applicability: Applicability::Review,
            ..plain
        }
    }

    /// What statements end with where it stands.
    pub(crate) fn semicolon(&self, audit: &Audit<'_, '_>) -> &'static str {
        audit.module(self.statement).map_or(";", semicolon)
    }

    /// ` as const` where a list of signals needs it for its type.
    pub(crate) fn as_const(&self, audit: &Audit<'_, '_>) -> &'static str {
        let file = audit.program().project().file(self.statement.0);
        match file.map(|file| file.language) {
            Some(Language::Ts | Language::Tsx) => " as const",
            _ => "",
        }
    }
}

/// Whether what a call gives is a server of Node's own.
fn gives_server(audit: &Audit<'_, '_>, library: &LibraryCall<'_>) -> bool {
    let knowledge = audit.knowledge();
    if knowledge.library(library.lib).id == HTTP.0 {
        return true;
    }
    let given = knowledge.step(library.lib, library.on, Op::Call, &library.name);
    given.is_some_and(|step| {
        knowledge.library(step.lib).id == HTTP.0 && knowledge.handle_name(step.to) == HTTP.1
    })
}

/// `server` of `server.listen(3000)`, where that is a server and not an application.
fn own_name(module: &Module, call: NodeId) -> Option<String> {
    let Kind::Call { callee, .. } = module.kind(call) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    let Kind::Name { binding, .. } = module.kind(object) else { return None };
    let declared = module.binding(binding)?;
    let made = match module.kind(module.parent(declared.node)) {
        Kind::Declarator { init, .. } => module.source(init),
        _ => return None,
    };
    (module.str(name) == "listen" && made.contains("createServer"))
        .then(|| module.str(declared.name).to_owned())
}

/// A call with what is chained to it: `http.createServer(app).listen(3000)`.
fn chained(module: &Module, call: NodeId) -> NodeId {
    let mut whole = call;
    loop {
        let member = module.parent(whole);
        let Kind::Member { object, name } = module.kind(member) else { return whole };
        let outer = module.parent(member);
        let is_own = matches!(module.kind(outer), Kind::Call { callee, .. } if callee == member);
        if object != whole || !is_own || !matches!(module.str(name), "listen" | "on" | "once") {
            return whole;
        }
        whole = outer;
    }
}
