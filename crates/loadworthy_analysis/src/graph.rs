//! The call graph: who runs whom, in the same flow or at another time, once or once per element.

use loadworthy_knowledge::Runs;
use loadworthy_syntax::{FunctionId, Kind};
use rustc_hash::FxHashMap;

use crate::calls::Calls;
use crate::links::FunctionRef;
use crate::loops::{LoopForm, Repeat};
use crate::program::Program;
use crate::values::Site;

/// One way from a call to a function that it runs. The caller is `(file, FunctionId::NONE)` at module level.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Whose code holds the call.
    pub caller: FunctionRef,
    /// The call, or the place where the function is created for it.
    pub site: Site,
    /// What runs.
    pub callee: FunctionRef,
    /// When.
    pub timing: Timing,
    /// Set where it runs once for each element.
    pub repeat: Option<Repeat>,
}

/// When the callee of an edge runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timing {
    /// In the flow of the caller: what it does, the caller does.
    InFlow,
    /// When a library calls it.
    By(Runs),
    /// Handed to code that is not known.
    Unknown,
}

/// All edges, both ways.
#[derive(Debug, Default)]
pub struct CallGraph {
    edges: Vec<Edge>,
    callees: FxHashMap<FunctionRef, Vec<usize>>,
    callers: FxHashMap<FunctionRef, Vec<usize>>,
}

impl CallGraph {
    pub(crate) fn new(program: &Program<'_>, calls: &Calls<'_>) -> Self {
        let mut graph = Self::default();
        for call in calls.iter() {
            let caller = (call.site.0, call.function);
            for callee in &call.targets {
                graph.add(Edge {
                    caller,
                    site: call.site,
                    callee: *callee,
                    timing: Timing::InFlow,
                    repeat: None,
                });
            }
            for handed in &call.handed {
                let timing = match handed.runs {
                    Some(runs) if runs.is_in_caller_flow() => Timing::InFlow,
                    Some(runs) => Timing::By(runs),
                    None => Timing::Unknown,
                };
                let repeat = (handed.runs == Some(Runs::PerElement)).then_some(Repeat {
                    at: call.site,
                    source: handed.elements,
                    form: LoopForm::Callback,
                    is_sequential: handed.is_sequential,
                    is_limited: handed.is_limited,
                });
                graph.add(Edge { caller, site: call.site, callee: handed.function, timing, repeat });
            }
        }
        graph.add_immediate(program);
        for edge in crate::hooks::edges(program, calls) {
            graph.add(edge);
        }
        graph
    }

    /// `(async () => { … })()` runs where it stands.
    fn add_immediate(&mut self, program: &Program<'_>) {
        for (file, module) in program.modules() {
            for call in module.calls() {
                let Kind::Call { callee, .. } = module.kind(*call) else { continue };
                let Kind::Function(function) = module.kind(callee) else { continue };
                let caller = (file, module.enclosing_function(*call));
                let run = (file, function);
                if !self.callers(run).any(|edge| edge.site == (file, *call)) {
                    self.add(Edge {
                        caller,
                        site: (file, *call),
                        callee: run,
                        timing: Timing::InFlow,
                        repeat: None,
                    });
                }
            }
        }
    }

    fn add(&mut self, edge: Edge) {
        let at = self.edges.len();
        self.callees.entry(edge.caller).or_default().push(at);
        self.callers.entry(edge.callee).or_default().push(at);
        self.edges.push(edge);
    }

    /// The edges that leave a function (`FunctionId::NONE`: the module's own code).
    pub fn callees(&self, function: FunctionRef) -> impl Iterator<Item = &Edge> + '_ {
        self.callees.get(&function).into_iter().flatten().filter_map(|at| self.edges.get(*at))
    }

    /// The edges that lead to a function.
    pub fn callers(&self, function: FunctionRef) -> impl Iterator<Item = &Edge> + '_ {
        self.callers.get(&function).into_iter().flatten().filter_map(|at| self.edges.get(*at))
    }

    /// Every edge, in the order of the calls.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }
}

/// The function whose code holds a node, or the module's own code.
#[must_use]
pub(crate) fn owner(program: &Program<'_>, (file, node): Site) -> FunctionRef {
    (file, program.module(file).map_or(FunctionId::NONE, |module| module.enclosing_function(node)))
}
