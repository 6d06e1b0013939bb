//! The files of an application at its commit: from a bare repository, local or fetched, into the cache.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::failure::Failure;

use super::applications::Application;

/// Where applications come from.
#[derive(Debug)]
pub(super) struct Source {
    mirror: Option<PathBuf>,
    may_fetch: bool,
    cache: PathBuf,
}

/// No analysis reads these, and they are most of the bytes.
const MEDIA: &[&str] = &[
    "avif", "eot", "gif", "gz", "ico", "jpeg", "jpg", "mov", "mp3", "mp4", "otf", "pdf", "png", "psd", "svg",
    "ttf", "wasm", "wav", "webm", "webp", "woff", "woff2", "zip",
];

impl Source {
    /// Local bare repositories, or GitHub; without either, what the cache holds.
    pub(super) fn new(mirror: Option<&Path>, may_fetch: bool, cache: &Path) -> Result<Self, Failure> {
        let mirror = match mirror {
            Some(folder) => Some(fs::canonicalize(folder).map_err(Failure::at(folder))?),
            None => None,
        };
        fs::create_dir_all(cache).map_err(Failure::at(cache))?;
        Ok(Self { mirror, may_fetch, cache: fs::canonicalize(cache).map_err(Failure::at(cache))? })
    }

    /// The folder with the application's files, media left out.
    pub(super) fn tree(&self, application: &Application) -> Result<PathBuf, Failure> {
        let tree = self.cache.join(format!("{}@{}", application.name, &application.commit));
        if tree.is_dir() {
            return Ok(tree);
        }
        let repository = self.repository(application)?;
        let partial = self.cache.join(format!("{}.partial-{}", application.name, std::process::id()));
        export(&repository, &application.commit, &partial)?;
        fs::rename(&partial, &tree).map_err(Failure::at(&tree))?;
        Ok(tree)
    }

    fn repository(&self, application: &Application) -> Result<PathBuf, Failure> {
        let name = application.repository.replace('/', "+");
        if let Some(mirror) = &self.mirror {
            return bare(mirror, &name)
                .ok_or_else(|| Failure::Usage(format!("no repository {name} in {}", mirror.display())));
        }
        let repository = self.cache.join(format!("{name}.git"));
        if self.may_fetch {
            let url = format!("https://github.com/{}.git", application.repository);
            fetch(&url, &application.commit, &repository)?;
            return Ok(repository);
        }
        let message = "not in the cache; give --mirror DIR or --git";
        Err(Failure::Usage(format!("{}: {message}", application.name)))
    }
}

/// The forms in which a folder of bare repositories may hold one.
fn bare(mirror: &Path, name: &str) -> Option<PathBuf> {
    let forms = [mirror.join(name).join("repo"), mirror.join(format!("{name}.git")), mirror.join(name)];
    forms.into_iter().find(|folder| folder.join("HEAD").is_file())
}

/// One commit without history.
fn fetch(url: &str, commit: &str, repository: &Path) -> Result<(), Failure> {
    if !repository.join("HEAD").is_file() {
        let path = repository.display().to_string();
        text(Command::new("git").args(["init", "--quiet", "--bare", &path]))?;
    }
    text(git(repository).args(["fetch", "--quiet", "--depth", "1", url, commit])).map(|_| ())
}

/// Git on a bare repository; never asks, never fetches missing files one by one, runs nothing of the repository.
fn git(repository: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "core.hooksPath=/dev/null", "--git-dir"])
        .arg(repository)
        .envs([("GIT_TERMINAL_PROMPT", "0"), ("GIT_NO_LAZY_FETCH", "1")]);
    command
}

fn text(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| Failure::of("git", error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::of("git", String::from_utf8_lossy(&output.stderr)))
}

/// A file of a commit.
#[derive(Debug, PartialEq, Eq)]
struct Blob {
    hash: String,
    path: PathBuf,
}

/// Writes the files of a commit below `tree`. A file that the repository lacks (mirrors leave out the very large) is
/// left out.
fn export(repository: &Path, commit: &str, tree: &Path) -> Result<(), Failure> {
    let listing = text(git(repository).args(["ls-tree", "-r", "-z", commit]))?;
    let blobs: Vec<Blob> = listing.split('\0').filter_map(blob).collect();
    fs::create_dir_all(tree).map_err(Failure::at(tree))?;
    let mut cat = git(repository)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Failure::of("git", error))?;
    let hashes: Vec<u8> = blobs.iter().flat_map(|blob| format!("{}\n", blob.hash).into_bytes()).collect();
    let Some(mut questions) = cat.stdin.take() else { return Err(Failure::of("git", "no input")) };
    // Asked from another thread: both pipes are of limited size.
    let asking = std::thread::spawn(move || questions.write_all(&hashes));
    let written = write_all(&mut cat, &blobs, tree);
    let _ = cat.kill();
    let _ = cat.wait();
    let _ = asking.join();
    written
}

