//! `loadworthy capacity`: what each resource is used for at the target, what routes answer in, and what is used up first.

mod sensitivity;
pub(crate) mod words;

use clap::{Args, ValueEnum};
use loadworthy_analysis::{Analysis, Resolver};
use loadworthy_capacity::{Application, Demand, Environment, IDLE_HEAP_MB, Target, Utilisation, plain};
use loadworthy_checks::{Audit, Demands, Mix, QUERY_LOOP_MILLIS, Setting, Times, route_name, run_all};
use loadworthy_project::PackageId;
use serde::Serialize;

use crate::arguments::ProjectArguments;
use crate::failure::Failure;
use crate::load::{ForecastArguments, Load};
use crate::output::{json_text, print};
use crate::session::Session;

/// Options of `loadworthy capacity`.
#[derive(Args, Clone)]
pub(crate) struct CapacityArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = CapacityFormat::Terminal)]
    pub(crate) format: CapacityFormat,
    #[command(flatten)]
    pub(crate) forecast: ForecastArguments,
}

/// Forms of the forecast.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CapacityFormat {
    /// Tables for people.
    Terminal,
    /// A document for people.
    Markdown,
    /// One JSON object.
    Json,
}

/// Prints the forecast.
pub(crate) fn run(arguments: &CapacityArguments) -> Result<(), Failure> {
    let session = Session::open(&arguments.project)?;
    let load = Load::of(&arguments.forecast.load, &session)?;
    let times = arguments.forecast.times.times()?;
    let (forecast, _) = session.with_analysis(|analysis| Forecast::of(&session, analysis, &load, times))?;
    print(&match arguments.format {
        CapacityFormat::Terminal => words::terminal(&forecast),
        CapacityFormat::Markdown => words::markdown(&forecast),
        CapacityFormat::Json => json_text(&forecast)?,
    })
}

/// The forecast of a project.
#[derive(Serialize)]
pub(crate) struct Forecast {
    target: Target,
    /// One for each package that answers requests.
    applications: Vec<Served>,
    /// What was taken for granted.
    assumptions: Vec<String>,
}

/// An application at the target.
#[derive(Serialize)]
struct Served {
    /// Its folder; empty for the root of the project.
    package: String,
    resources: Vec<Resource>,
    /// The first resource that is used up as the rate rises.
    saturates_first: Option<Resource>,
    p50_millis: Option<f64>,
    p95_millis: Option<f64>,
    requests_in_flight: Option<f64>,
    heap_mb_at_end: f64,
    heap_limit_mb: f64,
    sensitivity: String,
    routes: Vec<RouteRow>,
}

#[derive(Clone, Serialize)]
struct Resource {
    #[serde(rename = "resource")]
    name: &'static str,
    /// 1 is all of it.
    utilisation: f64,
    /// Over all instances; nothing uses it where this is null.
    saturates_at_requests_per_second: Option<f64>,
}

/// A route at the target; parts are of one instance.
#[derive(Clone, Serialize)]
pub(crate) struct RouteRow {
    pub(crate) route: String,
    /// Its place in the route table.
    #[serde(skip)]
    pub(crate) at: usize,
    pub(crate) share: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) queries_per_request: f64,
    pub(crate) event_loop: f64,
    pub(crate) connection_pool: f64,
    pub(crate) heap: f64,
    /// Null where a queue does not drain.
    pub(crate) p50_millis: Option<f64>,
    pub(crate) p95_millis: Option<f64>,
}

impl Forecast {
    /// Of an analysed project, and where its traffic mix is from.
    pub(crate) fn of(
        session: &Session,
        analysis: &Analysis<'_>,
        load: &Load,
        times: Times,
    ) -> Result<(Self, Mix), Failure> {
        let (setting, mix) = load.setting(session, analysis)?;
        session.progress.stage("checking");
        let found = run_all(analysis, &setting, |_| true);
        let resolver = Resolver::new(analysis.program());
        let audit = Audit::new(analysis, &resolver, &setting);
        let demands = Demands::of(&audit, &setting, &found);
        session.progress.end();
        let packages = session.project.packages.iter();
        let served = packages.filter_map(|it| served(analysis, &setting, &demands, &times, (it.id, &it.dir)));
        let forecast = Self {
            target: load.target,
            applications: served.collect(),
            assumptions: assumptions(&times, &setting.environment, &mix),
        };
        Ok((forecast, mix))
    }

