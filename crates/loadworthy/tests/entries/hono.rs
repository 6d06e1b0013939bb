use super::{chains, table};

#[test]
fn chains_sub_applications_and_base_paths_give_full_paths() {
    let rows = table(&[
        (
            "app.ts",
            "import { Hono } from 'hono';\nimport { users } from './users';\nimport posts from './posts';\nconst app = new Hono().basePath('/api');\nconst routes = app.route('/users', users).route('/posts', posts).get('/health', (c) => c.text('ok'));\napp.on(['PUT', 'PATCH'], '/either', (c) => c.text('x'));\nexport type AppType = typeof routes;\nexport default app;\n",
        ),
        (
            "users.ts",
            "import { Hono } from 'hono';\nexport const users = new Hono()\n  .get('/', (c) => c.json([]))\n  .post('/', validator, async (c) => c.json({}));\nfunction validator(c, next) {}\n",
        ),
        (
            "posts.ts",
            "import { Hono } from 'hono';\nconst posts = new Hono();\nposts.get('/:id', getPost);\nfunction getPost(c) {}\nexport default posts;\n",
        ),
    ]);
    assert_eq!(
        rows,
        [
            "GET /api/health app.ts:5",
            "GET /api/posts/:id posts.ts:4",
            "GET /api/users users.ts:3",
            "PATCH /api/either app.ts:6",
            "POST /api/users users.ts:4",
            "PUT /api/either app.ts:6",
        ]
    );
}

#[test]
fn routes_defined_by_an_object_have_its_method_and_path() {
    let rows = table(&[
        (
            "app.ts",
            "import { OpenAPIHono } from '@hono/zod-openapi';\nimport { one } from './routes';\nimport * as handlers from './handlers';\nconst app = new OpenAPIHono();\napp.openapi(one, handlers.one);\n",
        ),
        (
            "routes.ts",
            "import { createRoute } from '@hono/zod-openapi';\nexport const one = createRoute({ method: 'get', path: '/tasks/{id}', responses: {} });\n",
        ),
        ("handlers.ts", "\nexport const one = async (c) => c.json({});\n"),
    ]);
    assert_eq!(rows, ["GET /tasks/:id handlers.ts:2"]);
}

#[test]
fn middleware_covers_the_paths_of_its_pattern() {
    let rows = chains(&[(
        "app.ts",
        "import { Hono } from 'hono';\nconst app = new Hono();\napp.use(logger);\napp.use('/admin/*', auth);\napp.use('/admin', exact);\napp.get('/admin/users', (c) => c.text(''));\napp.get('/public', (c) => c.text(''));\napp.use('*', late);\n",
    )]);
    assert_eq!(rows, ["GET /admin/users: logger, auth", "GET /public: logger"]);
}

#[test]
fn lookalikes_are_no_routes() {
    let rows = table(&[(
        "client.ts",
        "import { hc } from 'hono/client';\nimport { Hono } from 'hono';\nconst client = hc('http://x');\nclient.get('/users', () => {});\nconst app = new Hono();\napp.request('/users');\napp.fetch(new Request('http://x'));\n",
    )]);
    assert!(rows.is_empty(), "{rows:?}");
}
