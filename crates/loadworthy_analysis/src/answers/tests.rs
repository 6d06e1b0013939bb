//! Whether the handler `f` answers on every way.

use std::fs;

use loadworthy_knowledge::Knowledge;
use loadworthy_project::{DiscoverOptions, Project};
use loadworthy_syntax::FunctionId;

use super::Positions;
use crate::{Analysis, Program};

/// Texts of the ways out without an answer, and of second answers.
fn read(parameters: &str, body: &str) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let code = format!(
        "const db = require('mysql').createConnection({{}});\nconst fs = require('fs');\nasync function f({parameters}) {{ {body} }}\n"
    );
    fs::write(folder.path().join("package.json"), r#"{ "dependencies": { "mysql": "2.18.0" } }"#).unwrap();
    fs::create_dir(folder.path().join("server")).unwrap();
    fs::write(folder.path().join("server/a.js"), code).unwrap();
    let project = Project::discover(folder.path(), &DiscoverOptions::default()).unwrap();
    let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
    let analysis = Analysis::new(&program);
    let file = project.file_by_path("server/a.js").unwrap();
    let module = program.module(file).unwrap();
    let at = module.functions().iter().position(|it| module.str(it.name) == "f").unwrap();
    let function = module.functions()[at];
    let positions = Positions::of(function.parameters.len());
    let answers = analysis.answers((file, FunctionId::new(at)), positions);
    let text = |node| module.source(node).to_owned();
    let missing =
        answers.missing.iter().flat_map(|(_, exit)| exit.via.iter().map(|via| text(*via))).collect();
    (missing, answers.doubled.iter().map(|(second, _)| text(*second)).collect())
}

fn missing(body: &str) -> Vec<String> {
    read("req, res, next", body).0
}

fn answers(body: &str) -> bool {
    missing(body).is_empty()
}

#[test]
fn a_sent_response_answers_and_a_status_alone_does_not() {
    assert!(answers("res.status(200).json({});"));
    assert!(answers("res.sendStatus(204);"));
    assert!(!answers("res.status(200);"));
    assert!(!answers("return res.status(400);"));
    assert!(!answers("res.setHeader('a', 'b');"));
    assert!(!answers("log(req);"));
}

#[test]
fn a_catch_that_only_logs_does_not_answer() {
    assert_eq!(
        missing("try { res.json(await q()); } catch (e) { console.log(e); }"),
        ["catch (e) { console.log(e); }"]
    );
    assert!(answers("try { res.json(await q()); } catch (e) { next(e); }"));
    assert!(answers("try { res.json(await q()); } catch (e) { console.log(e); res.status(500).end(); }"));
    assert!(answers("try { res.json(await q()); } catch (e) { throw e; }"));
}

#[test]
fn early_returns_and_missing_branches_do_not_answer() {
    assert!(!answers("if (!req.user) return; res.json({});"));
    assert!(answers("if (!req.user) return res.sendStatus(401); res.json({});"));
    assert!(!answers("if (req.user) res.json({});"));
    assert!(answers("if (req.user) { res.json({}); } else { next(); }"));
    assert!(answers("if (res.headersSent) return; res.json({});"));
}

#[test]
fn giving_the_response_away_answers() {
    for body in [
        "stream.pipe(res);",
        "send(res, 1);",
        "proxy.web(req, res, {});",
        "clients.push({ res, id });",
        "const out = res; out.end();",
        "res.write('x');",
        "auth(req, res, next);",
        "return controller.run({ req, res });",
    ] {
        assert!(answers(body), "{body}");
    }
}

#[test]
fn closures_that_answer_count_where_they_are_called_or_handed() {
    assert!(answers("const fail = (code) => res.sendStatus(code); if (a) return fail(400); res.json({});"));
    assert!(!answers("const fail = (code) => res.sendStatus(code); if (a) return; fail(400);"));
    assert!(answers("function done() { res.end(); } setTimeout(done, 10);"));
    assert!(answers("stream.on('end', () => res.end());"));
    assert!(!answers("req.on('close', () => log());"));
}

#[test]
fn a_promise_chain_must_answer_in_both_handlers() {
    assert!(answers("q().then(x => res.json(x)).catch(next);"));
    assert!(answers("q().then(x => { res.json(x); }).catch(e => { res.sendStatus(500); });"));
    assert_eq!(
        missing("q().then(x => { res.json(x); }).catch(e => { if (a) next(e); });"),
        ["if (a) next(e);"]
    );
    assert_eq!(missing("q().then(x => { if (x) res.json(x); }).catch(next);"), ["if (x) res.json(x);"]);
    assert!(answers("q().then(x => { if (x) res.json(x); }).then(() => res.end()).catch(next);"));
}

#[test]
fn a_node_style_callback_must_answer_on_every_way() {
    assert_eq!(
        missing(
            "db.query('select 1', (err, rows) => { if (err) { console.log(err); return; } res.json(rows); });"
        ),
        ["{ console.log(err); return; }"]
    );
    assert!(answers("db.query('select 1', (err, rows) => { if (err) return next(err); res.json(rows); });"));
    assert!(answers("db.query('select 1', (err, rows) => { if (rows) log(rows); }); res.json({});"));
}

#[test]
fn two_responses_on_one_way_are_told() {
    let doubled = |body| read("req, res", body).1;
    assert_eq!(doubled("if (!a) { res.status(404).json({}); } res.json(a);"), ["res.json(a)"]);
    assert!(doubled("if (!a) { return res.status(404).json({}); } res.json(a);").is_empty());
    assert!(doubled("if (!a) { res.status(404).json({}); } else { res.json(a); }").is_empty());
    assert!(doubled("if (!a) { res.status(404).json({}); return; } res.json(a);").is_empty());
    assert!(doubled("res.write('a'); res.end();").is_empty());
}

#[test]
fn error_middleware_has_its_response_in_third_place() {
    assert!(read("err, req, res, next", "res.status(500).end();").0.is_empty());
    assert_eq!(read("err, req, res, next", "console.error(err);").0.len(), 1);
}

#[test]
fn the_end_of_the_process_is_no_missing_answer() {
    assert!(answers("if (a) process.exit(1); res.end();"));
}

#[test]
fn a_variable_that_is_only_set_where_an_answer_follows_tells_of_it() {
    assert!(answers(
        "let t; if (a) { try { t = b(); next(); } catch (e) { throw e; } } if (!t) { throw new Error(); }"
    ));
    assert!(!answers("let t; if (a) { t = b(); } if (!t) { throw new Error(); }"));
}

#[test]
fn the_third_parameter_is_there_whatever_its_name() {
    assert!(read("req, res, render = true", "if (render) res.json({});").0.is_empty());
    assert!(!read("req, res, next", "if (req.render) res.json({});").0.is_empty());
}
