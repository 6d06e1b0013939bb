//! The floor under an audit: reading, parsing and resolving names of the same files, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;
use rayon::prelude::*;

use crate::failure::Failure;

/// Stack of a parsing thread, as the audit has it.
const STACK_BYTES: usize = 256 << 20;

/// Arguments of `bare-parse`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A file with one path a line.
    list: PathBuf,
    /// Number of threads; 0 means one a core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Parses the files of the list; prints the number of their symbols, so that nothing can be left out as unused.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let list = fs::read_to_string(&options.list).map_err(Failure::at(&options.list))?;
    let paths: Vec<&Path> = list.lines().map(Path::new).collect();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .stack_size(STACK_BYTES)
        .build()
        .map_err(|error| Failure::of("xtask bare-parse", error))?;
    let symbols: usize = pool.install(|| paths.par_iter().map_init(Allocator::default, symbols_of).sum());
    crate::say(&symbols.to_string());
    Ok(())
}

/// The first dialect that the audit would try; one arena a thread, emptied after each file.
fn symbols_of(arena: &mut Allocator, path: &&Path) -> usize {
    let Ok(bytes) = fs::read(path) else { return 0 };
    let text = String::from_utf8_lossy(&bytes);
    let declared = SourceType::from_path(path).unwrap_or_default();
    let dialect = if declared.is_typescript() { declared } else { declared.with_jsx(true) };
    let parsed = Parser::new(arena, &text, dialect).parse();
    let symbols = if parsed.panicked {
        0
    } else {
        SemanticBuilder::new().build(&parsed.program).semantic.scoping().symbols_len()
    };
    arena.reset();
    symbols
}
