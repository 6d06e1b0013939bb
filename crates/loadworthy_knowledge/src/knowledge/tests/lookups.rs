//! Representative uses of libraries, written as the analyser would ask.

use super::super::Knowledge;
use crate::{DefaultValue, Effect, HandleId, LibId, Op, Returns, Rows, Runs};

/// A value: a handle of a library.
#[derive(Debug, Clone, Copy)]
struct Value {
    lib: LibId,
    handle: HandleId,
    module: &'static str,
}

fn import(module: &'static str) -> Value {
    let lib = Knowledge::builtin().library_of(module, "");
    Value { lib: lib.unwrap_or_else(|| panic!("no {module}")), handle: HandleId::MODULE, module }
}

fn global(name: &str) -> Value {
    let lib = Knowledge::builtin().global(name).unwrap_or_else(|| panic!("no global {name}"));
    Value { lib, handle: HandleId::GLOBAL, module: "" }
}

impl Value {
    fn to(self, op: Op, name: &str) -> Self {
        let module = Some(self.module).filter(|module| !module.is_empty());
        let step = Knowledge::builtin()
            .step_in(self.lib, self.handle, op, name, module)
            .unwrap_or_else(|| panic!("{} {op} {name}", self.name()));
        Self { lib: step.lib, handle: step.to, module: self.module }
    }

    fn construct(self, name: &str) -> Self {
        self.to(Op::New, name)
    }

    fn call(self, name: &str) -> Self {
        self.to(Op::Call, name)
    }

    fn get(self, name: &str) -> Self {
        self.to(Op::Get, name)
    }

    fn name(self) -> &'static str {
        Knowledge::builtin().handle_name(self.handle)
    }

    fn param(self, name: &str, arg: usize, param: usize, event: Option<&str>) -> Option<&'static str> {
        let knowledge = Knowledge::builtin();
        knowledge
            .callback_param(self.lib, self.handle, name, arg, arg + 1, param, event)
            .map(|(_, handle)| knowledge.handle_name(handle))
    }

    fn effect(self, name: &str) -> Option<Effect> {
        let module = Some(self.module).filter(|module| !module.is_empty());
        let member = Knowledge::builtin().member(self.lib, self.handle, name, module, None);
        member.map(|member| member.effect)
    }

    fn runs(self, name: &str, arg: usize, argc: usize) -> Option<Runs> {
        let row = Knowledge::builtin().callback(self.lib, self.handle, name, arg, argc);
        row.map(|row| row.runs)
    }
}

#[test]
fn prisma_models_extensions_and_transactions() {
    let client = import("@prisma/client").construct("PrismaClient");
    assert_eq!(client.name(), "client");
    assert_eq!(client.get("user").effect("findMany"), Some(Effect::DbQuery));
    assert_eq!(client.call("$extends").get("user").effect("create"), Some(Effect::DbWrite));
    assert_eq!(client.effect("$queryRaw"), Some(Effect::DbQuery));
    assert_eq!(client.param("$transaction", 0, 0, None), Some("client"));
    assert_eq!(client.runs("$transaction", 0, 1), Some(Runs::Now));
    let knowledge = Knowledge::builtin();
    assert!(knowledge.step(client.lib, client.handle, Op::Get, "$transaction").is_none());
    let class = knowledge.step(client.lib, HandleId::MODULE, Op::Extend, "PrismaClient").unwrap();
    assert_eq!(class.instance, Some(client.handle));
}

#[test]
fn prisma_find_many_is_unbounded_with_its_bounds() {
    let client = import("@prisma/client").construct("PrismaClient").get("order");
    let member =
        Knowledge::builtin().member(client.lib, client.handle, "findMany", None, Some("5.2.0")).unwrap();
    assert_eq!(member.rows, Some(Rows::ManyUnbounded));
    assert_eq!(member.returns, Returns::LazyThenable);
    assert!(member.bound_options.iter().any(|option| option == "take"));
}

