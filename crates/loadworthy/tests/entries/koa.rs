use super::{chains, table};

#[test]
fn nested_routers_with_prefixes_give_full_paths() {
    let rows = table(&[
        (
            "app.js",
            "const Koa = require('koa');\nconst mount = require('koa-mount');\nconst compose = require('koa-compose');\nconst api = require('./api');\nconst admin = require('./admin');\nconst app = new Koa();\napp.use(api.routes()).use(api.allowedMethods());\nconst inner = new Koa();\nconst legacy = require('koa-router')();\nlegacy.get('/old', async (ctx) => {});\ninner.use(compose([legacy.routes(), legacy.allowedMethods()]));\napp.use(mount('/legacy', inner));\napp.use(admin());\n",
        ),
        (
            "api.js",
            "const Router = require('@koa/router');\nconst users = require('./users');\nconst api = new Router({ prefix: '/api' });\napi.use('/users', users.routes(), users.allowedMethods());\napi.get('health', '/health', (ctx) => { ctx.body = 'ok'; });\nmodule.exports = api;\n",
        ),
        (
            "users.js",
            "const Router = require('@koa/router');\nconst router = new Router();\nrouter.get('/', list).del('/:id', auth, remove);\nasync function list(ctx) {}\nasync function remove(ctx) {}\nasync function auth(ctx, next) { await next(); }\nmodule.exports = router;\n",
        ),
        (
            "admin.js",
            "const Router = require('@koa/router');\nmodule.exports = () => {\n  const router = new Router();\n  router.prefix('/admin');\n  router.post('/reset', async (ctx) => {});\n  return router.routes();\n};\n",
        ),
    ]);
    assert_eq!(
        rows,
        [
            "DELETE /api/users/:id users.js:5",
            "GET /api/health api.js:5",
            "GET /api/users users.js:4",
            "GET /legacy/old app.js:10",
            "POST /admin/reset admin.js:5",
        ]
    );
}

#[test]
fn middleware_runs_in_the_order_of_use() {
    let rows = chains(&[(
        "app.ts",
        "import Koa from 'koa';\nimport Router from '@koa/router';\nconst app = new Koa();\nconst router = new Router();\napp.use(errors);\nrouter.get('/a', first);\nrouter.use(auth);\nrouter.get('/b', check, first);\napp.use(router.routes());\napp.use(late);\nasync function errors(ctx, next) {}\nasync function auth(ctx, next) {}\nasync function check(ctx, next) {}\nasync function late(ctx, next) {}\nasync function first(ctx) {}\n",
    )]);
    assert_eq!(rows, ["GET /a: errors", "GET /b: errors, auth, check"]);
}

#[test]
fn lookalikes_are_no_routes() {
    let rows = table(&[(
        "app.js",
        "const Koa = require('koa');\nconst app = new Koa();\napp.use(async (ctx) => { ctx.get('Host'); });\nconst router = { get() {}, routes() {} };\nrouter.get('/x', () => {});\napp.use(router.routes());\n",
    )]);
    assert!(rows.is_empty(), "{rows:?}");
}
