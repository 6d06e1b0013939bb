//! The load model: what one finding costs per request, put at its share of a load target.
//!
//! Pure arithmetic. It reads nothing, prints nothing and never fails: values outside their range
//! (negative, not a number, a pool of no connections) are brought to the nearest one inside it.

mod application;
mod assess;
mod background;
mod cost;
mod environment;
mod heap;
mod number;
mod queueing;
mod resources;
mod severity;
mod target;
mod waiting;

pub use application::{Application, Demand, IDLE_HEAP_MB, RouteUse, Utilisation};
pub use assess::{Assessment, Figure, assess};
pub use background::Background;
pub use cost::{Cost, DEFAULT_QUERY_MILLIS, ExternalWait, ExtraRequests, Failure, Range, Reach};
pub use environment::{Environment, Fact, Machine, Pool, Source};
pub use number::plain;
pub use queueing::{
    MAX_SERVERS, Queue, erlang_c, mean_wait_many_servers, mean_wait_single_server, offered_load,
    servers_needed, wait_percentile_many_servers, wait_percentile_single_server,
};
pub use resources::Resource;
pub use severity::{LARGE_PART, SATURATED, SLO_AT_RISK, Severity, VISIBLE};
pub use target::Target;
pub use waiting::response_p95;
