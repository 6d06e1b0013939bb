//! The model against worked examples and its laws.

use loadworthy_capacity::{
    Assessment, Background, Cost, Environment, ExternalWait, ExtraRequests, Fact, Failure, Queue, Range,
    Reach, Resource, Severity, Target, assess, erlang_c, mean_wait_many_servers, mean_wait_single_server,
    offered_load, servers_needed, wait_percentile_many_servers, wait_percentile_single_server,
};
use proptest::prelude::*;

fn at_default(cost: &Cost) -> Assessment {
    assess(cost, &Target::default(), &Environment::default(), Background::default())
}

fn figure(assessment: &Assessment, name: &str) -> f64 {
    assessment.figures.iter().find(|figure| figure.name == name).map_or(f64::NAN, |figure| figure.value)
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * (1.0 + a.abs().max(b.abs()))
}

#[test]
fn n_plus_one_on_every_route_saturates_the_pool() {
    let assessment = at_default(&Cost::at_share(1.0).queries(51.0));
    assert_eq!((assessment.severity, assessment.resource), (Severity::Critical, Resource::ConnectionPool));
    assert!(near(figure(&assessment, "connections_busy"), 10.2), "{assessment:?}");
    assert!(assessment.text.contains("10.2 of 10 connections busy"), "{}", assessment.text);
}

#[test]
fn n_plus_one_on_one_route_of_twenty_stays_inside_the_objective() {
    let assessment = at_default(&Cost::at_routes(1, 20).queries(Range::between(1.0, 51.0, 101.0)));
    assert_eq!(assessment.severity, Severity::Medium, "{assessment:?}");
    assert!(assessment.assumptions.iter().any(|a| a.contains("between 1 and 101")));
}

#[test]
fn fifteen_milliseconds_of_loop_at_a_hundred_requests_is_critical() {
    let assessment = at_default(&Cost::at_share(1.0).loop_block(15.0));
    assert_eq!((assessment.severity, assessment.resource), (Severity::Critical, Resource::EventLoop));
    assert!(near(assessment.utilisation, 1.5) && assessment.p95_millis.is_none());
}

#[test]
fn more_instances_relieve_the_loop() {
    let mut environment = Environment::default();
    environment.machine.instances = Fact::read(4);
    let assessment =
        assess(&Cost::at_share(1.0).loop_block(8.0), &Target::default(), &environment, Background::default());
    assert!(near(assessment.utilisation, 0.2), "{assessment:?}");
    assert!(assessment.assumptions.iter().all(|a| !a.contains("one Node process")));
}

#[test]
fn half_a_core_doubles_the_block() {
    let mut environment = Environment::default();
    environment.machine.cores = Fact::read(0.5);
    let assessment =
        assess(&Cost::at_share(1.0).loop_block(4.0), &Target::default(), &environment, Background::default());
    assert!(near(assessment.utilisation, 0.8) && assessment.severity == Severity::High, "{assessment:?}");
}

#[test]
fn heap_past_its_limit_within_the_run_is_critical_and_a_slow_leak_is_visible() {
    let fast = at_default(&Cost::at_share(1.0).heap_growth(100_000.0));
    assert_eq!((fast.severity, fast.resource), (Severity::Critical, Resource::Heap));
    let slow = at_default(&Cost::at_share(1.0).heap_growth(1024.0));
    assert_eq!(slow.severity, Severity::Medium, "{slow:?}");
    let tiny = at_default(&Cost::at_share(0.01).heap_growth(100.0));
    assert_eq!(tiny.severity, Severity::Monitor, "{tiny:?}");
}

#[test]
fn uploads_in_memory_count_by_what_is_alive_at_once() {
    let assessment = at_default(&Cost::at_share(0.2).bytes(50.0 * 1_048_576.0));
    assert!(near(figure(&assessment, "memory_in_flight"), 500.0), "{assessment:?}");
    assert_eq!(assessment.severity, Severity::Medium);
}

#[test]
fn a_call_without_deadline_is_high_at_most() {
    let everywhere = at_default(&Cost::at_share(1.0).external(ExternalWait::Unbounded));
    assert_eq!((everywhere.severity, everywhere.resource), (Severity::High, Resource::RequestsInFlight));
    assert!(near(figure(&everywhere, "requests_in_flight_in_a_stall"), 1000.0));
    let short = at_default(&Cost::at_share(0.1).external(ExternalWait::Deadline(2000.0)));
    assert_eq!(short.severity, Severity::Monitor);
    let slow = at_default(&Cost::at_share(0.1).external(ExternalWait::Expected(900.0)));
    assert_eq!(slow.severity, Severity::High);
}

