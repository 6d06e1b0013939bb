//! The HTML report in a real browser: that of the demo, and that of an application whose names, comments and strings try to
//! become markup.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo;
use crate::failure::Failure;

/// Where Chromium is looked for, beside what `CHROMIUM` names.
const CHROMIUM: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// Opens both reports.
pub(crate) fn run() -> Result<(), Failure> {
    let chromium = chromium()?;
    let folder = cargo::target_folder().join("browser");
    fs::create_dir_all(&folder).map_err(Failure::at(&folder))?;
    let source = cargo::workspace().join("xtask").join("browser");
    for name in ["package.json", "package-lock.json", "test.mjs"] {
        fs::copy(source.join(name), folder.join(name)).map_err(Failure::at(&source.join(name)))?;
    }
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
    status(Command::new("npm").args(npm).current_dir(&folder), "npm ci")?;
    let demo = report(&cargo::workspace().join("examples").join("storefront"), &folder.join("demo.html"))?;
    let hostile = report(&hostile(&folder)?, &folder.join("hostile.html"))?;
    let mut test = Command::new("node");
    test.arg(folder.join("test.mjs")).arg(chromium).arg(demo).arg(hostile);
    status(&mut test, "node xtask/browser/test.mjs")
}

fn chromium() -> Result<PathBuf, Failure> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    named.into_iter().chain(CHROMIUM.map(PathBuf::from)).find(|path| path.exists()).ok_or_else(|| {
        Failure::of(
            "chromium",
            "install it (`apt-get install chromium`), or name it in the environment variable CHROMIUM",
        )
    })
}

fn report(app: &Path, file: &Path) -> Result<PathBuf, Failure> {
    let binary = cargo::debug_binary("loadworthy");
    let mut audit = Command::new(&binary);
    audit.args(["--quiet", "--format", "html", "--output"]).arg(file).arg(app);
    status(&mut audit, "loadworthy --format html")?;
    Ok(file.to_path_buf())
}

/// An application that is hostile to its reader.
fn hostile(folder: &Path) -> Result<PathBuf, Failure> {
    const MARKUP: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>";
    let app = folder.join("hostile");
    let source = app.join("src").join("<img src=x onerror=alert(3)>");
    fs::create_dir_all(&source).map_err(Failure::at(&source))?;
    let manifest = r#"{ "name": "<b>shop</b>", "dependencies": { "express": "4.21.2", "pg": "8.13.0" } }"#;
    let code = format!(
        "const express = require('express');\nconst {{ Pool }} = require('pg');\nconst pool = new Pool();\nconst app = express();\n\
         app.get('/{MARKUP}', async (req, res) => {{\n  const {{ rows }} = await pool.query('SELECT * FROM orders /* {MARKUP} */');\n  \
         for (const row of rows) await pool.query(`SELECT '{MARKUP}' FROM items WHERE id = $1`, [row.id]);\n  res.json(rows);\n}});\n\
         app.listen(3000);\n"
    );
    let files = [(app.join("package.json"), manifest.to_owned()), (source.join("a\u{202E}b.js"), code)];
    for (path, text) in files {
        fs::write(&path, text).map_err(Failure::at(&path))?;
    }
    Ok(app)
}

fn status(command: &mut Command, name: &str) -> Result<(), Failure> {
    let status = command.status().map_err(|error| Failure::of(name, error))?;
    if status.success() { Ok(()) } else { Err(Failure::Red(name.to_owned())) }
}