#[test]
fn mongoose_models_queries_and_documents() {
    let mongoose = import("mongoose").get("default");
    let model = mongoose.call("model");
    assert_eq!(model.effect("find"), Some(Effect::DbQuery));
    let query = model.call("find").call("sort").call("limit").call("lean");
    assert_eq!(query.name(), "query");
    assert_eq!(model.construct("").effect("save"), Some(Effect::DbWrite));
    assert_eq!(mongoose.construct("Schema").effect("index"), Some(Effect::DbIndex));
    assert_eq!(mongoose.get("connection").call("model").name(), "Model");
    let knowledge = Knowledge::builtin();
    let injected = knowledge.injected(mongoose.lib, "InjectModel");
    assert_eq!(injected, Some((mongoose.lib, model.handle)));
}

#[test]
fn mongodb_collection_cursor() {
    let collection = import("mongodb").construct("MongoClient").call("db").call("collection");
    assert_eq!(collection.effect("insertOne"), Some(Effect::DbWrite));
    let cursor = collection.call("find").call("limit");
    assert!(cursor.effect("toArray").is_some());
    assert_eq!(cursor.runs("forEach", 0, 1), Some(Runs::PerElement));
}

#[test]
fn sequelize_models_by_definition_and_by_class() {
    let sequelize = import("sequelize").construct("Sequelize");
    let model = sequelize.call("define");
    assert_eq!(model.effect("findAll"), Some(Effect::DbQuery));
    let knowledge = Knowledge::builtin();
    let class = knowledge.step(sequelize.lib, HandleId::MODULE, Op::Extend, "Model").unwrap();
    assert_eq!(class.to, model.handle);
    assert_eq!(model.call("findOne").effect("getOrders"), Some(Effect::DbQuery));
}

#[test]
fn typeorm_repositories_builders_and_transactions() {
    let source = import("typeorm").construct("DataSource");
    let repository = source.call("getRepository");
    assert_eq!(repository.effect("find"), Some(Effect::DbQuery));
    let builder = repository.call("createQueryBuilder").call("where").call("take");
    assert_eq!(builder.effect("getMany"), Some(Effect::DbQuery));
    assert_eq!(source.param("transaction", 0, 0, None), Some("entityManager"));
    assert_eq!(source.get("manager").effect("save"), Some(Effect::DbWrite));
    let knowledge = Knowledge::builtin();
    assert_eq!(knowledge.type_handle(source.lib, "Repository"), Some(repository.handle));
    assert_eq!(knowledge.injected(source.lib, "InjectRepository"), Some((source.lib, repository.handle)));
    assert_eq!(knowledge.library_of("@nestjs/typeorm", ""), Some(source.lib));
}

#[test]
fn drizzle_relational_queries_and_builders() {
    let db = import("drizzle-orm/node-postgres").call("drizzle");
    assert_eq!(db.get("query").get("users").effect("findMany"), Some(Effect::DbQuery));
    assert_eq!(db.call("select").call("from").call("where").name(), "builder");
    assert_eq!(db.param("transaction", 0, 0, None), Some("db"));
}

#[test]
fn knex_called_and_chained() {
    let knex = import("knex").call("default");
    assert_eq!(knex.name(), "knex");
    assert_eq!(knex.call("").call("where").effect("first"), Some(Effect::DbQuery));
    assert_eq!(knex.call("select").call("from").name(), "builder");
    assert_eq!(knex.param("transaction", 0, 0, None), Some("knex"));
    assert_eq!(import("knex").call("knex").name(), "knex");
}

#[test]
fn kysely_terminal_members_leave_the_builder() {
    let builder = import("kysely").construct("Kysely").call("selectFrom").call("selectAll");
    assert_eq!(builder.effect("execute"), Some(Effect::DbQuery));
    let step = Knowledge::builtin().step(builder.lib, builder.handle, Op::Call, "execute");
    assert!(step.is_none());
}

#[test]
fn pg_pool_and_awaited_client() {
    let pool = import("pg").construct("Pool");
    assert_eq!(pool.effect("query"), Some(Effect::DbQuery));
    assert_eq!(pool.effect("connect"), Some(Effect::DbAcquire));
    let knowledge = Knowledge::builtin();
    let step = knowledge.step(pool.lib, pool.handle, Op::Call, "connect").unwrap();
    assert!(step.is_awaited);
    assert_eq!(knowledge.handle_name(step.to), "client");
    let new = knowledge.step(pool.lib, HandleId::MODULE, Op::New, "Pool").unwrap();
    assert_eq!(new.options, Some(0));
    assert_eq!(import("pg-pool").construct("default").name(), "pool");
}

