//! Processes: who starts them, how many there are, and the memory, cores and heap of each.

use loadworthy_knowledge::Role;
use loadworthy_syntax::Kind;

use super::databases::package_of;
use super::{Scene, settle};
use crate::fact::{Basis, Confidence, Known, Place};
use crate::number::{count, plain};
use crate::signs::{Count, Sign};

/// How the server's processes come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessModel {
    /// One Node process.
    Single,
    /// pm2 keeps one process alive.
    Pm2Fork,
    /// pm2 runs several processes behind one port.
    Pm2Cluster,
    /// The code forks workers with `cluster`.
    NodeCluster,
    /// Functions: the platform starts an instance for each concurrent request.
    Serverless,
}

/// How many processes answer requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instances {
    /// What the model calculates with: the least that runs, at least one.
    pub count: u32,
    /// The most, where the deployment scales; `None` without a bound.
    pub most: Option<u32>,
    /// How it comes about (`pm2: one per core × 2 replicas`).
    pub shown: String,
}

/// Assumed where no memory limit is known: what V8 takes on a machine of 4 GB.
const ASSUMED_HEAP_MB: f64 = 2048.0;
/// V8 takes half of a container's memory, up to 2 GB below 4 GiB and up to 4 GB above.
const HEAP_SHARE: f64 = 0.5;
const SMALL_HOST_MB: f64 = 4096.0;
const LARGEST_HEAP_SMALL_MB: f64 = 2048.0;
const LARGEST_HEAP_MB: f64 = 4144.0;

/// The process model with its evidence.
pub(crate) fn model(scene: &Scene<'_>) -> Known<ProcessModel> {
    if scene.overrides.flag("deployment.serverless") == Some(true) {
        return Known::overridden(ProcessModel::Serverless);
    }
    if let Some(target) = serverless_target(scene) {
        return Known::read(ProcessModel::Serverless, Confidence::High, vec![target]);
    }
    if let Some(place) = cluster(scene) {
        return Known::read(ProcessModel::NodeCluster, Confidence::High, vec![place]);
    }
    let managers = scene.of_running_server(&scene.files.signs.managers);
    if let Some(manager) = settle(&managers) {
        let has_workers = scene.of_running_server(&scene.files.signs.workers).iter().any(|sign| {
            !matches!(sign.value, Count::Fixed(0 | 1)) && sign.place.note.contains("instances")
                || sign.place.note.contains("-i")
        });
        let is_cluster =
            has_workers || manager.evidence.first().is_some_and(|place| place.note.contains("cluster"));
        return manager.map(|_| if is_cluster { ProcessModel::Pm2Cluster } else { ProcessModel::Pm2Fork });
    }
    let starts: Vec<Place> = start_place(scene).into_iter().collect();
    Known { basis: Basis::Read, ..Known::read(ProcessModel::Single, Confidence::Medium, starts) }
}

/// The `start` script of the server.
fn start_place(scene: &Scene<'_>) -> Option<Place> {
    let manifest = &scene.code.project().package(scene.server())?.manifest;
    let script = manifest.script("start:prod").or_else(|| manifest.script("start"))?;
    Some(Place {
        file: manifest.file.clone()?,
        line: script.line,
        note: format!("{} starts one process", script.name),
    })
}

/// `cluster.fork()`, or a library that forks.
fn cluster(scene: &Scene<'_>) -> Option<Place> {
    scene.creations.iter().find_map(|creation| {
        let is_fork = creation.module == "cluster" && creation.name() == "fork";
        let is_library = scene
            .code
            .knowledge
            .roles_of(package_of(&creation.module))
            .iter()
            .any(|row| row.role == Role::ProcessManager && row.name == "throng");
        (is_fork || is_library).then(|| {
            scene.code.place(creation.site, if is_fork { "cluster.fork()" } else { "forks workers" })
        })
    })
}

/// Whether a forked worker is made for each core: the code around asks for the cores.
fn is_per_core(scene: &Scene<'_>) -> bool {
    scene.code.modules().any(|(_, module)| {
        module.calls().iter().any(|call| {
            let Kind::Call { callee, .. } = module.kind(*call) else { return false };
            matches!(module.kind(callee), Kind::Member { name, .. } if matches!(module.str(name), "cpus" | "availableParallelism"))
                || matches!(module.kind(callee), Kind::Name { name, .. } if matches!(module.str(name), "cpus" | "availableParallelism"))
        })
    })
}

