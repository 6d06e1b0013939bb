use super::{chains, table};

const TRPC: (&str, &str) = (
    "server/trpc.ts",
    "import { initTRPC } from '@trpc/server';\nconst t = initTRPC.context<Context>().create({ transformer });\nexport const createTRPCRouter = t.router;\nexport const mergeRouters = t.mergeRouters;\nexport const publicProcedure = t.procedure;\nconst isAuthed = t.middleware(({ ctx, next }) => next());\nexport const protectedProcedure = t.procedure.use(isAuthed);\nexport const admin = protectedProcedure.use(async ({ next }) => next());\n",
);

#[test]
fn nested_and_merged_routers_give_paths_of_procedures() {
    let files = [
        TRPC,
        (
            "server/root.ts",
            "import { createTRPCRouter, mergeRouters } from './trpc';\nimport { posts } from './posts';\nimport { extra } from './extra';\nconst main = createTRPCRouter({ post: posts, nested: { ping: extraPing } });\nexport const appRouter = mergeRouters(main, extra);\n",
        ),
        (
            "server/posts.ts",
            "import { createTRPCRouter, publicProcedure, admin } from './trpc';\nimport { byId } from './handlers';\nexport const posts = createTRPCRouter({\n  byId: publicProcedure.input(schema).query(byId),\n  remove: admin.input(schema).mutation(async ({ input }) => {}),\n  plain: 3,\n});\n",
        ),
        ("server/handlers.ts", "\nexport const byId = async ({ input }) => null;\n"),
        (
            "server/extra.ts",
            "import { createTRPCRouter, publicProcedure } from './trpc';\nexport const extra = createTRPCRouter({ events: publicProcedure.subscription(() => {}) });\n",
        ),
    ];
    assert_eq!(
        table(&files),
        [
            "MUTATION post.remove server/posts.ts:5",
            "QUERY post.byId server/handlers.ts:2",
            "SUBSCRIPTION events server/extra.ts:2"
        ]
    );
    let chain = chains(&files).into_iter().find(|row| row.contains("remove")).unwrap();
    assert_eq!(chain, "MUTATION post.remove: isAuthed, async ({ next }) => next()");
}

#[test]
fn clients_and_other_builders_are_no_procedures() {
    let rows = table(&[
        TRPC,
        (
            "client.ts",
            "import { createTRPCReact } from '@trpc/react-query';\nconst api = createTRPCReact();\napi.post.byId.useQuery({});\nconst builder = knex('x').query(() => {});\nconst router = createRouter({ a: builder });\n",
        ),
    ]);
    assert!(rows.is_empty(), "{rows:?}");
}
