//! # Payloads held in memory
//! Uploads, bodies, files and exports that are in memory as a whole while a request is served.
//!
//! ## Why it fails under load
//! Memory is size × requests at the same time, and buffers lie outside the heap, where no heap limit stops them: 20 uploads of
//! 50 MB are 1 GB, and the container is killed with every request it holds. A body limit of 50 MB also lets one client make
//! `JSON.parse` block the event loop for a second. An export that is built as one string exists three times: rows, text, and
//! the bytes that are sent.
//!
//! ## Bad
//! ```ts title="src/app.ts"
//! import express from "express";
//! import multer from "multer";
//! const app = express();
//! const upload = multer({ storage: multer.memoryStorage() }); // finding: 2D
//! app.post("/avatars", upload.single("file"), (req, res) => {
//!   res.json({ size: req.file.size });
//! });
//! app.listen(3000);
//! ```
//!
//! ## Good
//! ```ts title="src/app.ts"
//! import express from "express";
//! import multer from "multer";
//! const app = express();
//! const upload = multer({ dest: "/tmp/uploads", limits: { fileSize: 2 * 1024 * 1024, files: 1 } });
//! app.post("/avatars", upload.single("file"), (req, res) => {
//!   res.json({ size: req.file.size });
//! });
//! app.listen(3000);
//! ```
//!
//! ## Leaves alone
//! Streams and pipelines; presigned uploads; limits of a few megabytes; small fixed files that are read once; the default body
//! limits of the frameworks.

mod uploads;
mod whole;

use crate::audit::Audit;
use crate::finding::Finding;
use crate::meta::{Category, Check, Meta};

pub(crate) struct BufferedPayload;

static META: Meta = Meta {
    code: "2D",
    slug: "buffered-payload",
    category: Category::Memory,
    summary: "files, bodies or exports are held in memory as a whole",
    page: include_str!("buffered_payload.rs"),
};

/// Bytes in a megabyte, as limits count.
const MEGABYTE: f64 = 1_048_576.0;
/// An upload where nothing limits it: a photo of a phone is 5 MB, a video 50.
const UPLOAD_BYTES: f64 = 50.0 * MEGABYTE;

impl Check for BufferedPayload {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        uploads::run(audit, findings);
        whole::run(audit, findings);
    }
}