    /// The routes of all applications.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &RouteRow> {
        self.applications.iter().flat_map(|it| &it.routes)
    }
}

/// A package that answers requests.
fn served(
    analysis: &Analysis<'_>,
    setting: &Setting,
    demands: &Demands,
    times: &Times,
    (package, dir): (PackageId, &str),
) -> Option<Served> {
    let routes = analysis.routes().iter().enumerate();
    let members: Vec<(usize, String)> = routes
        .filter(|(at, route)| setting.traffic.package(*at) == Some(package) && route.kind.is_per_request())
        .map(|(at, route)| (at, route_name(route)))
        .collect();
    let own = |times: &Times| -> Vec<_> {
        let all = demands.at(times);
        members.iter().filter_map(|(at, _)| all.get(*at).copied()).collect()
    };
    let at = |demands: &[Demand]| Application::at(demands, &setting.target, &setting.environment);
    let demanded = own(times);
    let application = at(&demanded);
    let rows = members.iter().zip(demanded.iter().zip(&application.routes));
    let rows: Vec<RouteRow> = rows
        .map(|((at, route), (demand, used))| RouteRow {
            route: route.clone(),
            at: *at,
            share: demand.share,
            requests_per_second: used.requests_per_second,
            queries_per_request: demand.queries,
            event_loop: used.event_loop,
            connection_pool: used.connection_pool,
            heap: used.heap,
            p50_millis: used.p50_millis,
            p95_millis: used.p95_millis,
        })
        .collect();
    (!rows.is_empty()).then(|| Served {
        package: dir.to_owned(),
        resources: application.resources.iter().map(resource).collect(),
        saturates_first: application.bottleneck().as_ref().map(resource),
        p50_millis: application.p50_millis,
        p95_millis: application.p95_millis,
        requests_in_flight: application.in_flight,
        heap_mb_at_end: application.heap_mb_at_end,
        heap_limit_mb: application.heap_limit_mb,
        sensitivity: sensitivity::line(times, &application, &|times| at(&own(times))),
        routes: rows,
    })
}

fn resource(used: &Utilisation) -> Resource {
    Resource {
        name: used.resource.name(),
        utilisation: used.utilisation,
        saturates_at_requests_per_second: used.saturates_at,
    }
}

fn assumptions(times: &Times, environment: &Environment, mix: &Mix) -> Vec<String> {
    let mut all = vec![
        format!("a query takes {} ms with its round trip (--query-ms)", plain(times.query_millis)),
        format!(
            "another service answers in {} ms, or is given up before (--call-ms)",
            plain(times.call_millis)
        ),
        format!(
            "a request takes {} ms of event loop without any finding (--request-ms), and {} ms for each query after the first",
            plain(times.request_millis),
            plain(QUERY_LOOP_MILLIS)
        ),
        format!("a process that serves nobody has {} MB of heap", plain(IDLE_HEAP_MB)),
    ];
    let machine = &environment.machine;
    let defaults = [
        environment.pool.max.assumption(),
        machine.instances.assumption(),
        machine.cores.assumption(),
        machine.heap_limit_mb.assumption(),
    ];
    all.extend(defaults.into_iter().flatten().filter(|it| !it.is_empty()).map(str::to_owned));
    match mix {
        Mix::Usual => all.push(String::from(
            "reads take 80% of the traffic and writes 20%, each evenly (--traffic, or `traffic` in the configuration)",
        )),
        Mix::Given(_) => {}
        Mix::Observed(observed) => all.push(format!("the traffic mix is {}", observed.source)),
    }
    all
}
