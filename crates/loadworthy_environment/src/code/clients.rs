//! Clients of databases, where the code makes them.

use loadworthy_analysis::{Root, Site, Value};
use loadworthy_knowledge::{PoolRow, Role};
use loadworthy_syntax::Kind;

use super::{Code, Creation};
use crate::topics::databases::package_of;

/// A client or pool that the code creates.
#[derive(Clone, Debug)]
pub(crate) struct Client<'k> {
    pub(crate) row: &'k PoolRow,
    pub(crate) creation: Creation,
    /// Object literals with its options.
    pub(crate) options: Vec<Site>,
    /// Expressions that may be its connection URL.
    pub(crate) urls: Vec<Site>,
    /// An argument that may hold options and could not be read.
    pub(crate) unread: Option<Site>,
}

impl<'c> Code<'c> {
    /// Every database client, in source order.
    pub(crate) fn clients(self, creations: &[Creation]) -> Vec<Client<'c>> {
        creations.iter().filter_map(|creation| self.client(creation)).collect()
    }

    fn client(self, creation: &Creation) -> Option<Client<'c>> {
        let lib = self.knowledge.library(self.knowledge.library_of(&creation.module, "")?);
        let rows = self.knowledge.pools().iter();
        let row = rows
            .filter(|row| row.lib == lib.id)
            .find(|row| row.create.iter().any(|name| name == creation.name()))?;
        // `client.connect()` is said of what was created before.
        let before = creation.path.split_last().map_or(&[][..], |(_, before)| before);
        if !creation.is_direct && (before.is_empty() || before.iter().any(|name| row.create.contains(name))) {
            return None;
        }
        let arguments = self.arguments(creation.site);
        if self.is_given_a_client(&arguments) {
            return None;
        }
        let mut options: Vec<Site> = arguments.iter().flat_map(|argument| self.settings(*argument)).collect();
        // A factory (`forRootAsync({ useFactory })`) gives the options.
        let factories: Vec<Site> =
            options.iter().filter_map(|object| self.property(*object, "useFactory")).collect();
        options.extend(factories.into_iter().flat_map(|factory| self.objects(factory)));
        if let Some(name) = &row.adapter {
            let adapters: Vec<Site> =
                options.iter().filter_map(|object| self.property(*object, name)).collect();
            let made: Vec<Site> = adapters.into_iter().flat_map(|adapter| self.made_with(adapter)).collect();
            if self.is_given_a_client(&made) {
                return None;
            }
            options.extend(made.into_iter().flat_map(|argument| self.settings(argument)));
        }
        let unread = self.unread(row, &options, &arguments);
        let mut urls = arguments;
        for object in &options {
            let keys = [
                "connectionString",
                "url",
                "uri",
                "connection",
                "datasourceUrl",
                "datasources.db.url",
                "replication.master.url",
            ];
            urls.extend(keys.iter().filter_map(|key| self.option(*object, key)));
        }
        Some(Client { row, creation: creation.clone(), options, urls, unread })
    }

    /// The arguments that a package's object was made with.
    fn made_with(self, site: Site) -> Vec<Site> {
        let values = self.resolver.value_of(site);
        let made = values.iter().filter_map(|value| match value {
            Value::External(external) => external.site(),
            _ => None,
        });
        made.flat_map(|call| self.arguments(call)).collect()
    }

    /// The last argument, if nothing tells what it is; a lone one of a library that takes URLs is one.
    fn unread(self, row: &PoolRow, options: &[Site], arguments: &[Site]) -> Option<Site> {
        let last = arguments.last().copied().filter(|_| options.is_empty())?;
        let is_url = arguments.len() == 1 && (row.url_max.is_some() || row.url_in_schema);
        (!is_url && self.candidates(last).is_empty()).then_some(last)
    }

    /// Object literals that an argument is; of `config[environment]` the production one, or the first.
    fn settings(self, (file, argument): Site) -> Vec<Site> {
        let Some(module) = self.module(file) else { return Vec::new() };
        let objects = self.production_objects((file, argument));
        if !objects.is_empty() {
            return objects;
        }
        let Kind::Index { object, .. } = module.kind(argument) else { return Vec::new() };
        self.objects((file, object))
            .into_iter()
            .flat_map(|whole| {
                let named = ["production", "prod", "default", "development"];
                let chosen = named.iter().find_map(|name| self.property(whole, name));
                chosen.map_or_else(Vec::new, |site| self.objects(site))
            })
            .collect()
    }

    /// `drizzle(pool)`, `new PrismaClient({ adapter })`: the pool is another client's, found where that one is made.
    fn is_given_a_client(self, arguments: &[Site]) -> bool {
        let is_client = |value: &Value| match value {
            Value::External(external) => {
                let Root::Package(package) = &external.root else { return false };
                let is_made = external.steps.iter().any(|step| step.site().is_some());
                is_made
                    && self
                        .knowledge
                        .roles_of(package_of(package))
                        .iter()
                        .any(|row| row.role == Role::Database)
            }
            _ => false,
        };
        let is_site_of_client = |site: Site| self.resolver.value_of(site).iter().any(is_client);
        arguments.iter().any(|argument| {
            is_site_of_client(*argument)
                || self.objects(*argument).into_iter().any(|object| {
                    ["client", "pool", "dialect"]
                        .iter()
                        .filter_map(|key| self.property(object, key))
                        .any(is_site_of_client)
                })
        })
    }
}
