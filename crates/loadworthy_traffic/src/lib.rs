//! The requests of access logs and HAR files: method, path, host and time, one after the other.
//!
//! What a file is, is told by its content: JSON lines and text lines may alternate, as in the output of a container. Lines
//! are read one at a time, so that a log may be larger than the memory. Knows nothing of routes and opens no files.

mod har;
mod line;
mod read;
mod record;
mod request;
mod time;

pub use read::{Form, Log, ReadError, Summary};
pub use request::Request;
