//! Deployment files of hosting platforms, one file a family.

mod amazon;
mod containers;
mod edge;
mod google;
mod plans;

use loadworthy_knowledge::Knowledge;

use crate::document::Node;
use crate::paths;
use crate::signs::{Scope, Signs, Target};

/// Reads a document if its name is that of a platform's file; whether it was.
pub(crate) fn read(
    path: &str,
    document: &Node,
    scope: &Scope<'_>,
    knowledge: &Knowledge,
    signs: &mut Signs,
) -> bool {
    let name = paths::file_name(path);
    match name {
        "serverless.yml" | "serverless.yaml" => amazon::serverless(document, scope, signs),
        "template.yaml" | "template.yml" | "sam.yaml" if amazon::is_sam(document) => {
            amazon::sam(document, scope, signs);
        }
        "Dockerrun.aws.json" => amazon::task(document, scope, signs),
        _ if amazon::is_task(document) => amazon::task(document, scope, signs),
        "vercel.json" | "now.json" => edge::vercel(document, scope, signs),
        "netlify.toml" => edge::netlify(document, scope, signs),
        "wrangler.toml" | "wrangler.json" | "wrangler.jsonc" => edge::wrangler(document, scope, signs),
        "firebase.json" => edge::firebase(document, scope, signs),
        "amplify.yml" => edge::amplify(document, scope, signs),
        "staticwebapp.config.json" => edge::static_web_app(document, scope, signs),
        "render.yaml" | "render.yml" => containers::render(document, scope, knowledge, signs),
        "fly.toml" => containers::fly(document, scope, knowledge, signs),
        "railway.json" | "railway.toml" => containers::railway(document, scope, signs),
        ".replit" => containers::replit(document, scope, signs),
        "nixpacks.toml" => containers::nixpacks(document, scope, signs),
        "app.json" if document.key("formation").is_some() => {
            containers::heroku(document, scope, knowledge, signs);
        }
        "app.yaml" | "app.yml" if document.key("runtime").is_some() => {
            google::app_engine(document, scope, knowledge, signs);
        }
        "app.yaml" | "app.yml" if document.key("services").is_some() => {
            containers::digital_ocean(document, scope, knowledge, signs);
        }
        _ => return false,
    }
    true
}

pub(crate) use google::cloud_run;

/// A platform, found at a node.
fn target(target: Target, node: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let note = target.name.clone();
    signs.targets.push(scope.sign(target, node.line, note));
}
