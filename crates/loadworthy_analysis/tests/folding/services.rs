//! Objects that reach their use through a program's own wiring: injection, containers, factories, singletons.

use super::probes;

const CLIENT: (&str, &str) = (
    "db.ts",
    "import { PrismaClient } from '@prisma/client';\nexport const prisma = globalThis.prisma ?? new PrismaClient();\nexport class Database extends PrismaClient {}\nexport const createDb = async () => new PrismaClient();\n",
);

/// The probes of an application of [`CLIENT`] and one more file.
fn probes_of(text: &str) -> Vec<String> {
    probes(&[CLIENT, ("app.ts", text)])
}

#[test]
fn singletons_factories_and_getters_are_what_they_give() {
    let found = probes_of(
        "import { prisma, createDb } from './db';\nconst made = await createDb();\nclass Holder {\n  static shared = prisma;\n  private client = prisma;\n  get db() { return this.client; }\n  static instance() { return new Holder(); }\n}\nconst holder = Holder.instance();\nlet lazy;\nfunction get() { if (!lazy) lazy = prisma; return lazy; }\nprobe(prisma.user.findMany, made.user.findMany, Holder.shared.user, holder.db.user, get().user);\n(await import('./db')).prisma.user.create;\nprobe((await import('./db')).prisma.user);\n",
    );
    assert_eq!(
        found,
        [
            "client.model.findMany",
            "client.model.findMany",
            "client.model",
            "client.model",
            "client.model",
            "client.model"
        ]
    );
}

#[test]
fn commonjs_singletons_are_their_class() {
    let found = probes(&[
        CLIENT,
        (
            "users.js",
            "const { prisma } = require('./db');\nclass Users { constructor() { this.db = prisma; } list() { probe(this.db.user); return this.db.user; } }\nmodule.exports = new Users();\n",
        ),
        (
            "app.js",
            "const users = require('./users');\nexports.list = () => { probe(users.db.user, users.list()); };\n",
        ),
    ]);
    assert_eq!(found, ["client.model", "client.model", "client.model"]);
}

#[test]
fn services_are_injected_by_type_interface_and_token() {
    let found = probes_of(
        "import { Inject, Injectable, Module } from '@nestjs/common';\nimport { prisma, Database, createDb } from './db';\nexport const CACHE = Symbol('CACHE');\nexport interface Repo { find(): any }\n@Injectable() class PrismaRepo implements Repo { constructor(private readonly db: Database) {} find() { probe(this.db.user); return this.db.user; } }\n@Injectable() class Other { value = prisma; }\n@Injectable() class Service {\n  constructor(@Inject('DB') private readonly db, @Inject(CACHE) private readonly cache: any, @Inject('REPO') private repo: Repo, private readonly other: Other, @Inject('ALIAS') private alias) {}\n  run() { probe(this.db.user, this.cache.user, this.repo.find(), this.other.value.user, this.alias.value.user); }\n}\n@Module({ providers: [\n  { provide: 'DB', useFactory: async () => createDb() },\n  { provide: CACHE, useValue: prisma },\n  { provide: 'REPO', useClass: PrismaRepo },\n  { provide: 'ALIAS', useExisting: Other },\n] }) class App {}\n",
    );
    assert_eq!(found, ["client.model"; 6]);
}

#[test]
fn containers_give_what_is_registered_or_the_class_itself() {
    let found = probes_of(
        "import { container, inject, injectable } from 'tsyringe';\nimport { Container } from 'inversify';\nimport { prisma } from './db';\n@injectable() class Users { db = prisma; }\ncontainer.register('Users', { useClass: Users });\ncontainer.registerInstance('Db', prisma);\nconst own = new Container();\nown.bind('Repo').to(Users).inSingletonScope();\nown.bind(Users).toSelf();\nprobe(container.resolve(Users).db.user, container.resolve('Users').db.user, container.resolve('Db').user, own.get('Repo').db.user, own.get(Users).db.user);\nclass Needs { constructor(@inject('Users') private users: any) { probe(this.users.db.user); } }\n",
    );
    assert_eq!(found, ["client.model"; 6]);
}

#[test]
fn names_bound_in_a_container_fill_constructors() {
    let found = probes_of(
        "import { createContainer, asClass, asValue } from 'awilix';\nimport { NestFactory } from '@nestjs/core';\nimport { prisma } from './db';\nclass Repo { constructor({ db }) { this.db = db; } }\nclass Service { constructor({ repo }) { probe(repo.db.user); } }\nconst container = createContainer();\ncontainer.register({ db: asValue(prisma), repo: asClass(Repo).singleton(), service: asClass(Service) });\nclass Users { db = prisma; }\nconst app = await NestFactory.create(Module);\nprobe(container.resolve('repo').db.user, app.get(Users).db.user, app.get('x'));\n",
    );
    let (other, clients) = found.split_last().unwrap();
    assert_eq!(clients, ["client.model"; 3]);
    assert!(!other.contains("client"), "{other}");
}

#[test]
fn mixins_and_bound_methods_keep_their_object() {
    let found = probes_of(
        "import { prisma } from './db';\nconst WithDb = (Base) => class extends Base { db = prisma; };\nclass Empty {}\nclass Users extends WithDb(Empty) { list = () => { probe(this.db.user); }; all() { return this.db.user; } }\nconst users = new Users();\nconst all = users.all.bind(users);\nprobe(users.db.user, all());\n",
    );
    assert_eq!(found, ["client.model"; 3]);
}

#[test]
fn tokens_of_nothing_give_nothing() {
    let found = probes_of(
        "import { Inject } from '@nestjs/common';\nimport { container } from 'tsyringe';\nimport { prisma } from './db';\nconst registry = new Map();\nregistry.set('db', prisma);\nclass Service { constructor(@Inject('MISSING') private readonly db) { probe(this.db.user, container.resolve('missing').user, registry.get('db').user); } }\n",
    );
    assert!(found.iter().all(|it| !it.contains("client")), "{found:?}");
}
