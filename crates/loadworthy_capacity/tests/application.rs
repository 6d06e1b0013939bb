//! The model of a whole application against worked examples and its laws.

use loadworthy_capacity::{Application, Demand, Environment, Fact, IDLE_HEAP_MB, Resource, Target};
use proptest::prelude::*;

fn at(rate: f64) -> Target {
    Target { requests_per_second: rate, ..Target::default() }
}

fn read(queries: f64) -> Demand {
    Demand { share: 1.0, queries, query_millis: 2.0, loop_millis: 1.0, ..Demand::default() }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * (1.0 + a.abs().max(b.abs()))
}

#[test]
fn an_n_plus_one_uses_the_pool_up_first() {
    let found = Application::at(&[read(51.0)], &at(50.0), &Environment::default());
    let first = found.bottleneck().unwrap();
    assert_eq!(first.resource, Resource::ConnectionPool);
    // 10 connections, each request holds one for 102 ms.
    assert!(near(first.saturates_at.unwrap(), 10.0 / 0.102), "{first:?}");
    assert!(near(first.utilisation, 0.51));
}

#[test]
fn a_block_uses_the_loop_up_first_and_everyone_waits_for_it() {
    let hash = Demand { share: 0.1, loop_millis: 1.0, block_millis: 99.0, ..Demand::default() };
    let other = Demand { share: 0.9, ..read(1.0) };
    let found = Application::at(&[hash, other], &at(50.0), &Environment::default());
    let first = found.bottleneck().unwrap();
    assert_eq!(first.resource, Resource::EventLoop);
    // 10.9 ms of loop in the mean.
    assert!(near(first.saturates_at.unwrap(), 1000.0 / 10.9), "{first:?}");
    let alone = Application::at(&[read(1.0)], &at(50.0), &Environment::default());
    assert!(found.routes[1].p95_millis > alone.routes[0].p95_millis.map(|it| it + 100.0), "{found:?}");
}

/// A turn that follows another finds no block but one that came in between.
#[test]
fn many_short_queries_do_not_wait_for_a_block_each() {
    let hash = Demand { share: 0.1, loop_millis: 1.0, block_millis: 99.0, ..Demand::default() };
    let many = Demand { share: 0.9, loop_millis: 1.0, queries: 50.0, query_millis: 0.1, ..Demand::default() };
    let found = Application::at(&[hash, many], &at(50.0), &Environment::default());
    let few = Application::at(&[hash, Demand { queries: 1.0, ..many }], &at(50.0), &Environment::default());
    let [many, few] = [&found, &few].map(|it| it.routes[1].p95_millis.unwrap());
    assert!(many < few + 20.0, "{many} {few}");
}

#[test]
fn what_stays_is_in_memory_at_the_end() {
    let leak = Demand { growth_bytes: 1_048_576.0, ..read(0.0) };
    let found = Application::at(&[leak], &at(2.0), &Environment::default());
    assert!(near(found.heap_mb_at_end, IDLE_HEAP_MB + 600.0), "{found:?}");
}

#[test]
fn past_saturation_nothing_is_answered_in_time_but_routes_without_the_resource_are() {
    let query = Demand { share: 0.5, ..read(100.0) };
    let bare = Demand { share: 0.5, loop_millis: 1.0, ..Demand::default() };
    let found = Application::at(&[query, bare], &at(200.0), &Environment::default());
    assert_eq!((found.routes[0].p95_millis, found.in_flight), (None, None));
    assert!(found.routes[1].p95_millis.is_some_and(|it| it < 50.0), "{found:?}");
}

prop_compose! {
    fn demands()(all in prop::collection::vec((0.01..1.0, 0.0..60.0, 0.1..20.0, 0.0..300.0, 0.01..5.0, 0.0..100.0, 0.0..1e6), 1..6))
        -> Vec<Demand> {
        let sum: f64 = all.iter().map(|it| it.0).sum();
        let of = |(share, queries, query_millis, hold_millis, loop_millis, block_millis, growth_bytes): (f64, f64, f64, f64, f64, f64, f64)| Demand {
            share: share / sum, queries, query_millis, hold_millis, loop_millis, block_millis, growth_bytes,
            bytes: growth_bytes, calls: 0.0, outside_millis: hold_millis,
        };
        all.into_iter().map(of).collect()
    }
}

proptest! {
    #[test]
    fn parts_of_the_routes_add_up_to_the_whole(demands in demands(), rate in 0.1..500.0) {
        let found = Application::at(&demands, &at(rate), &Environment::default());
        let sum = |of: fn(&loadworthy_capacity::RouteUse) -> f64| found.routes.iter().map(of).sum::<f64>();
        prop_assert!(near(sum(|it| it.event_loop), found.resources[0].utilisation));
        prop_assert!(near(sum(|it| it.connection_pool), found.resources[1].utilisation));
        prop_assert!(near(sum(|it| it.heap) * found.heap_limit_mb + IDLE_HEAP_MB, found.heap_mb_at_end));
    }

    #[test]
    fn answers_get_slower_with_the_rate(demands in demands(), rate in 0.1..200.0, more in 1.0..3.0) {
        let [less, more] = [rate, rate * more].map(|it| Application::at(&demands, &at(it), &Environment::default()));
        for (a, b) in less.routes.iter().zip(&more.routes) {
            let worse = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => a <= b + 1e-6,
                (None, Some(_)) => false,
                _ => true,
            };
            prop_assert!(worse(a.p95_millis, b.p95_millis) && worse(a.p50_millis, b.p50_millis));
            prop_assert!(worse(b.p50_millis, b.p95_millis) || b.p95_millis.is_none());
        }
    }

    #[test]
    fn at_the_rate_of_saturation_the_first_resource_is_full(demands in demands(), instances in 1_u32..5) {
        let mut environment = Environment::default();
        environment.machine.instances = Fact::read(instances);
        let first = Application::at(&demands, &at(1.0), &environment).bottleneck().unwrap();
        let full = Application::at(&demands, &at(first.saturates_at.unwrap()), &environment).bottleneck().unwrap();
        prop_assert_eq!(first.resource, full.resource);
        prop_assert!(near(full.utilisation, 1.0), "{:?}", full);
    }
}