/// Where the server is deployed, surest first; development aside.
pub(crate) fn targets(scene: &Scene<'_>) -> Known<Vec<String>> {
    let mut signs = scene.of_running_server(&scene.files.signs.targets);
    signs.sort_by_key(|sign| std::cmp::Reverse((sign.tier, sign.confidence)));
    let mut names: Vec<String> = Vec::new();
    let mut evidence = Vec::new();
    for sign in &signs {
        if !names.contains(&sign.value.name) {
            names.push(sign.value.name.clone());
            evidence.push(sign.place.clone());
        }
    }
    if names.is_empty() {
        return Known::assumed(
            names,
            "how the server gets to production (no Dockerfile, manifest or platform file in the project)",
            "it sets memory, cores, instances and the proxy",
        );
    }
    let confidence = signs.first().map_or(Confidence::Low, |sign| sign.confidence);
    Known::read(names, confidence, evidence)
}

/// The serverless platform that runs the server: of functions, or of a framework that becomes functions there.
fn serverless_target(scene: &Scene<'_>) -> Option<Place> {
    let signs = scene.of_running_server(&scene.files.signs.targets);
    let stated = signs.iter().find(|sign| sign.value.is_serverless);
    // A long-lived process beside it (a Dockerfile, a Procfile) leaves it open which one counts: the process does.
    let has_process =
        signs.iter().any(|sign| !sign.value.is_serverless && sign.value.name != "Docker Compose");
    let by_adapter = scene.components(Role::Serverless, super::components::Proof::Imported);
    match stated {
        Some(sign) if !has_process => Some(sign.place.clone()),
        None if !has_process => by_adapter.value.first().and(by_adapter.evidence.first().cloned()),
        _ => None,
    }
}

/// Processes that answer requests.
pub(crate) fn instances(scene: &Scene<'_>, model: ProcessModel, cores: &Known<f64>) -> Known<Instances> {
    let known =
        |number: u32, shown: String| Instances { count: number.max(1), most: Some(number.max(1)), shown };
    if let Some(number) = scene.overrides.count("deployment.instances") {
        return Known::overridden(known(number, number.to_string()));
    }
    if model == ProcessModel::Serverless {
        let shown = "one per concurrent request".to_owned();
        return Known::read(Instances { count: 1, most: None, shown }, Confidence::Medium, Vec::new())
            .confirm(
                "the platform's concurrency limit",
                "every instance opens its own pool and has its own memory",
            );
    }
    let replicas = settle(&scene.of_running_server(&scene.files.signs.replicas));
    let workers = workers(scene, model);
    match (workers, replicas) {
        (None, None) => {
            let look_at = match model {
                ProcessModel::Pm2Fork => "`pm2 ls` on the host: no `-i` starts one process",
                _ => "replicas, dynos or machines in the deployment's settings",
            };
            Known::assumed(
                known(1, "1".to_owned()),
                look_at,
                "pools, in-memory limiters, sessions and caches multiply by it",
            )
        }
        (workers, replicas) => multiplied(workers.as_ref(), replicas.as_ref(), cores),
    }
}

/// Node processes of one copy, by pm2, `WEB_CONCURRENCY` or `cluster`.
fn workers(scene: &Scene<'_>, model: ProcessModel) -> Option<Known<Count>> {
    if let Some(known) = settle(&scene.of_running_server(&scene.files.signs.workers)) {
        return Some(known);
    }
    if model != ProcessModel::NodeCluster {
        return None;
    }
    let place = cluster(scene)?;
    if is_per_core(scene) {
        return Some(Known::read(Count::PerCore, Confidence::High, vec![place]));
    }
    Some(Known::read(Count::Range { min: 1, max: None }, Confidence::Low, vec![place]))
}

fn multiplied(
    workers: Option<&Known<Count>>,
    replicas: Option<&Known<Count>>,
    cores: &Known<f64>,
) -> Known<Instances> {
    let bounds = |count: Count| match count {
        Count::Fixed(number) => (number.max(1), Some(number.max(1))),
        Count::PerCore => (per_core(cores.value), Some(per_core(cores.value))),
        Count::Range { min, max } => (min.max(1), max),
    };
    let parts: Vec<&Known<Count>> = workers.into_iter().chain(replicas).collect();
    let mut least: u32 = 1;
    let mut most = Some(1u32);
    for part in &parts {
        let (low, high) = bounds(part.value);
        least = least.saturating_mul(low);
        most = most.zip(high).map(|(most, high)| most.saturating_mul(high));
    }
    let shown: Vec<String> = [(workers, "processes"), (replicas, "replicas")]
        .into_iter()
        .filter_map(|(part, name)| part.map(|known| format!("{name}: {}", known.value)))
        .collect();
    let confidence = parts.iter().map(|part| part.confidence).min().unwrap_or(Confidence::Low);
    let evidence = parts.iter().flat_map(|part| part.evidence.iter().take(2).cloned()).collect();
    let is_per_core = parts.iter().any(|part| part.value == Count::PerCore);
    let instances = Instances { count: least, most, shown: shown.join(", ") };
    let known = Known::read(instances, confidence, evidence);
    if is_per_core && !cores.is_stated() {
        return Known { confidence: Confidence::Low, ..known }.confirm(
            "`nproc` on the host: one process for each core",
            "pools, in-memory limiters and sessions multiply by it",
        );
    }
    if most.is_none() {
        return known.confirm(
            "the most instances that the platform may start",
            "all of their pools together must fit the database",
        );
    }
    known
}

