//! What a library's value means: its path of steps folded through the library knowledge.

use std::sync::Arc;

use loadworthy_knowledge::{Flag, HandleId, Knowledge, LibId, Op, Runs};
use loadworthy_project::FileId;
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use crate::links::Position;
use crate::values::{External, Resolver, Root, Site, Step, Value};

/// An object of a library that the knowledge knows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Held {
    /// The library.
    pub lib: LibId,
    /// What it is.
    pub handle: HandleId,
    /// The import specifier it came from; absent for globals and what libraries pass.
    pub module: Option<Arc<str>>,
    /// The call or construction that made it.
    pub made_at: Option<Site>,
    /// The argument of that call which holds its options.
    pub options: Option<Site>,
    /// Names read since it was made, outermost last: `user` of `prisma.user`, `users` of `db.query.users`.
    pub path: Arc<[Arc<str>]>,
}

/// What a path of steps leads to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Folded {
    /// An object of a library.
    Held(Held),
    /// A member of one, that is no object by itself: `prisma.user.findMany`.
    Member(Held, Arc<str>),
    /// What a call of a member gave, or something read from that.
    Result(Outcome),
    /// A package that the knowledge does not have.
    Unknown,
}

/// What a call of a library's member gave.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Outcome {
    /// What it was called on.
    pub on: Held,
    /// The member; empty where the object itself was called.
    pub name: Arc<str>,
    /// The call.
    pub call: Site,
    /// What was done to the result, in order.
    pub rest: Arc<[Step]>,
}

/// The member that a call of it is about.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Called {
    /// What it is called on.
    pub on: Held,
    /// The member; empty where the object itself is called.
    pub name: Arc<str>,
}