#[test]
fn mysql2_connection_is_awaited_in_its_promise_form() {
    let knowledge = Knowledge::builtin();
    let lib = knowledge.library_of("mysql2", "promise").unwrap();
    let create = |module| {
        let step = knowledge.step_in(lib, HandleId::MODULE, Op::Call, "createConnection", module);
        step.unwrap().is_awaited
    };
    assert!(create(Some("mysql2/promise")));
    assert!(!create(Some("mysql2")));
}

#[test]
fn other_databases() {
    assert_eq!(import("better-sqlite3").construct("").call("prepare").effect("all"), Some(Effect::DbQuery));
    assert_eq!(import("sqlite3").construct("Database").effect("all"), Some(Effect::DbQuery));
    assert_eq!(import("postgres").call("default").effect(""), Some(Effect::DbQuery));
    let supabase = import("@supabase/supabase-js").call("createClient");
    assert_eq!(supabase.call("from").effect("select"), Some(Effect::DbQuery));
    assert_eq!(supabase.call("from").call("select").call("eq").name(), "builder");
    assert_eq!(supabase.get("storage").call("from").effect("upload"), Some(Effect::HttpRequest));
    let firestore = import("firebase-admin/firestore").call("getFirestore");
    assert_eq!(firestore.call("collection").call("where").effect("get"), Some(Effect::DbQuery));
    assert_eq!(import("firebase-admin").call("auth").effect("getUser"), Some(Effect::HttpRequest));
    let orm = import("@mikro-orm/core").get("MikroORM").call("init");
    assert_eq!(orm.get("em").call("fork").effect("find"), Some(Effect::DbQuery));
}

#[test]
fn caches_and_queues() {
    assert_eq!(import("ioredis").construct("default").effect("get"), Some(Effect::CacheGet));
    assert_eq!(import("ioredis").construct("Redis").call("pipeline").call("get").name(), "pipeline");
    assert_eq!(import("redis").call("createClient").effect("keys"), Some(Effect::CacheScan));
    assert_eq!(import("bullmq").construct("Queue").effect("add"), Some(Effect::QueuePublish));
    assert_eq!(import("bullmq").construct("Worker").name(), "worker");
    assert_eq!(import("bullmq").runs("Worker", 1, 3), Some(Runs::PerJob));
    assert_eq!(import("bullmq").param("Worker", 1, 0, None), Some("job"));
    assert_eq!(import("bull").construct("").runs("process", 1, 2), Some(Runs::PerJob));
    let consumer = import("kafkajs").construct("Kafka").call("consumer");
    let row = Knowledge::builtin()
        .callback_property(consumer.lib, consumer.handle, "run", 0, 1, "eachMessage")
        .unwrap();
    assert_eq!(row.runs, Runs::PerMessage);
    assert!(row.sequential);
    assert_eq!(consumer.runs("run", 0, 1), None);
}

#[test]
fn http_clients() {
    assert_eq!(import("axios").effect("get"), Some(Effect::HttpRequest));
    assert_eq!(import("axios").effect("default"), Some(Effect::HttpRequest));
    assert_eq!(import("axios").call("create").effect("post"), Some(Effect::HttpRequest));
    assert_eq!(import("got").call("extend").effect("()"), Some(Effect::HttpRequest));
    assert_eq!(import("node-fetch").effect("default"), Some(Effect::HttpRequest));
    assert_eq!(global("fetch").effect("fetch"), Some(Effect::HttpRequest));
    assert!(global("fetch").call("fetch").effect("json").is_some());
}

