//! Clients that a tool generates from a schema: their code is not in the repository, they stand for their package.

use loadworthy_project::{Project, join_path};

/// What specifiers of generated clients contain by custom, and the package that each stands for.
const CUSTOMARY: [(&[&str], &str); 2] = [(&["generated", "prisma"], PRISMA), (&["prisma/client"], PRISMA)];

const PRISMA: &str = "@prisma/client";

/// Where `prisma generate` writes clients.
#[derive(Debug, Default)]
pub(crate) struct GeneratedClients {
    /// Relative to the root.
    folders: Vec<String>,
}

impl GeneratedClients {
    /// Those that the schemas of a project name.
    pub(crate) fn find(project: &Project) -> Self {
        let mut folders = Vec::new();
        for path in &project.other_files {
            let is_schema = std::path::Path::new(path).extension().is_some_and(|it| it == "prisma");
            if let Some(text) = is_schema.then(|| project.read_other(path).ok()).flatten() {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                folders.extend(outputs(&text).filter_map(|output| join_path(folder, output)));
            }
        }
        folders.retain(|folder| !folder.is_empty());
        folders.sort();
        folders.dedup();
        Self { folders }
    }

    /// The package that an import stands for which leads to no file that is read.
    pub(crate) fn package(&self, importer: &str, specifier: &str) -> Option<&'static str> {
        let customary = CUSTOMARY.iter().find(|(words, _)| words.iter().all(|word| specifier.contains(word)));
        customary
            .map(|(_, package)| *package)
            .or_else(|| self.is_output(importer, specifier).then_some(PRISMA))
    }

    fn is_output(&self, importer: &str, specifier: &str) -> bool {
        if specifier.starts_with('.') {
            let folder = importer.rsplit_once('/').map_or("", |(folder, _)| folder);
            let Some(path) = join_path(folder, specifier) else { return false };
            return self.folders.iter().any(|folder| {
                path.strip_prefix(folder.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
        }
        // `@/lib/generated/client`: an alias stands for a folder that is not known here.
        let Some((_, below)) = specifier.split_once('/') else { return false };
        let below = below.strip_suffix("/client").filter(|rest| rest.contains('/')).unwrap_or(below);
        below.contains('/') && self.folders.iter().any(|folder| folder.ends_with(&format!("/{below}")))
    }
}

/// The `output` of each generator of a Prisma client.
fn outputs(schema: &str) -> impl Iterator<Item = &str> {
    let blocks = schema.split("generator ").skip(1).map(|block| block.split('}').next().unwrap_or(block));
    blocks.filter_map(|block| {
        let setting = |name: &str| {
            block.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then(|| value.trim().split('"').nth(1))?
            })
        };
        setting("provider").filter(|provider| provider.starts_with("prisma-client"))?;
        setting("output")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "generator client {\n  provider = \"prisma-client\"\n  output   = \"../src/lib/db-client\"\n}\n\ngenerator erd {\n  provider = \"prisma-erd-generator\"\n  output = \"../docs/erd.svg\"\n}\n";

    #[test]
    fn outputs_of_clients_alone() {
        assert_eq!(outputs(SCHEMA).collect::<Vec<_>>(), ["../src/lib/db-client"]);
    }

    #[test]
    fn imports_of_the_output_stand_for_the_package() {
        let clients = GeneratedClients { folders: vec![String::from("api/src/lib/db-client")] };
        assert_eq!(clients.package("api/src/db.ts", "./lib/db-client"), Some(PRISMA));
        assert_eq!(clients.package("api/src/db.ts", "./lib/db-client/client"), Some(PRISMA));
        assert_eq!(clients.package("api/src/routes/users.ts", "@/lib/db-client"), Some(PRISMA));
        assert_eq!(clients.package("api/src/db.ts", "./lib/db-clients"), None);
        assert_eq!(clients.package("api/src/db.ts", "./lib/mailer"), None);
        assert_eq!(clients.package("web/src/db.ts", "../generated/prisma/client"), Some(PRISMA));
    }
}