/// A line of `git ls-tree`: mode, kind, hash, tab, path. Links, submodules, media, and paths that lead out of the tree
/// are left out.
fn blob(line: &str) -> Option<Blob> {
    let (about, path) = line.split_once('\t')?;
    let mut about = about.split(' ');
    let (mode, kind, hash) = (about.next()?, about.next()?, about.next()?);
    let path = PathBuf::from(path);
    let stays_inside =
        path.components().all(|part| matches!(part, Component::Normal(name) if name != ".git"));
    let is_media = path
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| MEDIA.contains(&extension.to_ascii_lowercase().as_str()));
    let is_file = kind == "blob" && mode != "120000";
    (is_file && stays_inside && !is_media).then(|| Blob { hash: hash.to_owned(), path })
}

/// Answers come in the order of the questions: `<hash> blob <size>`, the bytes, a line break; or `<hash> missing`.
fn write_all(cat: &mut Child, blobs: &[Blob], tree: &Path) -> Result<(), Failure> {
    let Some(answers) = cat.stdout.take() else { return Err(Failure::of("git", "no output")) };
    let mut answers = BufReader::new(answers);
    for blob in blobs {
        let mut head = String::new();
        answers.read_line(&mut head).map_err(|error| Failure::of("git", error))?;
        let Some(size) = head.split(' ').nth(2) else { continue };
        let size: usize = size.trim_end().parse().map_err(|error| Failure::of("git", error))?;
        let mut bytes = vec![0; size + 1];
        answers.read_exact(&mut bytes).map_err(|error| Failure::of("git", error))?;
        bytes.truncate(size);
        let path = tree.join(&blob.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Failure::at(folder))?;
        }
        fs::write(&path, bytes).map_err(Failure::at(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_no_analysis_reads_or_that_lead_outside_are_left_out() {
        let path = |line: &str| blob(line).map(|blob| blob.path.display().to_string());
        assert_eq!(path("100644 blob 0a\tsrc/a b.ts"), Some("src/a b.ts".to_owned()));
        for line in [
            "100644 blob 0a\tlogo.PNG",
            "120000 blob 0a\tlink.ts",
            "160000 commit 0a\tmodule",
            "100644 blob 0a\t../outside.ts",
            "100644 blob 0a\t/etc/passwd",
            "100644 blob 0a\t.git/config",
            "",
        ] {
            assert_eq!(path(line), None, "{line}");
        }
    }

    /// A bare repository with one commit of one file; its hash.
    fn repository(folder: &Path) -> String {
        let bare = folder.join("o+shop").join("repo");
        let work = folder.join("work");
        let run =
            |arguments: &[&str]| text(Command::new("git").arg("-C").arg(&work).args(arguments)).unwrap();
        fs::create_dir_all(work.join("src")).unwrap();
        fs::write(work.join("src/a.js"), "let a;\n").unwrap();
        fs::write(work.join("logo.png"), "x").unwrap();
        run(&["init", "--quiet"]);
        run(&["add", "."]);
        run(&["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "one"]);
        run(&["clone", "--quiet", "--bare", ".", &bare.display().to_string()]);
        run(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    #[test]
    fn a_pinned_commit_is_exported_once_and_then_comes_from_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let mirror = folder.path().join("mirror");
        let commit = repository(&mirror);
        let application = Application { name: "shop".to_owned(), repository: "o/shop".to_owned(), commit };
        let cache = folder.path().join("cache");
        let tree = Source::new(Some(&mirror), false, &cache).unwrap().tree(&application).unwrap();
        assert_eq!(fs::read_to_string(tree.join("src/a.js")).unwrap(), "let a;\n");
        assert!(!tree.join("logo.png").exists());
        assert_eq!(Source::new(None, false, &cache).unwrap().tree(&application).unwrap(), tree);
    }

    #[test]
    fn one_commit_is_fetched_from_afar() {
        let folder = tempfile::tempdir().unwrap();
        let commit = repository(folder.path());
        let url = format!("file://{}", folder.path().join("o+shop/repo").display());
        let fetched = folder.path().join("fetched.git");
        fetch(&url, &commit, &fetched).unwrap();
        export(&fetched, &commit, &folder.path().join("tree")).unwrap();
        assert!(folder.path().join("tree/src/a.js").is_file());
        assert!(fetch(&url, "0123456789abcdef0123456789abcdef01234567", &fetched).is_err());
    }

    #[test]
    fn a_commit_that_the_mirror_lacks_is_an_error_and_leaves_nothing_in_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let mirror = folder.path().join("mirror");
        repository(&mirror);
        let commit = "0123456789abcdef0123456789abcdef01234567".to_owned();
        let application = Application { name: "shop".to_owned(), repository: "o/shop".to_owned(), commit };
        let source = Source::new(Some(&mirror), false, &folder.path().join("cache")).unwrap();
        assert!(source.tree(&application).is_err());
        assert!(source.tree(&application).is_err());
    }
}