#[test]
fn sdks() {
    let openai = import("openai").construct("default");
    assert_eq!(openai.get("chat").get("completions").effect("create"), Some(Effect::LlmCall));
    assert_eq!(
        import("@anthropic-ai/sdk").construct("").get("messages").effect("create"),
        Some(Effect::LlmCall)
    );
    let stripe = import("stripe").construct("Stripe");
    assert_eq!(stripe.get("charges").effect("create"), Some(Effect::PaymentCall));
    assert_eq!(stripe.get("checkout").get("sessions").effect("create"), Some(Effect::PaymentCall));
    assert!(stripe.get("webhooks").effect("constructEvent").is_some());
    let s3 = import("@aws-sdk/client-s3").construct("S3Client");
    assert_eq!(s3.effect("GetObjectCommand"), Some(Effect::StorageGet));
    let dynamo = import("@aws-sdk/lib-dynamodb").get("DynamoDBDocumentClient").call("from");
    assert_eq!(dynamo.effect("QueryCommand"), Some(Effect::DbQuery));
    let document = import("aws-sdk").get("DynamoDB").construct("DocumentClient");
    assert_eq!(document.effect("put"), Some(Effect::DbWrite));
    assert_eq!(import("aws-sdk").construct("S3").effect("getObject"), Some(Effect::HttpRequest));
    let transport = import("nodemailer").call("createTransport");
    assert_eq!(transport.effect("sendMail"), Some(Effect::MailSend));
    let sheets = import("googleapis").get("google").call("sheets");
    assert_eq!(sheets.get("spreadsheets").get("values").effect("get"), Some(Effect::HttpRequest));
    assert!(import("twilio").call("").get("messages").effect("create").is_some());
}

#[test]
fn express_application_routes_and_handlers() {
    let app = import("express").call("default");
    assert_eq!(app.effect("get"), Some(Effect::RouteAdd));
    assert_eq!(app.runs("get", 1, 2), Some(Runs::PerRequest));
    assert_eq!(app.runs("use", 0, 1), Some(Runs::PerRequest));
    assert_eq!(app.runs("listen", 1, 2), Some(Runs::Startup));
    assert_eq!(app.call("route").call("get").name(), "route");
    assert_eq!(import("express").call("Router").effect("post"), Some(Effect::RouteAdd));
    let knowledge = Knowledge::builtin();
    let res = knowledge.type_handle(app.lib, "Response").unwrap();
    let res = Value { lib: app.lib, handle: res, module: "" };
    assert_eq!(res.call("status").effect("json"), Some(Effect::ResponseSend));
    let req = knowledge.type_handle(app.lib, "Request").unwrap();
    let session = Value { lib: app.lib, handle: req, module: "" }.get("session");
    assert_eq!(session.effect("save"), Some(Effect::SessionStore));
}

#[test]
fn default_exports_differ_by_package() {
    assert_eq!(import("koa").construct("default").name(), "app");
    assert_eq!(import("@koa/router").construct("default").name(), "router");
    assert_eq!(import("p-queue").construct("default").name(), "queue");
    assert_eq!(import("opossum").construct("default").name(), "breaker");
    assert_eq!(import("jszip").construct("default").name(), "JSZip");
}

#[test]
fn web_frameworks_and_sockets() {
    assert_eq!(import("fastify").call("").effect("listen"), Some(Effect::HttpListen));
    assert!(import("hono").construct("Hono").effect("get").is_some());
    let wss = import("ws").construct("WebSocketServer");
    assert_eq!(wss.param("on", 1, 0, Some("connection")), Some("ws"));
    assert_eq!(wss.param("on", 1, 0, Some("error")), None);
    assert_eq!(wss.runs("on", 1, 2), Some(Runs::PerConnection));
    let io = import("socket.io").construct("Server");
    assert_eq!(io.param("on", 1, 0, Some("connection")), Some("socket"));
    assert_eq!(io.call("of").param("on", 1, 0, Some("connection")), Some("socket"));
    assert!(import("multer").call("").effect("single").is_some());
}

#[test]
fn node_modules_in_both_spellings() {
    let knowledge = Knowledge::builtin();
    let fs = knowledge.library_of("fs", "").unwrap();
    assert_eq!(knowledge.library_of("node:fs", ""), Some(fs));
    assert_eq!(knowledge.library_of("node:fs", "promises"), Some(fs));
    assert_eq!(import("node:fs").effect("readFileSync"), Some(Effect::SyncFs));
    assert_eq!(import("fs").get("promises").effect("readFile"), Some(Effect::AsyncFs));
    assert_eq!(import("node:crypto").effect("pbkdf2Sync"), Some(Effect::SyncCpu));
    assert_eq!(import("node:stream/promises").effect("pipeline"), import("stream").effect("pipeline"));
    assert!(import("node:util").effect("promisify").is_some());
}

