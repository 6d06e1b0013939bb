//! Tables that stay small whatever the load: lists of roles, plans, countries.

use crate::catalogue::Catalogue;
use crate::names::{same_column, singular, snake};
use crate::table::Table;

impl Catalogue {
    /// Why the table is small whatever the load, if its name and shape say so.
    #[must_use]
    pub fn is_small(&self, table: &str) -> Option<String> {
        match self.table(table) {
            Some(known) => known.is_small(),
            None => is_lookup(table).then(|| format!("`{table}` is named like a lookup table")),
        }
    }
}

impl Table {
    /// Why the table is small whatever the load, if its name and shape say so.
    #[must_use]
    pub fn is_small(&self) -> Option<String> {
        let named = self.names().any(|name| is_lookup(name) || has_suffix(name));
        (named && self.owner().is_none())
            .then(|| format!("`{}` is named like a lookup table and belongs to no other table", self.name))
    }

    /// A table each of whose rows this one's rows belong to: then it grows with that one.
    fn owner(&self) -> Option<&str> {
        self.owners().next()
    }

    /// The tables, or columns named like the key of one, that tie each row to a row of another.
    pub fn owners(&self) -> impl Iterator<Item = &str> {
        let foreign = self.foreign_keys.iter().map(|key| key.table.as_str());
        let related = self.relations.iter().filter(|relation| !relation.many);
        let related = related.map(|relation| relation.target.as_str());
        let named = self
            .columns
            .iter()
            .filter_map(|column| OWNERS.iter().find(|owner| same_column(&column.name, owner)).copied());
        let owners = foreign.chain(related).filter(|table| !self.is_named(table) && !is_lookup(table));
        owners.chain(named)
    }
}

fn is_lookup(table: &str) -> bool {
    LOOKUPS.contains(&singular(&snake(table)).as_str())
}

fn has_suffix(table: &str) -> bool {
    let name = singular(&snake(table));
    name.rsplit_once('_').is_some_and(|(_, last)| SUFFIXES.contains(&last))
}

/// Singular names of tables that hold a fixed, short list.
const LOOKUPS: &[&str] = &[
    "role",
    "permission",
    "category",
    "setting",
    "app_setting",
    "system_setting",
    "site_setting",
    "config",
    "configuration",
    "country",
    "currency",
    "language",
    "locale",
    "timezone",
    "plan",
    "subscription_plan",
    "pricing_plan",
    "tier",
    "status",
    "type",
    "kind",
    "unit",
    "priority",
    "level",
    "color",
    "colour",
    "size",
    "region",
    "continent",
    "state",
    "province",
    "genre",
    "department",
    "designation",
    "job_title",
    "feature_flag",
    "feature",
    "tax_rate",
    "shipping_method",
    "payment_method_type",
    "weekday",
    "schema_migration",
    "migration",
];

/// Last words that make any name a lookup, if nothing owns its rows.
const SUFFIXES: &[&str] =
    &["type", "status", "kind", "category", "level", "priority", "role", "plan", "setting"];

/// Columns that tie a row to a user, tenant or order even without a declared foreign key.
const OWNERS: &[&str] = &[
    "user_id",
    "account_id",
    "customer_id",
    "tenant_id",
    "organization_id",
    "organisation_id",
    "org_id",
    "team_id",
    "order_id",
    "product_id",
    "post_id",
    "project_id",
    "workspace_id",
    "company_id",
    "owner_id",
];
