//! What is read of queries, library by library: the bound first, because most checks hang on it.

use std::fs;

use loadworthy_knowledge::Knowledge;
use loadworthy_project::{DiscoverOptions, Project};

use super::{Bound, Operation, Operator, Query, Selected, Yields};
use crate::analysis::Analysis;
use crate::program::Program;

/// The queries of one file of code.
fn queries(code: &str) -> Vec<Query> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("package.json"), r#"{"name":"app","dependencies":{"express":"4"}}"#)
        .unwrap();
    fs::write(folder.path().join("app.ts"), code).unwrap();
    let project = Project::discover(folder.path(), &DiscoverOptions::default()).unwrap();
    let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
    let analysis = Analysis::new(&program);
    analysis.queries().iter().cloned().collect()
}

fn one(code: &str) -> Query {
    let found = queries(code);
    assert_eq!(found.len(), 1, "{code}\n{found:#?}");
    found.into_iter().next().unwrap()
}

/// The bound in a word.
fn bound(code: &str) -> String {
    word(&one(code).bound)
}

fn word(bound: &Bound) -> String {
    match bound {
        Bound::One => "one".into(),
        Bound::Constant(most) => most.to_string(),
        Bound::Clamped(most) => format!("clamped {}", most.map_or("?".into(), |it| it.to_string())),
        Bound::List(_) => "list".into(),
        Bound::Unknown => "unknown".into(),
        Bound::ClientChosen { .. } => "client".into(),
        Bound::Inverted { .. } => "inverted".into(),
        Bound::Off { .. } => "off".into(),
        Bound::Unlimited => "unlimited".into(),
    }
}

fn conditions(query: &Query) -> Vec<(String, Operator)> {
    query.filter.all.iter().map(|it| (it.column.to_string(), it.operator)).collect()
}

const EXPRESS: &str = "import express from 'express';\nconst app = express();\n";

fn in_handler(library: &str, body: &str) -> String {
    format!("{EXPRESS}{library}\napp.get('/x', async (req, res) => {{ {body} }});")
}

const PRISMA: &str = "import { PrismaClient } from '@prisma/client';\nconst prisma = new PrismaClient();";

#[test]
fn limits_of_prisma_are_read() {
    for (options, expected) in [
        ("", "unlimited"),
        ("{ where: { userId: 1 } }", "unlimited"),
        ("{ take: 20 }", "20"),
        ("{ take: -5 }", "5"),
        ("{ take: undefined }", "off"),
        ("{ take: 1000000 }", "off"),
        ("{ take: Number(req.query.limit) }", "client"),
        ("{ take: parseInt(req.query.limit) || 20 }", "client"),
        ("{ take: Math.min(Number(req.query.limit) || 20, 100) }", "clamped 100"),
        ("{ take: Math.max(1, Number(req.query.limit)) }", "client"),
        ("{ take: Math.min(100, Math.max(1, Number(req.query.limit))) }", "clamped 100"),
        ("{ where: { id: { in: req.body.ids } } }", "list"),
        ("{ ...(req.query.x && { take: 5 }) }", "unknown"),
        ("{ ...req.body }", "unknown"),
    ] {
        let code = in_handler(PRISMA, &format!("res.json(await prisma.order.findMany({options}));"));
        assert_eq!(bound(&code), expected, "{options}");
    }
}

#[test]
fn single_rows_and_summaries_are_bounded() {
    for (call, yields) in [
        ("findUnique({ where: { id: 1 } })", Yields::One),
        ("findFirst({ where: { a: 1 } })", Yields::One),
        ("count()", Yields::Summary),
        ("updateMany({ where: {}, data: {} })", Yields::Written),
    ] {
        let query = one(&in_handler(PRISMA, &format!("await prisma.order.{call};")));
        assert_eq!((query.yields, query.bound.clone()), (yields, Bound::One), "{call}");
    }
}

#[test]
fn limits_go_through_variables_and_guards() {
    for (before, expected) in [
        ("const { limit = 20 } = req.query;", "client"),
        ("const limit = Math.min(Number(req.query.limit), 50);", "clamped 50"),
        ("let limit = Number(req.query.limit); if (limit > 100) limit = 100;", "clamped 100"),
        (
            "const limit = Number(req.query.limit); if (limit > 100) return res.sendStatus(400);",
            "clamped 100",
        ),
        ("const n = Number(req.query.limit); const limit = n > 50 ? 50 : n;", "clamped 50"),
        ("const n = Number(req.query.limit); const limit = n > 50 ? n : 50;", "inverted"),
        ("const n = Number(req.query.limit); const limit = n < 50 ? n : 50;", "clamped 50"),
        ("const PAGE = 25; const limit = PAGE;", "25"),
        ("const limit = req.query.limit ? Number(req.query.limit) : undefined;", "off"),
        ("const limit = somewhere();", "unknown"),
    ] {
        let code = in_handler(
            PRISMA,
            &format!("{before} res.json(await prisma.order.findMany({{ take: limit }}));"),
        );
        assert_eq!(bound(&code), expected, "{before}");
    }
}