impl Resolver<'_> {
    /// What a library's value means.
    #[must_use]
    pub fn fold(&self, external: &External) -> Folded {
        let knowledge = self.program().knowledge();
        let Some(mut state) = start(knowledge, external) else { return Folded::Unknown };
        for (at, step) in external.steps.iter().enumerate() {
            state = match state {
                Folded::Held(held) => self.step_held(knowledge, held, step),
                Folded::Member(held, name) => self.step_member(knowledge, held, &name, step),
                Folded::Result(outcome) => {
                    let rest = external.steps.get(at..).unwrap_or_default();
                    return Folded::Result(Outcome { rest: rest.into(), ..outcome });
                }
                Folded::Unknown => return Folded::Unknown,
            };
        }
        state
    }

    fn step_held(&self, knowledge: &Knowledge, held: Held, step: &Step) -> Folded {
        match step {
            Step::Get(name) => {
                match knowledge.step_in(held.lib, held.handle, Op::Get, name, held.module.as_deref()) {
                    Some(to) => {
                        let path = held.path.iter().cloned().chain(std::iter::once(name.clone())).collect();
                        Folded::Held(Held { lib: to.lib, handle: to.to, path, ..held })
                    }
                    None => Folded::Member(held, name.clone()),
                }
            }
            Step::Call(site) => self.made_by(knowledge, held, Op::Call, *site),
            Step::New(site) => self.made_by(knowledge, held, Op::New, *site),
            Step::Type(name) => match knowledge.type_handle(held.lib, name) {
                Some(handle) => Folded::Held(Held { handle, ..held }),
                None => Folded::Unknown,
            },
            Step::Extended => {
                // `sequelize.Model` is an object of its own, and the export that classes extend.
                let name = held.path.last().cloned().unwrap_or_default();
                match extended(knowledge, held.clone(), "") {
                    Folded::Unknown if !name.is_empty() => {
                        extended(knowledge, Held { handle: HandleId::MODULE, ..held }, &name)
                    }
                    known => known,
                }
            }
            // What holds for a list of such objects holds for each of them.
            Step::Element => Folded::Held(held),
        }
    }

    /// `MongoClient` is an object of its own (`MongoClient.connect(…)`), and the export that is constructed; `firestore` is
    /// one (`admin.firestore.FieldValue`), and the export that is called.
    fn made_by(&self, knowledge: &Knowledge, held: Held, op: Op, site: Site) -> Folded {
        let export = held.path.last().cloned().filter(|name| {
            let step =
                |handle, name: &str| knowledge.step_in(held.lib, handle, op, name, held.module.as_deref());
            step(held.handle, "").is_none() && step(HandleId::MODULE, name).is_some()
        });
        match export {
            Some(name) => {
                let module = Held { handle: HandleId::MODULE, ..held };
                self.made(knowledge, module, &name, op, site)
            }
            None => self.made(knowledge, held, &Arc::from(""), op, site),
        }
    }

    fn step_member(&self, knowledge: &Knowledge, held: Held, name: &Arc<str>, step: &Step) -> Folded {
        match step {
            Step::Call(site) => self.made(knowledge, held, name, Op::Call, *site),
            Step::New(site) => self.made(knowledge, held, name, Op::New, *site),
            Step::Type(type_name) => match knowledge.type_handle(held.lib, type_name) {
                Some(handle) => Folded::Held(Held { handle, ..held }),
                None => Folded::Unknown,
            },
            Step::Extended => extended(knowledge, held, name),
            // `prisma.$queryRaw.name`, `sequelize.models.User.x`: nothing is known of a member's members.
            Step::Get(_) | Step::Element => Folded::Unknown,
        }
    }

    /// A call or construction: another object, or a result.
    fn made(&self, knowledge: &Knowledge, on: Held, name: &Arc<str>, op: Op, site: Site) -> Folded {
        match knowledge.step_in(on.lib, on.handle, op, name, on.module.as_deref()) {
            Some(to) => Folded::Held(Held {
                lib: to.lib,
                handle: to.to,
                module: on.module,
                made_at: Some(site),
                options: to.options.and_then(|at| self.argument(site, at)),
                // A chained call (`db.select().from(users)`) keeps what it is about.
                path: on.path,
            }),
            None => Folded::Result(Outcome { on, name: name.clone(), call: site, rest: Arc::default() }),
        }
    }

    /// An argument of a call or construction.
    #[must_use]
    pub fn argument(&self, (file, call): Site, at: usize) -> Option<Site> {
        let module = self.program().module(file)?;
        let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(call) else {
            return None;
        };
        module.list(arguments).nth(at).map(|node| (file, node))
    }

    /// What each alternative means, as far as it is a library's.
    #[must_use]
    pub fn folded(&self, values: &[Value]) -> Vec<Folded> {
        let mut all = Vec::new();
        for value in values {
            let Value::External(external) = value else { continue };
            let folded = self.fold(external);
            if folded != Folded::Unknown && !all.contains(&folded) {
                all.push(folded);
            }
        }
        all
    }

    /// The members of libraries that a call, construction or tagged template may be of.
    #[must_use]
    pub fn called_members(&self, (file, call): Site) -> Vec<Called> {
        let Some(module) = self.program().module(file) else { return Vec::new() };
        let (Kind::Call { callee, .. } | Kind::New { callee, .. } | Kind::Tagged { tag: callee, .. }) =
            module.kind(call)
        else {
            return Vec::new();
        };
        let folded = self.folded(&self.filled(&self.value_of((file, callee))));
        folded
            .into_iter()
            .filter_map(|folded| match folded {
                Folded::Held(on) => Some(self.called_by_any_name(on)),
                Folded::Member(on, name) => Some(Called { on, name }),
                Folded::Result(_) | Folded::Unknown => None,
            })
            .collect()
    }

    /// `drive.files.list()`: where a service's methods are known by no name, the last part of the path is one.
    fn called_by_any_name(&self, on: Held) -> Called {
        let knowledge = self.program().knowledge();
        let member =
            |name: &str| knowledge.member_nearest(on.lib, on.handle, name, on.module.as_deref(), None);
        let last = on.path.last().cloned().filter(|last| {
            member(last).is_some_and(|found| found.row.flags.contains(&Flag::DynamicName))
                && member("").is_none()
        });
        let name = last.unwrap_or_else(|| Arc::from(""));
        Called { on, name }
    }

    /// The handle of a class that extends an export, as the knowledge names it.
    pub(crate) fn extension_of(&self, external: &External) -> Option<(LibId, HandleId)> {
        let (held, name) = match self.fold(external) {
            Folded::Member(held, name) => (held, name),
            Folded::Held(held) => (held, Arc::from("")),
            _ => return None,
        };
        let knowledge = self.program().knowledge();
        let step = knowledge.step_in(held.lib, held.handle, Op::Extend, &name, held.module.as_deref())?;
        Some((step.lib, step.to))
    }

    /// What a library passes for a parameter of a function that stands in one of its positions.
    pub(crate) fn handles_of_position(
        &self,
        position: &Position,
        parameter: usize,
    ) -> Option<(LibId, HandleId)> {
        let Position { lib, of, name } = position;
        self.program().knowledge().callback_param(*lib, *of, name, 0, 1, parameter, None)
    }

    /// What a call hands to parameter `parameter` of the function that is its argument `argument`.
    pub(crate) fn handles_passed(
        &self,
        file: FileId,
        call: NodeId,
        argument: usize,
        parameter: usize,
    ) -> Vec<(LibId, HandleId)> {
        let Some(module) = self.program().module(file) else { return Vec::new() };
        let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(call) else {
            return Vec::new();
        };
        let event = module.list(arguments).next().and_then(|first| match module.kind(first) {
            Kind::String(text) => Some(module.str(text)),
            _ => None,
        });
        let knowledge = self.program().knowledge();
        let handle_of = |called: Called| {
            let Called { on, name } = called;
            knowledge.callback_param(on.lib, on.handle, &name, argument, arguments.len(), parameter, event)
        };
        self.called_members((file, call)).into_iter().filter_map(handle_of).collect()
    }
}