fn per_core(cores: f64) -> u32 {
    count(cores.ceil()).max(1)
}

/// Cores of one instance.
pub(crate) fn cores(scene: &Scene<'_>) -> Known<f64> {
    if let Some(cores) = scene.overrides.number("deployment.cores") {
        return Known::overridden(cores.max(0.01));
    }
    settle(&scene.of_running_server(&scene.files.signs.cores)).unwrap_or_else(|| {
        Known::assumed(
            1.0,
            "the CPU limit of the container, or `nproc` on the host",
            "the event loop runs on one core at most, and on less of it under a limit",
        )
    })
}

/// Memory of one instance in MB; `None` where nothing limits it.
pub(crate) fn memory(scene: &Scene<'_>) -> Known<Option<f64>> {
    if let Some(megabytes) = scene.overrides.number("deployment.memory_mb") {
        return Known::overridden(Some(megabytes));
    }
    let limit = settle(&scene.of_running_server(&scene.files.signs.memory_mb));
    let restart = || settle(&scene.of_running_server(&scene.files.signs.restart_memory_mb));
    match limit.or_else(restart) {
        Some(known) => known.map(Some),
        None => Known::assumed(
            None,
            "the memory limit of the container, or `free -m` on the host",
            "the process is killed above it, whatever the heap limit is",
        ),
    }
}

/// The old-space limit of V8 in MB.
pub(crate) fn heap(scene: &Scene<'_>, memory: &Known<Option<f64>>) -> Known<f64> {
    if let Some(megabytes) = scene.overrides.number("deployment.heap_mb") {
        return Known::overridden(megabytes);
    }
    if let Some(known) = settle(&scene.of_running_server(&scene.files.signs.heap_mb)) {
        return known;
    }
    match memory.value {
        Some(megabytes) => {
            let largest = if megabytes <= SMALL_HOST_MB { LARGEST_HEAP_SMALL_MB } else { LARGEST_HEAP_MB };
            let heap = (megabytes * HEAP_SHARE).min(largest);
            let note = format!("no --max-old-space-size: V8 takes about half of {} MB", plain(megabytes));
            let places =
                memory.evidence.iter().take(1).map(|place| Place { note: note.clone(), ..place.clone() });
            Known::default_of(heap, places.collect())
        }
        None => Known::assumed(
            ASSUMED_HEAP_MB,
            "`node -p \"v8.getHeapStatistics().heap_size_limit\"` where the server runs",
            "the process dies when live objects reach it",
        ),
    }
}

/// `NODE_ENV` where the server runs.
pub(crate) fn node_env(scene: &Scene<'_>) -> Known<Option<String>> {
    const WORDS: [&str; 5] = ["production", "development", "test", "staging", "local"];
    if let Some(text) = scene.overrides.text("deployment.node_env") {
        return Known::overridden(Some(text.to_owned()));
    }
    let mut signs: Vec<&Sign<_>> = scene.of_running_server(&scene.files.signs.variables);
    signs.retain(|sign| sign.value.key == "NODE_ENV" && WORDS.contains(&sign.value.value.expose().trim()));
    if let Some(best) = super::best(&signs) {
        let value = best.value.value.expose().trim().to_owned();
        // An example for developers says little about production.
        if best.confidence > Confidence::Low {
            let place = Place { note: format!("NODE_ENV={value}"), ..best.place.clone() };
            return Known::read(Some(value), best.confidence, vec![place]);
        }
    }
    Known::assumed(
        Some("production".to_owned()),
        "the environment of the running process: `NODE_ENV`",
        "Express caches views and hides stack traces only with production, and libraries log less",
    )
}

/// A tool for development that the start script uses, where nothing else starts the server.
pub(crate) fn development_start(scene: &Scene<'_>, model: ProcessModel) -> Option<Place> {
    let start = start_place(scene).filter(|_| model == ProcessModel::Single)?;
    let starts = scene.of_server(&scene.files.signs.development_starts);
    let own = starts.into_iter().find(|sign| sign.place.file == start.file && sign.place.line == start.line);
    own.map(|sign| sign.place.clone())
}

impl ProcessModel {
    /// The word shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Single => "one Node process",
            Self::Pm2Fork => "pm2, fork mode (one process)",
            Self::Pm2Cluster => "pm2, cluster mode",
            Self::NodeCluster => "Node's cluster module",
            Self::Serverless => "serverless functions",
        }
    }
}
