//! `loadworthy init`: the configuration with what the project does not tell, and instructions for coding agents.

mod agents;
mod settings;

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use loadworthy_analysis::Resolver;
use loadworthy_environment::{Overrides, environment};

use crate::arguments::InitArguments;
use crate::config;
use crate::failure::Failure;
use crate::schema;
use crate::session::Session;

/// Where the configuration's schema is put, for editors.
const SCHEMA: &str = ".loadworthy/config.schema.json";

/// Writes the files; never over a configuration that is there.
pub(crate) fn run(arguments: &InitArguments) -> Result<(), Failure> {
    let session = Session::open(&arguments.project)?;
    let root = session.project.root.as_path();
    let is_configured = root.join(config::FILE).exists();
    if is_configured && !arguments.agents {
        return Err(Failure::usage(format!("{} is there already", root.join(config::FILE).display()))
            .hint("change it by hand; `loadworthy env` prints what it may settle"));
    }
    let mut written = Vec::new();
    if !is_configured {
        let facts = session.with_program(|program| {
            session.progress.end();
            environment(&Resolver::new(program), program.knowledge(), &Overrides::default()).facts()
        });
        write(root, SCHEMA, &schema::config_text()?)?;
        create(root, config::FILE, &settings::text(&facts, SCHEMA))?;
        written.extend([config::FILE, SCHEMA]);
    }
    if arguments.agents {
        for file in agents::FILES {
            let old = read(root, file.path)?;
            write(root, file.path, &file.text(old.as_deref()))?;
            written.push(file.path);
        }
    }
    if !arguments.project.quiet {
        anstream::eprintln!("wrote {}", written.join(", "));
    }
    Ok(())
}

/// The text of a file; nothing where there is none.
fn read(root: &Path, name: &str) -> Result<Option<String>, Failure> {
    let path = root.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file(&path, error)),
    }
}

fn write(root: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let path = root.join(name);
    let folder = path.parent().unwrap_or(root);
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
    fs::write(&path, text).map_err(|error| Failure::file(&path, error))
}

/// As [`write`], but never over a file.
fn create(root: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let path = root.join(name);
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| Failure::file(&path, error))
}