/// What a callback gets from a list.
pub(crate) struct ElementsOf {
    /// The list, or the promise.
    pub(crate) list: Site,
    /// All of it at once: `promise.then(callback)`.
    pub(crate) is_whole: bool,
}

impl Resolver<'_> {
    /// The list whose elements a call hands to parameter `parameter` of the function that is its argument `argument`.
    pub(crate) fn elements_of_callback(
        &self,
        site: Site,
        argument: usize,
        parameter: usize,
    ) -> Option<ElementsOf> {
        let (file, call) = site;
        let module = self.program().module(file)?;
        let Kind::Call { callee, arguments } = module.kind(call) else { return None };
        let knowledge = self.program().knowledge();
        for Called { on, name } in self.called_members(site) {
            let row = knowledge.callback(on.lib, on.handle, &name, argument, arguments.len());
            let Some(row) = row.filter(|row| row.runs == Runs::PerElement) else { continue };
            if row.element_param != parameter {
                return None;
            }
            if let Some(at) = row.elements {
                let list = self.argument(site, at)?;
                return Some(ElementsOf { list, is_whole: false });
            }
        }
        let Kind::Member { object, name } = module.kind(callee) else { return None };
        let list = (file, object);
        if module.str(name) == "then" {
            return (argument == 0 && parameter == 0).then_some(ElementsOf { list, is_whole: true });
        }
        let core = knowledge.library_id("node:core")?;
        let arrays = knowledge.handle("Array.prototype")?;
        let row = knowledge.callback(core, arrays, module.str(name), argument, arguments.len())?;
        (row.runs == Runs::PerElement && row.element_param == parameter)
            .then_some(ElementsOf { list, is_whole: false })
    }
}

fn start(knowledge: &Knowledge, external: &External) -> Option<Folded> {
    let held = |lib, handle, module| {
        Folded::Held(Held { lib, handle, module, made_at: None, options: None, path: Arc::default() })
    };
    match &external.root {
        Root::Package(specifier) => {
            let lib = knowledge.library_of(specifier, "")?;
            Some(held(lib, HandleId::MODULE, Some(specifier.clone())))
        }
        Root::Global(name) => {
            let lib = knowledge.global(name)?;
            let global = Held {
                lib,
                handle: HandleId::GLOBAL,
                module: None,
                made_at: None,
                options: None,
                path: Arc::default(),
            };
            Some(match knowledge.step(lib, HandleId::GLOBAL, Op::Get, name) {
                Some(to) => held(to.lib, to.to, None),
                None => Folded::Member(global, name.clone()),
            })
        }
        Root::Passed(lib, handle) => Some(held(*lib, *handle, None)),
    }
}

/// An object of a program's class that extends an export.
fn extended(knowledge: &Knowledge, held: Held, name: &str) -> Folded {
    let step = knowledge.step_in(held.lib, held.handle, Op::Extend, name, held.module.as_deref());
    match step.and_then(|step| step.instance.map(|handle| (step.lib, handle))) {
        Some((lib, handle)) => Folded::Held(Held { lib, handle, ..held }),
        None => Folded::Unknown,
    }
}

/// The function that a node is, if it is one.
#[must_use]
pub fn function_at(module: &Module, node: NodeId) -> Option<FunctionId> {
    match module.kind(node) {
        Kind::Function(function) => Some(function),
        _ => None,
    }
}
