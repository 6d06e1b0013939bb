//! The score of each deployable package of a monorepo: what a team that ships one of them wants to know.

use std::collections::BTreeSet;

use loadworthy_project::{PackageId, Project};
use loadworthy_report::{Audited, Evidence, Finding, PackageScore, Report, Suspicion, score};

/// The scores of the packages that are shipped by themselves, by folder; none where there are fewer than two.
pub(crate) fn scores(project: &Project, report: &Report) -> Vec<PackageScore> {
    let deployables = deployables(project, report);
    if deployables.len() < 2 {
        return Vec::new();
    }
    deployables.iter().map(|own| score_of(project, report, *own)).collect()
}

/// Packages that answer requests, and applications: those with code and scripts to build or start, on which no other
/// package of the project depends.
fn deployables(project: &Project, report: &Report) -> Vec<PackageId> {
    let serving: BTreeSet<PackageId> =
        report.routes.iter().filter_map(|route| package_of(project, &route.location.file)).collect();
    let with_code: BTreeSet<PackageId> = project.files.iter().map(|file| file.package).collect();
    let is_application = |id: PackageId| {
        project.package(id).is_some_and(|package| {
            let runs = |name: &str| package.manifest.scripts.iter().any(|script| script.name == name);
            let is_a_library = package.name.as_deref().is_some_and(|name| is_depended_on(project, name));
            with_code.contains(&id) && !is_a_library && (runs("start") || (runs("build") && runs("dev")))
        })
    };
    let ids = project.packages.iter().map(|package| package.id);
    ids.filter(|id| serving.contains(id) || is_application(*id)).collect()
}

fn is_depended_on(project: &Project, name: &str) -> bool {
    let mut dependencies = project.packages.iter().flat_map(|package| &package.manifest.dependencies);
    dependencies.any(|dependency| dependency.name == name)
}

fn package_of(project: &Project, path: &str) -> Option<PackageId> {
    let file = project.file_by_path(path)?;
    project.file(file).map(|file| file.package)
}

/// The score of what lies in a package, or is reached from it.
fn score_of(project: &Project, report: &Report, own: PackageId) -> PackageScore {
    let is_own = |path: &str| package_of(project, path) == Some(own);
    let concerns = |finding: &&Finding| {
        let mut places = finding.evidence.iter().map(|it: &Evidence| it.file.as_str());
        is_own(&finding.location.file) || places.any(is_own)
    };
    let findings: Vec<Finding> = report.findings.iter().filter(concerns).cloned().collect();
    let suspicious: Vec<Suspicion> =
        report.suspicious.iter().filter(|it| concerns(&&it.finding)).cloned().collect();
    let route_count = report.routes.iter().filter(|route| is_own(&route.location.file)).count();
    let package = project.package(own);
    let path = package.map_or("", |package| package.dir.as_str());
    PackageScore {
        name: package.and_then(|package| package.name.clone()).unwrap_or_else(|| path.to_owned()),
        path: if path.is_empty() { String::from(".") } else { path.to_owned() },
        score: score(&Audited { findings: &findings, suspicious: &suspicious, route_count }),
    }
}
