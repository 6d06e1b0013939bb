//! What findings are judged against: the load, and what the application runs on.

use loadworthy_analysis::{Analysis, Resolver};
use loadworthy_capacity::{self as capacity, Target};
use loadworthy_environment::{self as environment, Basis, Known, Overrides};

use crate::traffic::{Mix, Traffic};

/// The load target, the facts of the environment, and those among them that the load model calculates with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The load.
    pub target: Target,
    /// What the application runs on, with evidence.
    pub facts: environment::Environment,
    /// The same in the load model's terms.
    pub environment: capacity::Environment,
    /// Which part of the load each entry point takes.
    pub traffic: Traffic,
}

impl Setting {
    /// Infers the environment of a program; what the user knows better goes before.
    #[must_use]
    pub fn infer(analysis: &Analysis<'_>, target: Target, overrides: &Overrides, mix: &Mix) -> Self {
        let program = analysis.program();
        let (facts, ()) = rayon::join(
            || environment::environment(&Resolver::new(program), program.knowledge(), overrides),
            || analysis.prepare(),
        );
        let environment = for_model(&facts);
        let traffic = Traffic::of(analysis, &target, mix);
        Self { target, facts, environment, traffic }
    }
}

/// What the load model calculates with.
fn for_model(facts: &environment::Environment) -> capacity::Environment {
    let default = capacity::Environment::default();
    let heap = &facts.heap_limit_mb;
    let machine = capacity::Machine {
        cores: fact(&facts.cores, facts.cores.value, &default.machine.cores),
        heap_limit_mb: fact(heap, heap.value, &default.machine.heap_limit_mb),
        instances: fact(&facts.instances, facts.instance_count(), &default.machine.instances),
    };
    let max = facts.pool_max_per_instance();
    let server = facts.max_connections.is_stated().then_some(facts.max_connections.value);
    let pool = capacity::Pool {
        max: max.map_or(default.pool.max.clone(), |max| fact(max, max.value, &default.pool.max)),
        server_max_connections: server.flatten(),
    };
    capacity::Environment { machine, pool }
}

/// Read, or assumed with the reason.
fn fact<T, V: Clone>(known: &Known<T>, value: V, default: &capacity::Fact<V>) -> capacity::Fact<V> {
    match known.basis {
        Basis::Read | Basis::Override => capacity::Fact::read(value),
        Basis::Default => {
            let reason = known.evidence.first().map_or_else(String::new, |place| place.note.clone());
            capacity::Fact::assumed(value, reason)
        }
        Basis::Assumed => match &default.source {
            capacity::Source::Assumed(reason) => capacity::Fact::assumed(value, reason.clone()),
            capacity::Source::Read => capacity::Fact::assumed(value, "nothing in the project says it"),
        },
    }
}
