//! A discovered project with its configuration, knowledge and threads: what every command begins with.

use std::collections::BTreeMap;
use std::fs;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::Arc;

use loadworthy_analysis::{Analysis, Program};
use loadworthy_fix::is_interrupted;
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{Diagnostic, DiscoverError, DiscoverOptions, Project};
use loadworthy_syntax::STACK_BYTES;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::arguments::{ProjectArguments, When};
use crate::config::{self, Config, Located};
use crate::failure::Failure;
use crate::progress::Progress;

/// What a command works with.
pub(crate) struct Session {
    pub(crate) project: Project,
    pub(crate) config: Config,
    pub(crate) progress: Progress,
    /// The compiled-in knowledge with the rows of the project, where it has some.
    own_knowledge: Option<Knowledge>,
    pool: ThreadPool,
    path: PathBuf,
    options: DiscoverOptions,
}

impl Session {
    /// Reads the configuration and lists the project.
    pub(crate) fn open(arguments: &ProjectArguments) -> Result<Self, Failure> {
        set_color(arguments.color);
        let progress = Progress::new(arguments.quiet);
        progress.stage("listing files");
        let located = config::load(&arguments.path, arguments.config.as_deref())?;
        let own_knowledge = own_knowledge(&located)?;
        let mut exclude = located.config.exclude.clone();
        exclude.extend(arguments.exclude.iter().cloned());
        let options = DiscoverOptions { exclude, ..DiscoverOptions::default() };
        let pool = pool(arguments.threads)?;
        let project = pool
            .install(|| Project::discover(&arguments.path, &options))
            .map_err(|error| undiscovered(&error))?;
        if is_interrupted(&project.root) {
            anstream::eprintln!(
                "warning: a `loadworthy fix` was interrupted here, or is writing now; run `loadworthy fix` to set its files back"
            );
        }
        Ok(Self {
            project,
            config: located.config,
            progress,
            own_knowledge,
            pool,
            path: arguments.path.clone(),
            options,
        })
    }

    /// Lists the project anew, as it would be with these texts.
    pub(crate) fn rediscover(&mut self, changes: Arc<BTreeMap<String, String>>) -> Result<(), Failure> {
        self.options.changes = changes;
        let (path, options) = (&self.path, &self.options);
        self.project =
            self.pool.install(|| Project::discover(path, options)).map_err(|error| undiscovered(&error))?;
        Ok(())
    }

    /// As [`Self::with_analysis`], for a command that goes on: the memory is given back.
    pub(crate) fn with_one_analysis<T: Send>(&self, use_it: impl FnOnce(&Analysis<'_>) -> T + Send) -> T {
        self.pool.install(|| {
            self.progress.stage(&format!("auditing {} files", self.project.files.len()));
            let knowledge = self.own_knowledge.as_ref().unwrap_or_else(|| Knowledge::builtin());
            let program = Program::read(&self.project, knowledge);
            use_it(&Analysis::new(&program))
        })
    }

    /// Reads and links the program and hands it on, on the session's threads.
    pub(crate) fn with_analysis<T: Send>(&self, use_it: impl FnOnce(&Analysis<'_>) -> T + Send) -> T {
        self.with_program(|program| {
            self.progress.stage("linking");
            use_it(&ManuallyDrop::new(Analysis::new(program)))
        })
    }

    /// Reads the program and hands it on, on the session's threads. A command ends with what it does here: the memory is
    /// left to the system, which takes it back at once.
    pub(crate) fn with_program<T: Send>(&self, use_it: impl FnOnce(&Program<'_>) -> T + Send) -> T {
        self.pool.install(|| {
            self.progress.stage(&format!("parsing {} files", self.project.files.len()));
            let knowledge = self.own_knowledge.as_ref().unwrap_or_else(|| Knowledge::builtin());
            use_it(&ManuallyDrop::new(Program::read(&self.project, knowledge)))
        })
    }
}

/// What discovery and parsing could not take into account.
pub(crate) fn diagnostics<'p>(program: &'p Program<'_>) -> impl Iterator<Item = &'p Diagnostic> {
    program.project().diagnostics.iter().chain(program.diagnostics())
}

fn undiscovered(error: &DiscoverError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error {
        DiscoverError::NotADirectory(_) => failure.hint("give the folder that holds package.json"),
        _ => failure,
    }
}

fn own_knowledge(located: &Located) -> Result<Option<Knowledge>, Failure> {
    let Some(file) = &located.config.knowledge else { return Ok(None) };
    let path = located.folder.join(file);
    let text = fs::read_to_string(&path).map_err(|error| Failure::file(&path, error))?;
    Knowledge::with_overrides(&text).map(Some).map_err(|error| Failure::file(&path, error))
}

/// Threads whose stacks hold the deepest tree.
fn pool(threads: usize) -> Result<ThreadPool, Failure> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK_BYTES)
        .build()
        .map_err(|error| Failure::internal(format!("the worker threads could not be started: {error}")))
}

fn set_color(when: When) {
    match when {
        When::Auto => anstream::ColorChoice::Auto,
        When::Always => anstream::ColorChoice::Always,
        When::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}