#[test]
fn schemas_clamp() {
    let zod = format!("import {{ z }} from 'zod';\n{PRISMA}");
    for (rule, expected) in [
        ("z.coerce.number().min(1).max(100).default(20)", "clamped 100"),
        ("z.coerce.number().positive()", "client"),
        ("z.coerce.number().transform((n) => Math.min(n, 50))", "clamped 50"),
        ("z.string().max(10)", "client"),
        ("z.string().transform(Number).pipe(z.number().max(30))", "clamped 30"),
    ] {
        let library = format!("{zod}\nconst schema = z.object({{ limit: {rule} }});");
        let body = "const { limit } = schema.parse(req.query); res.json(await prisma.order.findMany({ take: limit }));";
        assert_eq!(bound(&in_handler(&library, body)), expected, "{rule}");
    }
}

#[test]
fn parameters_are_as_large_as_what_is_passed() {
    let library = format!(
        "{PRISMA}\nasync function list(limit = 50) {{ return prisma.order.findMany({{ take: limit }}); }}"
    );
    assert_eq!(bound(&in_handler(&library, "res.json(await list());")), "50");
    assert_eq!(bound(&in_handler(&library, "res.json(await list(Number(req.query.n)));")), "client");
    assert_eq!(
        bound(&in_handler(&library, "res.json(await list(Math.min(Number(req.query.n), 10)));")),
        "clamped 10"
    );
}

#[test]
fn prisma_conditions_includes_and_order_are_read() {
    let query = one(&in_handler(
        PRISMA,
        "const where = { status: 'open' }; if (req.query.q) where.name = { contains: req.query.q };
         await prisma.order.findMany({ where, include: { items: { take: 3 }, user: true }, orderBy: { createdAt: 'desc' }, select: undefined });",
    ));
    assert_eq!(query.table.as_deref(), Some("order"));
    assert_eq!(
        conditions(&query),
        [("status".to_owned(), Operator::Equal), ("name".to_owned(), Operator::Contains)]
    );
    assert!(query.filter.all[1].is_optional && !query.filter.all[0].is_optional);
    assert_eq!(&*query.order[0].column, "createdAt");
    assert_eq!(query.order[0].is_descending, Some(true));
    let includes: Vec<_> = query.includes.iter().map(|it| (&*it.relation, word(&it.bound))).collect();
    assert_eq!(includes, [("items", "3".to_owned()), ("user", "unlimited".to_owned())]);
}

const MONGOOSE: &str =
    "import mongoose from 'mongoose';\nconst Order = mongoose.model('Order', new mongoose.Schema({}));";

#[test]
fn the_limit_of_a_mongoose_chain_may_stand_anywhere() {
    for (body, expected) in [
        ("await Order.find()", "unlimited"),
        ("await Order.find().sort('-createdAt').limit(10).lean()", "10"),
        ("await Order.find().limit(10).sort('-createdAt').exec()", "10"),
        ("await Order.find({}, null, { limit: 5 })", "5"),
        ("await Order.find().limit(Number(req.query.limit))", "client"),
        ("const query = Order.find(); query.limit(10); await query", "10"),
        ("let query = Order.find(); query = query.sort('x').limit(10); await query.exec()", "10"),
        ("let query = Order.find(); if (req.query.n) query = query.limit(10); await query", "unknown"),
        ("await Order.findOne()", "one"),
        ("await Order.find().countDocuments()", "one"),
        ("await Order.find({ _id: { $in: req.body.ids } })", "list"),
        ("await Order.aggregate([{ $match: { a: 1 } }, { $limit: 7 }])", "7"),
        ("await Order.aggregate([{ $match: { a: 1 } }])", "unlimited"),
        ("await Order.aggregate([{ $group: { _id: null, n: { $sum: 1 } } }])", "one"),
        ("for await (const o of Order.find().cursor()) use(o)", "unknown"),
    ] {
        assert_eq!(bound(&in_handler(MONGOOSE, body)), expected, "{body}");
    }
}

#[test]
fn mongoose_filters_orders_and_populates_are_read() {
    let query = one(&in_handler(
        MONGOOSE,
        "await Order.find({ user: req.user.id, total: { $gte: 5 }, name: { $regex: 'x' } }).populate('items').populate({ path: 'user', options: { limit: 1 } }).sort({ createdAt: -1 }).select('total name');",
    ));
    assert_eq!(
        conditions(&query),
        [
            ("user".to_owned(), Operator::Equal),
            ("total".to_owned(), Operator::Range),
            ("name".to_owned(), Operator::Contains)
        ]
    );
    assert_eq!(query.table.as_deref(), Some("Order"));
    assert_eq!(query.includes.len(), 2);
    assert_eq!(query.selected, Selected::Columns(vec!["total".into(), "name".into()]));
}