#[test]
fn globals() {
    assert_eq!(global("JSON").get("JSON").effect("parse"), Some(Effect::SyncCpu));
    assert_eq!(global("Promise").get("Promise").effect("all"), Some(Effect::AsyncFanOut));
    assert_eq!(global("setInterval").runs("setInterval", 0, 2), Some(Runs::Timer));
    assert!(global("console").get("console").effect("log").is_some());
    assert_eq!(global("process").get("process").effect("exit"), Some(Effect::ProcExit));
    assert_eq!(global("localStorage").get("localStorage").effect("getItem"), Some(Effect::BrowserStorage));
}

#[test]
fn functions_passed_to_array_methods_and_promises() {
    let knowledge = Knowledge::builtin();
    let core = knowledge.library_id("node:core").unwrap();
    let array = knowledge.handle("Array.prototype").unwrap();
    let map = knowledge.callback(core, array, "map", 0, 1).unwrap();
    assert_eq!((map.runs, map.sequential, map.element_param), (Runs::PerElement, false, 0));
    assert_eq!(knowledge.callback(core, array, "reduce", 0, 2).unwrap().element_param, 1);
    assert!(knowledge.callback(core, array, "map", 1, 2).is_none());
    let promise = knowledge.handle("Promise").unwrap();
    assert_eq!(knowledge.callback(core, promise, "then", 0, 1).unwrap().runs, Runs::Later);
    let lib = knowledge.library_of("async", "").unwrap();
    let limited = knowledge.callback(lib, HandleId::MODULE, "eachLimit", 2, 3).unwrap();
    assert_eq!((limited.elements, limited.limit_arg), (Some(0), Some(1)));
    assert!(knowledge.callback(lib, HandleId::MODULE, "eachSeries", 1, 2).unwrap().sequential);
    assert_eq!(import("react").runs("useEffect", 0, 2), Some(Runs::Effect));
    assert_eq!(import("node-cron").runs("schedule", 1, 2), Some(Runs::Timer));
    assert_eq!(import("p-map").runs("default", 1, 3), Some(Runs::PerElement));
}

#[test]
fn members_named_by_a_pattern_and_by_their_module() {
    assert_eq!(import("lodash/debounce").effect("default"), Some(Effect::TimerDebounce));
    assert_eq!(import("lodash.clonedeep").effect("default"), Some(Effect::SyncCpu));
    assert_eq!(import("zustand").effect("useCartStore"), Some(Effect::ReactStore));
    assert_eq!(import("zustand").effect("use"), None);
}

#[test]
fn members_of_one_package_are_not_of_another() {
    assert_eq!(import("csv-parse/sync").effect("parse"), Some(Effect::SyncCpu));
    assert_ne!(import("csv-parse").effect("parse"), Some(Effect::SyncCpu));
    assert_eq!(import("ai").effect("useChat"), None);
    assert!(import("@ai-sdk/react").effect("useChat").is_some());
}

#[test]
fn defaults_by_version() {
    let knowledge = Knowledge::builtin();
    let option = |version| knowledge.default_of("@prisma/client", "connection_limit", version);
    assert_eq!(
        option(Some("5.22.0")).unwrap().value(),
        DefaultValue::Expression("num_physical_cpus * 2 + 1")
    );
    assert!(option(Some("99.0.0")).is_none());
    let nearest = knowledge.default_nearest("@prisma/client", "connection_limit", Some("^99.1.0"));
    assert!(!nearest.unwrap().is_exact);
    assert!(option(None).is_some());
    assert!(option(Some("6.0.0-beta.1")).is_some());
    assert!(knowledge.default_nearest("@aws-sdk/client-s3", "maxAttempts", None).is_some());
    assert!(knowledge.default_of("pg-pool", "no such option", None).is_none());
}

