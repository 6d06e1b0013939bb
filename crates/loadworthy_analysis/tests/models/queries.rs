//! From a query's code to its table.

use loadworthy_analysis::Analysis;

use crate::asked::with;

const ENTITIES: &str = r#"
import { Entity, PrimaryGeneratedColumn } from "typeorm";
@Entity("people") export class User { @PrimaryGeneratedColumn() id: number; }
@Entity("goods") export class Item { @PrimaryGeneratedColumn() id: number; }
"#;

const SERVICE: &str = r#"
import { Repository } from "typeorm";
import { InjectRepository } from "@nestjs/typeorm";
import { User, Item } from "./entities";
import { getRepository, source } from "./source";
export class Service {
  constructor(@InjectRepository(User) private readonly first: Repository<any>, private second: Repository<Item>) {}
  async run(repository: Repository<User>) {
    const made = getRepository(Item);
    const direct = source.getRepository(User);
    first(this.first); second(this.second); third(repository); fourth(made); fifth(direct); sixth(User); seventh(this.other);
    eighth(TABLE); ninth(getRepository(unknown));
  }
}
const TABLE = "goods";
"#;

const SOURCE: &str = r#"
import { DataSource } from "typeorm";
export const source = new DataSource({});
export const getRepository = (target) => source.getRepository(target);
"#;

#[test]
fn repositories_and_injected_models_lead_to_their_table() {
    let manifest =
        r#"{"name":"x","dependencies":{"typeorm":"0.3.0","@nestjs/typeorm":"10.0.0","pg":"8.0.0"}}"#;
    with(
        &[
            ("package.json", manifest),
            ("src/entities.ts", ENTITIES),
            ("src/service.ts", SERVICE),
            ("src/source.ts", SOURCE),
        ],
        |asked| {
            let file = asked.file("src/service.ts");
            let module = asked.resolver.program().module(file).unwrap();
            let table = |name: &str| {
                let call =
                    module.calls().iter().find(|call| module.source(**call).starts_with(&format!("{name}(")));
                let argument = asked.resolver.argument((file, *call.unwrap()), 0).unwrap();
                asked.models.table_behind(asked.resolver, argument).map(|table| table.name.as_str())
            };
            let names =
                ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];
            assert_eq!(
                names.map(table),
                [
                    Some("people"),
                    Some("goods"),
                    Some("people"),
                    Some("goods"),
                    Some("people"),
                    Some("people"),
                    None,
                    Some("goods"),
                    None
                ]
            );
        },
    );
}

#[test]
fn rows_lead_to_the_table_they_are_of() {
    let code = r#"
const { Sequelize, DataTypes } = require("sequelize");
const sequelize = new Sequelize(url);
const User = sequelize.define("User", { name: DataTypes.STRING });
async function f(id) {
  const row = await User.findByPk(id);
  const [made] = await User.findOrCreate({ where: { id } });
  const rows = await User.findAll();
  first(row); second(made); third(await User.findOne());
  for (const each of rows) fourth(each);
  rows.forEach((each, at) => { fifth(each); sixth(at); });
  seventh(other.find(id));
}
"#;
    let manifest = r#"{"name":"x","dependencies":{"sequelize":"6.0.0","pg":"8.0.0"}}"#;
    with(&[("package.json", manifest), ("a.js", code)], |asked| {
        let file = asked.file("a.js");
        let module = asked.resolver.program().module(file).unwrap();
        let table = |name: &str| {
            let call =
                module.calls().iter().find(|call| module.source(**call).starts_with(&format!("{name}(")));
            let argument = asked.resolver.argument((file, *call.unwrap()), 0).unwrap();
            asked.models.table_behind(asked.resolver, argument).is_some()
        };
        let names = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"];
        assert_eq!(names.map(table), [true, true, true, true, true, false, false]);
    });
}

#[test]
fn queries_of_every_library_know_their_table() {
    let schema =
        "datasource db {\n provider = \"postgresql\"\n}\nmodel User {\n id Int @id\n @@map(\"people\")\n}\n";
    let code = r#"
import { PrismaClient } from "@prisma/client";
import knex from "knex";
const prisma = new PrismaClient();
const db = knex({});
export const one = () => prisma.user.findMany({ where: { id: 1 } });
export const two = () => db("people").where({ id: 1 });
export const three = () => db("strangers").where({ id: 1 });
"#;
    let manifest = r#"{"name":"x","dependencies":{"@prisma/client":"6.0.0","knex":"3.0.0","pg":"8.0.0"}}"#;
    with(&[("package.json", manifest), ("prisma/schema.prisma", schema), ("src/a.ts", code)], |asked| {
        let analysis = Analysis::new(asked.resolver.program());
        let tables: Vec<_> = analysis
            .queries()
            .iter()
            .map(|query| asked.models.table_of_query(asked.resolver, query).map(|table| table.name.as_str()))
            .collect();
        assert_eq!(tables, [Some("people"), Some("people"), None]);
    });
}
