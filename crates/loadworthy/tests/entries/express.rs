use super::{chains, report, table};

#[test]
fn loops_over_route_lists_give_a_route_an_element() {
    let rows = table(&[
        (
            "app.js",
            "import express from 'express';\nimport { routes } from './routes.js';\nconst app = express();\nroutes.forEach((route) => app[route.method](route.path, route.handler));\nfor (const { path, router } of [{ path: '/users', router: users() }]) app.use(path, router);\nfunction users() { const r = express.Router(); r.get('/', list); return r; }\nfunction list(req, res) {}\n",
        ),
        (
            "routes.js",
            "import { one, two } from './handlers.js';\nexport const routes = [\n  { method: 'get', path: '/one', handler: one },\n  { method: 'post', path: '/two', handler: two },\n];\n",
        ),
        ("handlers.js", "export function one(req, res) {}\nexport const two = async (req, res) => {};\n"),
    ]);
    assert_eq!(rows, ["GET /one handlers.js:1", "GET /users app.js:7", "POST /two handlers.js:2"]);
}

#[test]
fn entries_of_an_object_are_routes_too() {
    let rows = table(&[(
        "app.js",
        "const express = require('express');\nconst app = express();\nconst pages = { '/a': (req, res) => {},\n  '/b': (req, res) => {} };\nObject.entries(pages).forEach(([path, page]) => { app.get(`/p${path}`, page); });\n",
    )]);
    assert_eq!(rows, ["GET /p/a app.js:3", "GET /p/b app.js:4"]);
}

#[test]
fn a_helper_that_registers_is_read_for_each_of_its_calls() {
    let rows = table(&[
        (
            "app.js",
            "const express = require('express');\nconst { crud } = require('./crud');\nconst app = express();\nconst users = require('./users');\nconst posts = require('./posts');\ncrud(app, '/users', users);\ncrud(app, '/posts', posts);\n",
        ),
        (
            "crud.js",
            "exports.crud = (app, base, controller) => {\n  app.get(base, controller.list);\n  app.delete(`${base}/:id`, controller.remove);\n};\n",
        ),
        ("users.js", "exports.list = (req, res) => {};\nexports.remove = (req, res) => {};\n"),
        ("posts.js", "\nexports.list = (req, res) => {};\nexports.remove = (req, res) => {};\n"),
    ]);
    assert_eq!(
        rows,
        [
            "DELETE /posts/:id posts.js:3",
            "DELETE /users/:id users.js:2",
            "GET /posts posts.js:2",
            "GET /users users.js:1",
        ]
    );
}

#[test]
fn each_call_of_a_router_factory_makes_a_router_of_its_own() {
    let rows = table(&[
        (
            "app.ts",
            "import express from 'express';\nimport { crud } from './crud';\nimport { users, posts } from './controllers';\nimport tags from './tags';\nconst app = express();\napp.use('/users', crud(users));\nconst router = crud(posts);\napp.use('/posts', router);\napp.use('/tags', tags);\n",
        ),
        (
            "crud.ts",
            "import { Router } from 'express';\nexport function crud(controller: any) {\n  const router = Router();\n  router.get('/', controller.list);\n  return router;\n}\n",
        ),
        (
            "controllers.ts",
            "export const users = { list: (req, res) => {} };\nexport const posts = { list: (req, res) => {} };\nexport const tags = { list: (req, res) => {} };\n",
        ),
        (
            "tags.ts",
            "import { crud } from './crud';\nimport { tags } from './controllers';\nexport default crud(tags);\n",
        ),
    ]);
    assert_eq!(
        rows,
        ["GET /posts controllers.ts:2", "GET /tags controllers.ts:3", "GET /users controllers.ts:1"]
    );
}

#[test]
fn classes_that_inherit_a_router_have_one_each() {
    let rows = table(&[
        (
            "app.ts",
            "import express from 'express';\nimport { UserRoutes, PostRoutes } from './routes';\nconst app = express();\napp.use('/users', new UserRoutes().router);\napp.use('/posts', new PostRoutes().getRouter());\n",
        ),
        (
            "routes.ts",
            "import { Router } from 'express';\nabstract class BaseRoutes {\n  public router = Router();\n  constructor() { this.router.get('/health', this.health); }\n  health(req, res) {}\n  getRouter() { return this.router; }\n}\nexport class UserRoutes extends BaseRoutes {\n  constructor() { super(); this.router.get('/', this.list); }\n  private list = async (req, res) => {};\n}\nexport class PostRoutes extends BaseRoutes {\n  constructor() { super(); this.router.post('/', (req, res) => {}); }\n}\n",
        ),
    ]);
    assert_eq!(
        rows,
        [
            "GET /posts/health routes.ts:5",
            "GET /users routes.ts:10",
            "GET /users/health routes.ts:5",
            "POST /posts routes.ts:13",
        ]
    );
}

#[test]
fn an_application_known_by_its_type_keeps_its_paths_but_is_mounted_nowhere() {
    let files = [(
        "routes.ts",
        "import type { Express } from 'express';\nexport default function register(app: Express) {\n  app.get('/typed', (req, res) => {});\n}\n",
    )];
    assert_eq!(table(&files), ["GET /typed routes.ts:3"]);
    assert_eq!(report(&files)[0]["mounted"], false);
}