#[test]
fn costs_and_traps() {
    let knowledge = Knowledge::builtin();
    assert_eq!(knowledge.cost("bcrypt.hash.cost10").unwrap().scales_with.as_deref(), Some("calibration.js"));
    assert!(knowledge.cost("no.such.op").is_none());
    assert!(knowledge.traps("express").count() > 1);
    assert!(knowledge.traps("node:process").any(|trap| trap.versions.contains("20.1.0")));
}

#[test]
fn hyphen_ranges_include_the_whole_last_major() {
    let knowledge = Knowledge::builtin();
    let row = knowledge.defaults().iter().find(|row| row.versions.as_str() == "4 - 6").unwrap();
    assert!(row.versions.contains("6.99.0") && row.versions.contains("4.0.0"));
    assert!(!row.versions.contains("7.0.0") && !row.versions.contains("3.9.9"));
}

#[test]
fn members_of_other_versions_are_nearest_only() {
    let knowledge = Knowledge::builtin();
    let row = knowledge
        .members()
        .iter()
        .find(|row| row.versions.as_ref().is_some_and(|versions| !versions.contains("99.0.0")))
        .unwrap();
    let lib = knowledge.library_id(&row.lib).unwrap();
    let on = knowledge.handle(&row.on[0]).unwrap();
    let nearest = knowledge.member_nearest(lib, on, &row.names[0], row.module.as_deref(), Some("99.0.0"));
    assert!(nearest.is_some());
}

#[test]
fn unknown_names_give_nothing() {
    let knowledge = Knowledge::builtin();
    assert!(knowledge.library_of("left-pad", "").is_none());
    assert!(knowledge.global("nothing").is_none());
    assert!(knowledge.handle("nothing").is_none());
    let pg = import("pg");
    assert!(knowledge.step(pg.lib, pg.handle, Op::New, "Nothing").is_none());
    assert!(knowledge.type_handle(pg.lib, "Nothing").is_none());
}

#[test]
fn read_versions_are_known_by_major() {
    let knowledge = Knowledge::builtin();
    let prisma = knowledge.library(knowledge.library_id("prisma").unwrap());
    assert!(prisma.has_read("@prisma/client", "5.1.0"));
    assert!(!prisma.has_read("@prisma/client", "3.0.0"));
}

#[test]
fn effects_have_a_group() {
    use crate::Group;
    assert_eq!(Effect::DbQuery.group(), Group::Database);
    assert_eq!(Effect::HttpListen.group(), Group::Server);
    assert_eq!(Effect::HttpRequest.group(), Group::Network);
    assert_eq!(Effect::Builder.group(), Group::None);
    for effect in Effect::ALL {
        assert_eq!(Effect::from_word(effect.as_str()), Some(*effect));
    }
}

#[test]
fn rejections_of_handlers_depend_on_the_installed_version() {
    use crate::Becomes;
    let knowledge = Knowledge::builtin();
    let app = import("express").call("");
    let becomes = |version| {
        let found = knowledge.rejection(app.lib, app.handle, "get", Some("express"), version).unwrap();
        (found.row.rejected, found.is_exact)
    };
    assert_eq!(becomes(Some("4.18.2")), (Becomes::Unhandled, true));
    assert_eq!(becomes(Some("^5.0.0")), (Becomes::Answered, true));
    assert!(!becomes(None).1);
}

#[test]
fn a_member_row_beats_the_row_of_its_library() {
    use crate::Becomes;
    let knowledge = Knowledge::builtin();
    let app = import("express").call("");
    let listen = knowledge.rejection(app.lib, app.handle, "listen", Some("express"), Some("5.1.0")).unwrap();
    assert_eq!(listen.row.rejected, Becomes::Unhandled);
    let cron = import("cron");
    let of = |module| {
        let found = knowledge.rejection(cron.lib, HandleId::MODULE, "schedule", Some(module), Some("3.0.0"));
        found.map(|found| found.row.rejected)
    };
    assert_eq!(of("node-cron"), Some(Becomes::Reported));
    assert_eq!(of("node-schedule"), Some(Becomes::Unhandled));
}
