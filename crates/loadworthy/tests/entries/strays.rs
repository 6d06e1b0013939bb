//! Registrations that go round corners: lists of arguments, a module's own exports, singletons, handlers of which nothing
//! tells the path.

use super::table;

const MANIFEST: (&str, &str) = ("package.json", r#"{"name":"shop","dependencies":{"express":"4.18.2"}}"#);

#[test]
fn a_helper_that_takes_its_arguments_as_a_list_is_read_for_each_call() {
    let helper = "
const helpers = module.exports;
helpers.page = function (...args) {
    const [router, name] = args;
    const middlewares = args.length > 3 ? args[args.length - 2] : [];
    const controller = args[args.length - 1];
    router.get(name, middlewares, helpers.caught(controller));
    router.get(`/api${name}`, middlewares, helpers.caught(controller));
};
helpers.caught = (controller) => async (req, res, next) => {
    try { await controller(req, res, next); } catch (error) { next(error); }
};
";
    let app = "
const express = require('express');
const { page } = require('./helpers');
const controllers = require('./controllers');
const app = express();
page(app, '/login', [], controllers.login);
page(app, '/about', controllers.about);
app.listen(3000);
";
    let controllers = "
exports.login = async (req, res) => { res.json(1); };
exports.about = async (req, res) => { res.json(2); };
";
    let files = [MANIFEST, ("helpers.js", helper), ("app.js", app), ("controllers.js", controllers)];
    assert_eq!(
        table(&files),
        [
            "GET /about controllers.js:3",
            "GET /api/about controllers.js:3",
            "GET /api/login controllers.js:2",
            "GET /login controllers.js:2",
        ]
    );
}

#[test]
fn a_destructured_list_of_arguments_holds_the_router() {
    let routes = "
import type { RouterArgs } from './types';
export default function orderRoutes(...[router, { queries }]: RouterArgs) {
    router.get('/orders', async (req, res) => { res.json(await queries.orders()); });
}
";
    let app = "
import express from 'express';
import orderRoutes from './orders';
const app = express();
const router = express.Router();
orderRoutes(router, { queries: {} });
app.use('/api', router);
";
    let files = [MANIFEST, ("orders.ts", routes), ("app.ts", app)];
    assert_eq!(table(&files), ["GET /api/orders orders.ts:4"]);
}

#[test]
fn a_singleton_of_a_class_keeps_its_application() {
    let server = "
const express = require('express');
class Server {
    static instance = null;
    app = undefined;
    static getInstance() {
        if (Server.instance == null) Server.instance = new Server();
        return Server.instance;
    }
    constructor() { this.app = express(); }
}
module.exports = { Server };
";
    let main = "
const { Server } = require('./server');
const app = Server.getInstance().app;
app.get('/status', (req, res) => res.send('up'));
";
    let files = [MANIFEST, ("server.js", server), ("main.js", main)];
    assert_eq!(table(&files), ["GET /status main.js:4"]);
}

#[test]
fn handlers_that_are_handed_to_something_unknown_are_entries() {
    let hooks = "
exports.createServer = (hookName, args) => {
    args.app.get('/stats', (req, res) => { res.json({}); });
    args.registry.add('orders', (req, res) => { res.send('x'); });
};
";
    assert_eq!(table(&[MANIFEST, ("hooks.js", hooks)]), ["ALL {?} hooks.js:4", "GET /stats hooks.js:3"]);
}

#[test]
fn lookalikes_of_stray_handlers_are_none() {
    let code = "
const api = require('./client');
exports.unused = (req, res) => { res.json({}); };
exports.run = (registry) => {
    registry.add((req, res, next) => { res.set('x', '1'); next(); });
    registry.add((request, response) => response.body);
    registry.get('/orders', (error, answer) => { answer.json(); });
    registry.get('orders', (key, value) => value.send());
};
";
    assert_eq!(table(&[MANIFEST, ("code.js", code)]), [""; 0]);
    let client = "const rest = require('msw'); rest.get('/x', (req, res, ctx) => res(ctx.json({})));";
    assert_eq!(table(&[MANIFEST, ("mocks.js", client)]), [""; 0]);
}