#[test]
fn polling_above_the_target_rate_is_critical() {
    let assessment = at_default(&Cost::at_share(1.0).extra(ExtraRequests::PerUserPerSecond(0.2)));
    assert_eq!((assessment.severity, assessment.resource), (Severity::Critical, Resource::RequestCapacity));
    assert!(near(figure(&assessment, "extra_requests"), 200.0));
    let retries = at_default(&Cost::at_share(0.25).extra(ExtraRequests::PerRequest(3.0)));
    assert_eq!(retries.severity, Severity::High);
}

#[test]
fn failures_follow_how_hot_the_route_is() {
    let of = |share, failure| at_default(&Cost::at_share(share).failing(failure)).severity;
    assert_eq!(of(0.001, Failure::ProcessExit), Severity::Critical);
    assert_eq!(of(0.1, Failure::LostWrite), Severity::High);
    assert_eq!(of(0.001, Failure::LostWrite), Severity::Medium);
    assert_eq!(of(0.1, Failure::HangsRequest), Severity::High);
    assert_eq!(of(0.1, Failure::UnhandledRejection), Severity::High);
}

#[test]
fn off_the_request_path_is_medium_unless_the_process_is_shared() {
    let job = Cost::at_share(1.0).loop_block(50.0).reached(Reach::PerJob);
    assert_eq!(at_default(&job).severity, Severity::Medium);
    let shared = Cost { shares_process: true, ..job };
    assert_eq!(at_default(&shared).severity, Severity::Critical);
}

#[test]
fn no_cost_is_monitor() {
    let assessment = at_default(&Cost::at_share(1.0));
    assert_eq!((assessment.severity, assessment.resource), (Severity::Monitor, Resource::Unmeasured));
    assert!(!assessment.text.is_empty());
}

#[test]
fn the_servers_own_limit_divides_among_instances() {
    let mut environment = Environment::default();
    environment.machine.instances = Fact::read(10);
    environment.pool.server_max_connections = Some(50);
    let assessment =
        assess(&Cost::at_share(1.0).queries(10.0), &Target::default(), &environment, Background::default());
    assert!(near(figure(&assessment, "pool_size"), 5.0), "{assessment:?}");
}

#[test]
fn erlang_c_agrees_with_published_values() {
    // One server: C = ρ. Two servers at one erlang: 1/3.
    assert!(near(erlang_c(1, 0.5), 0.5) && near(erlang_c(2, 1.0), 1.0 / 3.0));
    // Ten servers at eight erlangs: 0.409 (Erlang C tables).
    assert!((erlang_c(10, 8.0) - 0.4092).abs() < 1e-3, "{}", erlang_c(10, 8.0));
}

#[test]
fn a_single_server_agrees_with_many_servers_of_one() {
    let queue = Queue { arrivals_per_second: 50.0, service_seconds: 0.01, servers: 1 };
    assert!(near(mean_wait_many_servers(&queue), mean_wait_single_server(50.0, 0.01, 1.0)));
    assert!(near(
        wait_percentile_many_servers(&queue, 0.05),
        wait_percentile_single_server(50.0, 0.01, 1.0, 0.05)
    ));
}

#[test]
fn values_out_of_range_still_give_an_answer() {
    for odd in [f64::NAN, f64::INFINITY, -1.0, f64::MAX] {
        let cost = Cost { query_millis: odd, share: odd, ..any_cost(odd, odd, odd, odd) };
        let target = Target {
            users: 0,
            requests_per_second: odd,
            duration_seconds: odd,
            p95_millis: odd,
            error_rate: odd,
        };
        let mut environment = Environment::default();
        environment.machine.cores = Fact::read(odd);
        environment.machine.heap_limit_mb = Fact::read(odd);
        environment.machine.instances = Fact::read(0);
        environment.pool.max = Fact::read(u32::MAX);
        assert!(!assess(&cost, &target, &environment, Background::default()).utilisation.is_nan());
    }
}

fn any_cost(queries: f64, block: f64, growth: f64, bytes: f64) -> Cost {
    Cost::at_share(0.5).queries(queries).loop_block(block).heap_growth(growth).bytes(bytes)
}

#[test]
fn a_large_part_of_a_full_pool_is_its_cause() {
    let among = Background { connections_busy: 12.0, loop_busy: 0.0 };
    let severity = |queries: f64| {
        assess(&Cost::at_share(1.0).queries(queries), &Target::default(), &Environment::default(), among)
            .severity
    };
    // Of 10 connections 12 are wanted: 4 of them are a third, 1 is a part of many, 0.2 is none.
    assert_eq!([20.0, 5.0, 1.0].map(severity), [Severity::Critical, Severity::Medium, Severity::Monitor]);
}

