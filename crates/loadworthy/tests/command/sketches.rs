//! What fixes show where the code is to be written by hand: the result must mean what the code meant.

use crate::support::{MANIFEST, project, report};

/// The code after, of the finding of a check at a line.
fn after(code: &str, check: &str, line: u64) -> String {
    let dir = project(&[("package.json", MANIFEST), ("app.ts", code)]);
    let report = report(dir.path(), &[]);
    let findings = report["findings"].as_array().unwrap().iter();
    let mut found = findings.filter(|it| it["check"] == check && it["location"]["start_line"] == line);
    let finding = found.next().unwrap_or_else(|| panic!("no {check} at {line}: {}", report["findings"]));
    finding["fix"]["after"].as_str().unwrap_or_default().to_owned()
}

const HEAD: &str = "import express from 'express';
import { PrismaClient } from '@prisma/client';
const prisma = new PrismaClient();
const app = express();
";

#[test]
fn counts_of_a_loop_are_one_grouped_query() {
    let code = format!(
        "{HEAD}app.get('/projects', async (req, res) => {{
  const projects = await prisma.project.findMany({{ take: 50 }});
  for (const project of projects) {{
    project.tasks = await prisma.task.count({{ where: {{ projectId: project.id }} }});
  }}
  res.json(projects);
}});
"
    );
    let after = after(&code, "1A", 8);
    assert!(after.contains("prisma.task.groupBy({ by: ['projectId'], _count: { _all: true }"), "{after}");
    assert!(after.contains("countByProjectId.get(project.id) ?? 0"), "{after}");
}

#[test]
fn the_newest_row_of_each_stays_the_newest() {
    let code = format!(
        "{HEAD}app.get('/projects', async (req, res) => {{
  const projects = await prisma.project.findMany({{ take: 50 }});
  for (const project of projects) {{
    project.last = await prisma.task.findFirst({{ where: {{ projectId: project.id }}, orderBy: {{ createdAt: 'desc' }} }});
  }}
  res.json(projects);
}});
"
    );
    let after = after(&code, "1A", 8);
    assert!(
        after
            .contains("if (!taskByProjectId.has(task.projectId)) taskByProjectId.set(task.projectId, task);"),
        "{after}"
    );
}

#[test]
fn what_was_read_is_not_named_where_it_is_read_no_more() {
    let code = format!(
        "{HEAD}app.post('/items', async (req, res) => {{
  const found = await prisma.item.findFirst({{ where: {{ name: req.body.name }} }});
  if (found) await prisma.item.update({{ where: {{ id: found.id }}, data: {{ seen: true }} }});
  else await prisma.item.create({{ data: {{ name: req.body.name }} }});
  res.end();
}});
"
    );
    let after = after(&code, "3C", 6);
    assert!(after.contains("prisma.item.create") && !after.contains("found"), "{after}");
}
