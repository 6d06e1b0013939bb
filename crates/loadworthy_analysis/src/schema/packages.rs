//! Which packages declare models, in one place. Everything else asks by the names here.

use loadworthy_project::{PackageId, Project};
use loadworthy_schema::sql::Dialect;

/// Whether an import specifier belongs to one of the packages.
pub(super) fn is_of(specifier: &str, packages: &[&str]) -> bool {
    packages.iter().any(|package| {
        specifier.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

pub(super) const DRIZZLE: &[&str] = &["drizzle-orm"];

pub(super) const SEQUELIZE: &[&str] = &["sequelize", "@sequelize/core", "sequelize-typescript"];
pub(super) const MONGOOSE: &[&str] = &["mongoose"];
pub(super) const NEST_MONGOOSE: &[&str] = &["@nestjs/mongoose"];
pub(super) const TYPEGOOSE: &[&str] = &["@typegoose/typegoose", "typegoose"];

pub(super) const TYPEORM: &[&str] = &["typeorm"];
pub(super) const MIKRO_ORM: &[&str] = &[
    "@mikro-orm/core",
    "@mikro-orm/decorators",
    "@mikro-orm/postgresql",
    "@mikro-orm/mysql",
    "@mikro-orm/mariadb",
    "@mikro-orm/sqlite",
    "@mikro-orm/better-sqlite",
    "@mikro-orm/libsql",
    "@mikro-orm/mongodb",
    "@mikro-orm/mssql",
    "mikro-orm",
];

pub(super) const OBJECTION: &[&str] = &["objection"];

const POSTGRES_DRIVERS: &[&str] = &[
    "pg",
    "postgres",
    "@neondatabase/serverless",
    "@vercel/postgres",
    "pg-promise",
    "@electric-sql/pglite",
    "slonik",
];
const MYSQL_DRIVERS: &[&str] = &["mysql2", "mysql", "mariadb", "@planetscale/database"];
const SQLITE_DRIVERS: &[&str] =
    &["better-sqlite3", "sqlite3", "sqlite", "@libsql/client", "sql.js", "bun:sqlite"];

/// The SQL a package speaks, by the one driver it depends on. SQLite beside another is for tests and development.
pub(super) fn dialect(project: &Project, package: PackageId) -> Dialect {
    let has = |drivers: &[&str]| drivers.iter().any(|driver| project.depends_on(package, driver));
    match (has(POSTGRES_DRIVERS), has(MYSQL_DRIVERS), has(SQLITE_DRIVERS)) {
        (true, false, _) => Dialect::PostgreSql,
        (false, true, _) => Dialect::MySql,
        (false, false, true) => Dialect::Sqlite,
        _ => Dialect::Unknown,
    }
}

/// Whether a package is an app on a device: what it stores is not the server's database.
pub(super) fn is_device_app(project: &Project, package: PackageId) -> bool {
    ["react-native", "expo", "expo-sqlite", "@capacitor/core", "@tauri-apps/api"]
        .iter()
        .any(|dependency| project.depends_on(package, dependency))
}
