use super::{chains, table};

#[test]
fn plugins_with_prefixes_give_full_paths() {
    let rows = table(&[
        (
            "server.ts",
            "import Fastify from 'fastify';\nimport users from './users';\nimport { health } from './health';\nconst app = Fastify({ logger: true });\napp.register(users, { prefix: '/users' });\napp.register(async (api) => {\n  api.register(import('./posts'), { prefix: '/posts' });\n  health(api);\n}, { prefix: '/api' });\n",
        ),
        (
            "users.ts",
            "import type { FastifyPluginAsync } from 'fastify';\nconst users: FastifyPluginAsync = async (fastify) => {\n  fastify.get('/', { schema: {} }, list);\n  fastify.route({ method: ['PUT', 'PATCH'], url: '/:id', handler: save });\n};\nasync function list(request, reply) {}\nasync function save(request, reply) {}\nexport default users;\n",
        ),
        (
            "posts.ts",
            "export default async function posts(instance, options) {\n  instance.withTypeProvider().delete('/:id', { handler: async (request, reply) => {} });\n}\n",
        ),
        (
            "health.ts",
            "import { FastifyInstance } from 'fastify';\nexport function health(app: FastifyInstance) { app.get('/health', async () => 'ok'); }\n",
        ),
    ]);
    assert_eq!(
        rows,
        [
            "DELETE /api/posts/:id posts.ts:2",
            "GET /api/health health.ts:2",
            "GET /users users.ts:6",
            "PATCH /users/:id users.ts:7",
            "PUT /users/:id users.ts:7",
        ]
    );
}

#[test]
fn hooks_stay_in_their_plugin_unless_it_is_shared() {
    let rows = chains(&[(
        "server.js",
        "const fastify = require('fastify')();\nconst fp = require('fastify-plugin');\nfastify.register(require('@fastify/helmet'));\nfastify.register(fp(async (instance) => { instance.addHook('onRequest', trace); }));\nfastify.register(async (admin) => {\n  admin.addHook('preHandler', admin.authenticate);\n  admin.get('/stats', { onRequest: early, preHandler: [own] }, async () => {});\n}, { prefix: '/admin' });\nfastify.get('/open', async () => {});\nfastify.decorate('authenticate', async (request, reply) => {});\nfunction trace() {}\nfunction early() {}\nfunction own() {}\n",
    )]);
    assert_eq!(
        rows,
        [
            "GET /admin/stats: require('@fastify/helmet'), trace, early, admin.authenticate, own",
            "GET /open: require('@fastify/helmet'), trace",
        ]
    );
}

#[test]
fn a_folder_of_plugins_gives_its_folders_as_prefix() {
    let rows = table(&[
        (
            "src/app.js",
            "const path = require('node:path');\nconst AutoLoad = require('@fastify/autoload');\nmodule.exports = async function (fastify, opts) {\n  fastify.register(AutoLoad, { dir: path.join(__dirname, 'routes'), options: { prefix: '/api' }, routeParams: true });\n};\n",
        ),
        (
            "src/routes/root.js",
            "module.exports = async (fastify) => { fastify.get('/', async () => {}); };\n",
        ),
        (
            "src/routes/users/index.js",
            "module.exports = async (fastify) => { fastify.get('/', async () => {}); };\n",
        ),
        ("src/routes/users/schemas.js", "module.exports = { id: 1 };\n"),
        (
            "src/routes/users/_id/index.js",
            "module.exports = async (fastify) => { fastify.put('/name', async () => {}); };\n",
        ),
        (
            "src/routes/v2/items.js",
            "module.exports = async (fastify) => { fastify.get('/items', async () => {}); };\nmodule.exports.autoPrefix = '/x';\n",
        ),
        (
            "package.json",
            "{ \"dependencies\": { \"fastify\": \"^4.0.0\", \"@fastify/autoload\": \"^5.0.0\" } }",
        ),
        ("src/types.ts", "import type { FastifyInstance } from 'fastify';\n"),
    ]);
    assert_eq!(
        rows,
        [
            "GET /api src/routes/root.js:1",
            "GET /api/users src/routes/users/index.js:1",
            "GET /api/v2/x/items src/routes/v2/items.js:1",
            "PUT /api/users/:id/name src/routes/users/_id/index.js:1",
        ]
    );
}

#[test]
fn lookalikes_are_no_routes() {
    let rows = table(&[(
        "app.js",
        "const fastify = require('fastify')();\nconst registry = { register() {}, get() {} };\nregistry.register('x', () => {});\nregistry.get('/x', () => {});\nfastify.inject({ method: 'GET', url: '/y' });\nfastify.register(require('@fastify/cors'));\n",
    )]);
    assert!(rows.is_empty(), "{rows:?}");
}