#[test]
fn routers_come_through_barrels_fields_and_parameters() {
    let rows = table(&[
        (
            "server.ts",
            "import express, { Application } from 'express';\nimport { userRouter } from './routes';\nclass Server {\n  constructor(private readonly app: Application) { this.routes(); }\n  private routes() { this.app.use('/api', userRouter); new Extra({ app: this.app }); }\n}\nclass Extra { constructor({ app }) { app.get('/extra', (req, res) => {}); } }\nnew Server(express());\n",
        ),
        ("routes/index.ts", "export { default as userRouter } from './user';\n"),
        (
            "routes/user.ts",
            "import { Router } from 'express';\nconst router = Router();\nrouter.get('/users', (req, res) => {});\nexport default router;\n",
        ),
    ]);
    assert_eq!(rows, ["GET /api/users routes/user.ts:3", "GET /extra server.ts:7"]);
}

#[test]
fn routers_are_what_their_registrations_give_back() {
    let rows = table(&[
        (
            "server.ts",
            "import express from 'express';\nimport routes from './routes';\nconst app = express().use(routes);\napp.listen(3000);\n",
        ),
        (
            "routes.ts",
            "import { Router } from 'express';\nimport tags from './tags';\nconst api = Router().use(tags);\nexport default Router().use('/api', api);\n",
        ),
        (
            "tags.ts",
            "import { Router } from 'express';\nconst router = Router();\nrouter.get('/tags', (req, res) => {});\nexport default router;\n",
        ),
    ]);
    assert_eq!(rows, ["GET /api/tags tags.ts:3"]);
}

#[test]
fn files_loaded_by_a_constant_pattern_are_mounted() {
    let rows = table(&[
        (
            "server.js",
            "const express = require('express');\nconst fs = require('fs');\nconst path = require('path');\nconst app = express();\nfs.readdirSync('./routes').map((name) => app.use('/api', require('./routes/' + name)));\nfor (const name of fs.readdirSync(path.join(__dirname, 'modules'))) require(path.join(__dirname, 'modules', name))(app);\n",
        ),
        (
            "routes/auth.js",
            "const r = require('express').Router();\nr.post('/login', (req, res) => {});\nmodule.exports = r;\n",
        ),
        (
            "routes/users.js",
            "const r = require('express').Router();\nr.get('/users', (req, res) => {});\nmodule.exports = r;\n",
        ),
        ("routes/old/dead.js", "module.exports = 1;\n"),
        ("modules/health.js", "module.exports = (app) => app.get('/health', (req, res) => {});\n"),
    ]);
    assert_eq!(
        rows,
        [
            "GET /api/users routes/users.js:2",
            "GET /health modules/health.js:1",
            "POST /api/login routes/auth.js:2"
        ]
    );
}

#[test]
fn middleware_covers_what_is_registered_later_in_the_flow_of_calls() {
    let rows = chains(&[
        (
            "a_routes.js",
            "exports.register = (app) => { app.get('/late', h); };\nexports.early = (app) => { app.get('/early', h); };\nfunction h(req, res) {}\n",
        ),
        (
            "server.js",
            "const express = require('express');\nconst { register, early } = require('./a_routes');\nconst app = express();\nearly(app);\napp.use(helmet);\napp.use('/late', limiter);\napp.use('/latest', other);\nregister(app);\napp.use(errors);\nfunction helmet(req, res, next) {}\nfunction limiter(req, res, next) {}\nfunction other(req, res, next) {}\nfunction errors(error, req, res, next) {}\n",
        ),
    ]);
    assert_eq!(rows, ["GET /early: ", "GET /late: helmet, limiter"]);
}

#[test]
fn parameter_handlers_run_before_routes_with_the_parameter() {
    let rows = chains(&[(
        "app.js",
        "const express = require('express');\nconst app = express();\nconst r = express.Router();\nr.param('id', load);\nr.get('/:id', h);\nr.get('/', h);\nr.get('/:idle', h);\napp.use('/users', r);\nfunction load(req, res, next, id) {}\nfunction h(req, res) {}\n",
    )]);
    assert_eq!(rows, ["GET /users/:id: load", "GET /users: ", "GET /users/:idle: "]);
}

#[test]
fn a_function_without_next_under_a_path_answers_there() {
    let rows = table(&[(
        "app.js",
        "const express = require('express');\nconst app = express();\napp.use('/health', (req, res) => res.send('ok'));\napp.use('/api', (req, res, next) => next());\napp.use((req, res) => res.status(404).end());\n",
    )]);
    assert_eq!(rows, ["ALL /health app.js:3"]);
}

#[test]
fn routers_called_by_a_middleware_are_mounted_with_it() {
    let rows = table(&[(
        "app.js",
        "const express = require('express');\nconst app = express();\nconst admin = express.Router();\nadmin.get('/stats', (req, res) => {});\napp.use('/admin', (req, res, next) => { if (req.user) return admin(req, res, next); next(); });\n",
    )]);
    assert_eq!(rows, ["GET /admin/stats app.js:4"]);
}

#[test]
fn lookalikes_of_loops_and_factories_are_no_routes() {
    let rows = table(&[(
        "app.js",
        "const express = require('express');\nconst app = express();\nconst cache = new Map();\n['a', 'b'].forEach((key) => cache.get(key, () => {}));\nlet rows = [];\nrows = [...rows, { path: '/never' }];\nconst api = axios.create();\nconst get = (path, options) => api.get(path, options);\nget('/x', {});\nget('/y', {});\napp.listen(3000);\n",
    )]);
    assert!(rows.is_empty(), "{rows:?}");
}