const DRIZZLE: &str = "import { drizzle } from 'drizzle-orm/node-postgres';\nimport { eq, inArray, and, desc, count } from 'drizzle-orm';\nimport { pgTable, integer } from 'drizzle-orm/pg-core';\nconst users = pgTable('users', { id: integer('id') });\nconst db = drizzle('');";

#[test]
fn limits_of_drizzle_are_read() {
    for (body, expected) in [
        ("await db.select().from(users)", "unlimited"),
        ("await db.select().from(users).where(eq(users.id, 1)).limit(1)", "1"),
        ("await db.select().from(users).limit(Number(req.query.limit))", "client"),
        ("let q = db.select().from(users).$dynamic(); q = q.limit(9); await q", "9"),
        ("await db.select().from(users).where(inArray(users.id, req.body.ids))", "list"),
        ("await db.select({ n: count() }).from(users)", "one"),
        ("await db.query.users.findMany({ limit: 3 })", "3"),
        ("await db.query.users.findMany()", "unlimited"),
        ("await db.query.users.findFirst()", "one"),
        ("await db.insert(users).values({}).returning()", "one"),
    ] {
        assert_eq!(bound(&in_handler(DRIZZLE, body)), expected, "{body}");
    }
}

#[test]
fn drizzle_conditions_are_read_and_subqueries_are_parts() {
    let query = one(&in_handler(
        DRIZZLE,
        "await db.select().from(users).where(and(eq(users.id, 1), req.query.x ? eq(users.role, 'a') : undefined)).orderBy(desc(users.createdAt));",
    ));
    assert_eq!(query.table.as_deref(), Some("users"));
    assert_eq!(
        conditions(&query),
        [("id".to_owned(), Operator::Equal), ("role".to_owned(), Operator::Equal)]
    );
    assert!(query.filter.all[1].is_optional);
    assert_eq!(query.order[0].is_descending, Some(true));
    let both = queries(&in_handler(
        DRIZZLE,
        "await db.select().from(users).where(inArray(users.id, db.select().from(users)));",
    ));
    assert_eq!(both.iter().map(|it| it.is_part).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn limits_of_sequelize_typeorm_and_mikro_orm_are_read() {
    let sequelize = "import { Sequelize, DataTypes, Op } from 'sequelize';\nconst sequelize = new Sequelize('');\nconst User = sequelize.define('User', {});";
    for (body, expected) in [
        ("await User.findAll()", "unlimited"),
        ("await User.findAll({ where: { id: { [Op.in]: req.body.ids } } })", "list"),
        ("await User.findAll({ limit: 10, offset: 20 })", "10"),
        ("await User.findAndCountAll({ limit: Number(req.query.size) })", "client"),
        ("await User.findByPk(1)", "one"),
        ("await sequelize.query('SELECT * FROM users LIMIT 10')", "10"),
        ("await sequelize.query('SELECT * FROM users')", "unlimited"),
    ] {
        assert_eq!(bound(&in_handler(sequelize, body)), expected, "{body}");
    }
    let typeorm = "import { DataSource, In } from 'typeorm';\nclass User {}\nconst source = new DataSource({});\nconst users = source.getRepository(User);";
    for (body, expected) in [
        ("await users.find()", "unlimited"),
        ("await users.find({ where: { id: In(req.body.ids) } })", "list"),
        ("await users.find({ take: 10 })", "10"),
        ("await users.findOne({ where: { id: 1 } })", "one"),
        ("await users.createQueryBuilder('u').where('u.id = :id', { id: 1 }).getMany()", "unlimited"),
        ("await users.createQueryBuilder('u').take(5).getMany()", "5"),
        (
            "const qb = users.createQueryBuilder('u'); qb.andWhere('u.a = 1'); qb.limit(5); await qb.getMany()",
            "5",
        ),
        ("await users.createQueryBuilder('u').getOne()", "one"),
    ] {
        assert_eq!(bound(&in_handler(typeorm, body)), expected, "{body}");
    }
    let mikro = "import { MikroORM } from '@mikro-orm/core';\nclass User {}\nconst orm = await MikroORM.init({});\nconst em = orm.em;";
    for (body, expected) in [
        ("await em.find(User, {})", "unlimited"),
        ("await em.find(User, { a: 1 }, { limit: 5 })", "5"),
        ("await em.findOne(User, 1)", "one"),
    ] {
        assert_eq!(bound(&in_handler(mikro, body)), expected, "{body}");
    }
}

#[test]
fn limits_of_knex_and_kysely_are_read() {
    let knex = "import knex from 'knex';\nconst db = knex({});";
    for (body, expected) in [
        ("await db('users').where({ a: 1 })", "unlimited"),
        ("await db('users').where({ a: 1 }).limit(5)", "5"),
        ("await db('users').whereIn('id', req.body.ids)", "list"),
        ("await db('users').where('id', 1).first()", "one"),
        ("await db('users').count('*')", "one"),
        ("await db('users').insert({})", "one"),
        ("const query = db('users').select('id'); query.limit(5); await query", "5"),
        ("await db.select('*').from('users')", "unlimited"),
    ] {
        assert_eq!(bound(&in_handler(knex, body)), expected, "{body}");
    }
    let kysely = "import { Kysely } from 'kysely';\nconst db = new Kysely({});";
    for (body, expected) in [
        ("await db.selectFrom('users').selectAll().execute()", "unlimited"),
        ("await db.selectFrom('users').selectAll().limit(5).execute()", "5"),
        ("await db.selectFrom('users').selectAll().where('id', 'in', req.body.ids).execute()", "list"),
        ("await db.selectFrom('users').selectAll().executeTakeFirst()", "one"),
    ] {
        assert_eq!(bound(&in_handler(kysely, body)), expected, "{body}");
    }
}

#[test]
fn limits_of_sql_texts_are_read() {
    let pg = "import { Pool } from 'pg';\nconst pool = new Pool();";
    for (body, expected) in [
        ("await pool.query('SELECT * FROM users')", "unlimited"),
        ("await pool.query('SELECT * FROM users WHERE a = $1 LIMIT 10', [1])", "10"),
        ("await pool.query('SELECT * FROM users LIMIT $1', [req.query.limit])", "client"),
        (
            "await pool.query('SELECT * FROM users LIMIT $2 OFFSET $1', [0, Math.min(Number(req.query.n), 20)])",
            "clamped 20",
        ),
        ("await pool.query(`SELECT * FROM users LIMIT ${Number(req.query.n)}`)", "client"),
        ("await pool.query('SELECT count(*) FROM users')", "one"),
        ("await pool.query('SELECT * FROM users FETCH FIRST 3 ROWS ONLY')", "3"),
        ("await pool.query('SELECT * FROM users WHERE id = ANY($1)', [req.body.ids])", "list"),
        ("await pool.query('INSERT INTO users (a) VALUES ($1)', [1])", "one"),
        ("let sql = 'SELECT * FROM users'; sql += ' LIMIT 10'; await pool.query(sql)", "10"),
        ("await pool.query(somewhere())", "unknown"),
    ] {
        assert_eq!(bound(&in_handler(pg, body)), expected, "{body}");
    }
    let query = one(&in_handler(pg, "await pool.query('UPDATE users SET a = 1 WHERE id = $1', [1]);"));
    assert_eq!((query.operation, query.table.as_deref()), (Operation::Update, Some("users")));
}

#[test]
fn limits_of_supabase_and_firestore_are_read() {
    let supabase =
        "import { createClient } from '@supabase/supabase-js';\nconst supabase = createClient('', '');";
    for (body, expected) in [
        ("await supabase.from('logs').select('*')", "unlimited"),
        ("await supabase.from('logs').select('*').eq('a', 1).limit(10)", "10"),
        ("await supabase.from('logs').select('*').range(0, 9)", "10"),
        ("await supabase.from('logs').select('*').eq('id', 1).single()", "one"),
        ("await supabase.from('logs').insert({})", "one"),
    ] {
        assert_eq!(bound(&in_handler(supabase, body)), expected, "{body}");
    }
    let firestore = "import { getFirestore } from 'firebase-admin/firestore';\nconst db = getFirestore();";
    for (body, expected) in [
        ("await db.collection('logs').get()", "unlimited"),
        ("await db.collection('logs').where('a', '==', 1).limit(5).get()", "5"),
        ("await db.collection('logs').doc('1').get()", "one"),
    ] {
        assert_eq!(bound(&in_handler(firestore, body)), expected, "{body}");
    }
}

#[test]
fn unfinished_queries_cross_functions() {
    let library = format!(
        "{MONGOOSE}\nfunction recent() {{ return Order.find().sort('-createdAt'); }}\nfunction paginate(query) {{ return query.limit(10); }}"
    );
    assert_eq!(bound(&in_handler(&library, "res.json(await recent().limit(5));")), "5");
    assert_eq!(bound(&in_handler(&library, "res.json(await recent());")), "unlimited");
    assert_eq!(bound(&in_handler(&library, "res.json(await paginate(recent()));")), "10");
}
