//! What frameworks hand to the functions they call.

use super::probes;

const INPUT: &str = "client-input";

#[test]
fn express_hands_requests_to_handlers_middleware_and_typed_functions() {
    let found = probes(&[
        (
            "app.ts",
            "import express from 'express';\nimport { list } from './users';\nconst app = express();\napp.get('/a', (req, res) => { probe(req.body.ids, req.query.page, res.json); });\napp.use((req, res, next) => { const { token } = req.headers; probe(token); next(); });\napp.param('id', (req, res, next, id) => { probe(id); });\napp.post('/users', list);\n",
        ),
        (
            "users.ts",
            "import type { RequestHandler } from 'express';\nexport const list = async (req, res) => { helper(req.params.id); };\nfunction helper(id) { probe(id); }\nexport const typed: RequestHandler = (req, res) => { probe(req.body, res.send); };\nfunction local(req) { probe(req.body); }\n",
        ),
    ]);
    assert_eq!(found, [INPUT, INPUT, "res.json", INPUT, INPUT, INPUT, INPUT, "res.send", "nothing"]);
}

#[test]
fn fastify_hands_requests_to_handlers_hooks_and_properties() {
    let found = probes(&[(
        "app.ts",
        "import Fastify from 'fastify';\nconst app = Fastify();\napp.get('/a', { preHandler: async (request) => { probe(request.headers.x); } }, async (request, reply) => { probe(request.query.q, reply.send); });\napp.route({ method: 'POST', url: '/b', handler: async (request, reply) => { probe(request.body); } });\napp.addHook('onRequest', async (request) => { probe(request.params); });\napp.register(async (instance) => { instance.put('/c', async (req) => { probe(req.body.items); }); });\n",
    )]);
    assert_eq!(found, [INPUT, INPUT, "reply.send", INPUT, INPUT, INPUT]);
}

#[test]
fn koa_hands_contexts() {
    let found = probes(&[(
        "app.js",
        "const Koa = require('koa');\nconst Router = require('@koa/router');\nconst app = new Koa();\nconst router = new Router();\nrouter.post('/a/:id', async (ctx) => { probe(ctx.request.body.ids, ctx.query.q, ctx.params.id, ctx.body); });\napp.use(async (ctx, next) => { probe(ctx.get('x')); });\napp.use(router.routes());\n",
    )]);
    assert_eq!(found, [INPUT, INPUT, INPUT, "ctx.body", INPUT]);
}

#[test]
fn hono_hands_contexts() {
    let found = probes(&[(
        "app.ts",
        "import { Hono } from 'hono';\nconst app = new Hono();\napp.post('/a/:id', async (c) => { const body = await c.req.json(); probe(body.ids, c.req.query('q'), c.req.param('id'), c.json); });\napp.use(async (c, next) => { probe(c.req.header('x')); });\n",
    )]);
    assert_eq!(found, [INPUT, INPUT, INPUT, "context.json", INPUT]);
}

#[test]
fn next_hands_requests_to_exports_by_their_place() {
    let found = probes(&[
        ("package.json", "{ \"dependencies\": { \"next\": \"15.0.0\" } }"),
        (
            "app/actions.ts",
            "'use server';\nexport async function save(id: string, form: FormData) { probe(id, form.get('name')); }\nfunction hidden(id) { probe(id); }\n",
        ),
        (
            "app/api/[id]/route.ts",
            "export async function POST(request, { params }) { const body = await request.json(); const { id } = await params; probe(body.ids, id, request.nextUrl.searchParams.get('q')); }\nexport const PUT = wrap(async (request) => { probe(request.headers.get('x')); });\nconst wrap = (handler) => async (request) => handler(request);\n",
        ),
        ("app/page.tsx", "export default async function Page({ searchParams }) { probe(searchParams.q); }\n"),
        ("lib/route.ts", "export async function POST(request) { probe(request.url); }\n"),
        ("pages/api/x.ts", "export default function handler(req, res) { probe(req.body.ids, res.json); }\n"),
        (
            "pages/y.tsx",
            "export async function getServerSideProps({ query, req }) { probe(query.page, req.cookies); }\n",
        ),
    ]);
    assert_eq!(
        found,
        [
            INPUT,
            INPUT,
            "nothing",
            INPUT,
            INPUT,
            INPUT,
            INPUT,
            INPUT,
            "nothing",
            INPUT,
            "api response.json",
            INPUT,
            INPUT
        ]
    );
}

#[test]
fn decorators_say_what_parameters_receive() {
    let found = probes(&[(
        "users.controller.ts",
        "import { Body, Controller, Get, Param, Post, Query, Req, Res, Inject } from '@nestjs/common';\nimport { Args, Query as GqlQuery, Resolver } from '@nestjs/graphql';\n@Controller('users')\nexport class UsersController {\n  constructor(@Inject('X') private readonly x: X) {}\n  @Post() create(@Body() dto: CreateDto, @Query('page') page: string) { probe(dto.items, page); }\n  @Get(':id') one(@Param() { id }, @Req() req, @Res() res, plain) { probe(id, req.body, res.json, plain); }\n}\nclass CreateDto { items: string[] }\n@Resolver() export class R { @GqlQuery() find(@Args('input') input) { probe(input); } }\n",
    )]);
    assert_eq!(found, [INPUT, INPUT, INPUT, INPUT, "res.json", "nothing", INPUT]);
}

#[test]
fn procedures_and_resolvers_receive_inputs() {
    let found = probes(&[
        (
            "router.ts",
            "import { initTRPC } from '@trpc/server';\nconst t = initTRPC.context().create();\nconst authed = t.procedure.use(async ({ ctx, next }) => next());\nexport const router = t.router({ list: authed.input(schema).query(({ input, ctx }) => { probe(input.ids, ctx); }) });\n",
        ),
        (
            "server.ts",
            "import { ApolloServer } from '@apollo/server';\nnew ApolloServer({ typeDefs, resolvers: { Query: { users: (parent, args) => { probe(args.ids, parent); } } } });\n",
        ),
    ]);
    assert_eq!(found, [INPUT, "procedure options.ctx", INPUT, "nothing"]);
}

#[test]
fn remix_and_http_servers_hand_requests() {
    let found = probes(&[
        ("package.json", "{ \"dependencies\": { \"@remix-run/react\": \"2.0.0\" } }"),
        (
            "app/routes/posts.$id.tsx",
            "export async function loader({ request, params }) { probe(params.id); }\nexport const action = async ({ request }) => { const form = await request.formData(); probe(form.get('title')); };\n",
        ),
        (
            "server.js",
            "const http = require('http');\nhttp.createServer((req, res) => { probe(req.url, res.end); });\n",
        ),
    ]);
    assert_eq!(found, [INPUT, INPUT, INPUT, "res.end"]);
}

#[test]
fn events_of_functions_are_what_a_client_sends() {
    let found = probes(&[(
        "handler.ts",
        "import type { APIGatewayProxyHandler, APIGatewayProxyEvent, SQSEvent } from 'aws-lambda';\nexport const a: APIGatewayProxyHandler = async (event) => { probe(event.body); };\nexport const b = async (event: APIGatewayProxyEvent) => { probe(event.queryStringParameters.q); };\nexport const c = async (event: SQSEvent) => { probe(event); };\n",
    )]);
    assert_eq!(found, [INPUT, INPUT, "queue event"]);
}