proptest! {
    #[test]
    fn erlang_c_is_a_probability(servers in 1u32..500, erlangs in 0.0f64..1000.0) {
        prop_assert!((0.0..=1.0).contains(&erlang_c(servers, erlangs)));
    }

    #[test]
    fn erlang_c_rises_with_load_and_falls_with_servers(servers in 1u32..200, erlangs in 0.0f64..200.0, more in 0.0f64..10.0) {
        prop_assert!(erlang_c(servers, erlangs + more) >= erlang_c(servers, erlangs) - 1e-9);
        prop_assert!(erlang_c(servers + 1, erlangs) <= erlang_c(servers, erlangs) + 1e-9);
    }

    #[test]
    fn littles_law_holds_in_the_queue(servers in 1u32..50, service in 0.001f64..1.0, part in 0.01f64..0.98) {
        let queue = Queue { arrivals_per_second: part * f64::from(servers) / service, service_seconds: service, servers };
        let waiting = offered_load(queue.arrivals_per_second, mean_wait_many_servers(&queue));
        // Lq of M/M/c in its own form: C·ρ / (1 − ρ).
        let chance = erlang_c(servers, offered_load(queue.arrivals_per_second, service));
        prop_assert!((waiting - chance * part / (1.0 - part)).abs() < 1e-6 * (1.0 + waiting));
    }

    #[test]
    fn waits_rise_with_load(rate in 0.0f64..90.0, more in 0.0f64..9.0, variation in 0.0f64..4.0) {
        prop_assert!(mean_wait_single_server(rate + more, 0.01, variation) >= mean_wait_single_server(rate, 0.01, variation));
        prop_assert!(wait_percentile_single_server(rate + more, 0.01, variation, 0.05)
            >= wait_percentile_single_server(rate, 0.01, variation, 0.05) - 1e-12);
    }

    #[test]
    fn enough_servers_keep_utilisation(erlangs in 0.0f64..500.0, limit in 0.1f64..1.0) {
        prop_assert!(erlangs / f64::from(servers_needed(erlangs, limit)) <= limit + 1e-9);
    }

    #[test]
    fn severity_never_falls_when_load_rises(
        queries in 0.0f64..200.0, block in 0.0f64..50.0, growth in 0.0f64..1e6, bytes in 0.0f64..1e8,
        rate in 0.1f64..500.0, more in 1.0f64..10.0, share in 0.01f64..1.0, at_once in 1u32..20,
    ) {
        let cost = Cost {
            share, queries_at_once: at_once, external_wait: Some(ExternalWait::Unbounded),
            extra_requests: Some(ExtraRequests::PerRequest(0.5)), failure: Some(Failure::LostWrite),
            ..any_cost(queries, block, growth, bytes)
        };
        let environment = Environment::default();
        let low = assess(&cost, &Target { requests_per_second: rate, ..Target::default() }, &environment, Background::default());
        let high = assess(&cost, &Target { requests_per_second: rate * more, ..Target::default() }, &environment, Background::default());
        prop_assert!(high.severity >= low.severity);
        for (before, after) in [("pool_utilisation", queries), ("loop_utilisation", block)] {
            if after > 0.0 {
                prop_assert!(figure(&high, before) >= figure(&low, before));
            }
        }
    }

    #[test]
    fn others_never_make_a_work_look_harmless(
        queries in 0.0f64..200.0, block in 0.0f64..50.0, connections in 0.0f64..50.0, turns in 0.0f64..3.0,
    ) {
        let cost = any_cost(queries, block, 10.0, 10.0);
        let among = Background { connections_busy: connections, loop_busy: turns };
        let assessed = assess(&cost, &Target::default(), &Environment::default(), among);
        prop_assert!(assessed.severity >= at_default(&cost).severity);
        prop_assert!(!assessed.utilisation.is_nan() && assessed.p95_millis.is_none_or(f64::is_finite));
    }

    #[test]
    fn severity_never_falls_with_cost(queries in 0.0f64..200.0, block in 0.0f64..50.0, more in 1.0f64..10.0) {
        let low = at_default(&any_cost(queries, block, 10.0, 10.0));
        let high = at_default(&any_cost(queries * more, block * more, 10.0, 10.0));
        prop_assert!(high.severity >= low.severity);
    }

    #[test]
    fn severity_never_falls_with_a_longer_run(growth in 0.0f64..1e6, seconds in 1.0f64..10_000.0, more in 1.0f64..10.0) {
        let cost = Cost::at_share(0.5).heap_growth(growth).external(ExternalWait::Deadline(30_000.0));
        let run = |duration_seconds| {
            assess(&cost, &Target { duration_seconds, ..Target::default() }, &Environment::default(), Background::default()).severity
        };
        prop_assert!(run(seconds * more) >= run(seconds));
    }
}
