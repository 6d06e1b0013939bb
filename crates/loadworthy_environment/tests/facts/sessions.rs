//! Sessions, authentication and rate limiters.

use loadworthy_environment::SessionStore;

use super::{manifest, of, place, value};

fn server(dependencies: &[(&str, &str)], index: &str) -> loadworthy_environment::Environment {
    let mut all = vec![("express", "4.21.2")];
    all.extend_from_slice(dependencies);
    of(&[
        ("package.json", &manifest(&all)),
        ("index.js", &format!("const app = require('express')();\n{index}")),
    ])
}

#[test]
fn sessions_without_a_store_are_kept_in_memory() {
    let environment = server(
        &[("express-session", "1.17.0")],
        "const session = require('express-session');\napp.use(session({ secret: process.env.S }));",
    );
    assert_eq!(environment.sessions.first().unwrap().value.store, SessionStore::Memory);
    assert_eq!(place(&environment, "sessions"), "index.js:3");
}

#[test]
fn the_store_is_followed_to_its_package() {
    for (dependency, make, product) in [
        (
            "connect-redis",
            "const RedisStore = require('connect-redis')(session); const store = new RedisStore({ client: {} });",
            "Redis",
        ),
        (
            "connect-mongo",
            "const store = require('connect-mongo').create({ mongoUrl: process.env.URL });",
            "MongoDB",
        ),
        (
            "connect-pg-simple",
            "const Pg = require('connect-pg-simple')(session); const store = new Pg({});",
            "PostgreSQL",
        ),
    ] {
        let code =
            format!("const session = require('express-session');\n{make}\napp.use(session({{ store }}));");
        let environment = server(&[("express-session", "1.17.0"), (dependency, "7.0.0")], &code);
        assert_eq!(
            environment.sessions.first().unwrap().value.store,
            SessionStore::External(product.to_owned()),
            "{dependency}"
        );
    }
    let memory = server(
        &[("express-session", "1.17.0")],
        "const session = require('express-session'); app.use(session({ store: new session.MemoryStore() }));",
    );
    assert_eq!(memory.sessions.first().unwrap().value.store, SessionStore::Memory);
}

#[test]
fn a_store_nobody_can_follow_is_to_be_confirmed() {
    let environment = server(
        &[("express-session", "1.17.0")],
        "const session = require('express-session'); app.use(session({ store: makeStore() }));",
    );
    let sessions = environment.sessions.first().unwrap();
    assert_eq!(sessions.value.store, SessionStore::Unknown);
    assert!(sessions.needs_confirmation.is_some());
}

#[test]
fn cookies_keep_what_they_carry() {
    let environment =
        server(&[("cookie-session", "2.0.0")], "app.use(require('cookie-session')({ keys: ['x'] }));");
    assert_eq!(environment.sessions.first().unwrap().value.store, SessionStore::Cookie);
}

#[test]
fn ways_to_authenticate_are_named_with_their_strategies() {
    let environment = server(
        &[
            ("passport", "0.7.0"),
            ("passport-local", "1.0.0"),
            ("passport-google-oauth20", "2.0.0"),
            ("jsonwebtoken", "9.0.0"),
            ("next-auth", "4.0.0"),
        ],
        "require('passport'); require('passport-local'); require('jsonwebtoken');",
    );
    assert_eq!(
        value(&environment, "authentication"),
        "Passport (local) (passport 0.7.0), JWT (jsonwebtoken 9.0.0)"
    );
}

#[test]
fn limiters_tell_their_window_and_store() {
    let environment = server(
        &[("express-rate-limit", "7.0.0"), ("rate-limit-redis", "4.0.0")],
        "const limit = require('express-rate-limit');\nconst { RedisStore } = require('rate-limit-redis');\nconst window = 15 * 60 * 1000;\napp.use(limit({ windowMs: window, max: process.env.NODE_ENV === 'development' ? 10000 : 100 }));\napp.use('/a', limit({ windowMs: 1000, limit: 5, store: new RedisStore({}) }));",
    );
    let limiters: Vec<_> = environment.rate_limiters.iter().map(|limiter| limiter.value.clone()).collect();
    assert_eq!(
        limiters.iter().map(|it| (it.max, it.window_ms, it.is_in_memory)).collect::<Vec<_>>(),
        [(Some(100.0), Some(900_000.0), true), (Some(5.0), Some(1000.0), false)]
    );
}
