//! A duty on the ways through small functions: `open()` begins it, `close()` discharges it.

use loadworthy_syntax::{FunctionId, Kind, Module, NodeId, STACK_BYTES, parse};

use super::{Act, Assumption, Begin, Duty, ExitKind, Ways, ways};

struct OpenClose<'m>(&'m Module);

impl Duty for OpenClose<'_> {
    fn act(&self, node: NodeId) -> Act {
        match self.0.kind(node) {
            Kind::Call { callee, .. } => match self.0.source(callee) {
                "open" | "pool.connect" => Act::Begins,
                "close" | "client.release" => Act::Discharges,
                "process.exit" => Act::NeverReturns,
                _ => Act::Nothing,
            },
            _ => Act::Nothing,
        }
    }

    fn assume(&self, test: NodeId, holds: bool) -> Assumption {
        match self.0.source(test) {
            "client" if !holds => Assumption::Impossible,
            "isClosed" if holds => Assumption::Discharged,
            _ => Assumption::Nothing,
        }
    }
}

fn walked(body: &str, begin: Begin) -> (Module, Ways) {
    let text = format!("async function f() {{ {body} }}");
    let module = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || parse("a.js", &text).module.unwrap())
        .unwrap()
        .join()
        .unwrap();
    let found = ways(&module, FunctionId::new(0), begin, &OpenClose(&module));
    (module, found)
}

/// Kind and text of the open ways out of a function in which `open()` begins the duty.
fn open_after(body: &str) -> Vec<(ExitKind, String)> {
    let (module, found) = walked(body, Begin::AtAct);
    let text = |exit: &super::Exit| match exit.kind {
        ExitKind::End => String::new(),
        _ => module.source(exit.node).to_owned(),
    };
    found.open.iter().map(|exit| (exit.kind, text(exit))).collect()
}

/// The same where the duty begins at the entry.
fn open_from_entry(body: &str) -> Vec<ExitKind> {
    walked(body, Begin::AtEntry).1.open.iter().map(|exit| exit.kind).collect()
}

#[test]
fn straight_line_code_discharges() {
    assert_eq!(open_after("open(); close();"), []);
    assert_eq!(open_after("open();"), [(ExitKind::End, String::new())]);
    assert_eq!(open_after("close();"), []);
}

#[test]
fn an_early_return_between_leaves_it_open_and_one_before_does_not() {
    assert_eq!(open_after("open(); if (a) return b; close();"), [(ExitKind::Return, "return b;".into())]);
    assert_eq!(open_after("if (a) return b; open(); close();"), []);
    assert_eq!(open_after("open(); if (a) { close(); return b; } close();"), []);
}

#[test]
fn a_failure_between_leaves_it_open_unless_finally_discharges() {
    assert_eq!(open_after("open(); await q(); close();"), [(ExitKind::Failure, "await q()".into())]);
    assert_eq!(open_after("open(); try { await q(); } finally { close(); }"), []);
    assert_eq!(open_after("await q(); open(); close();"), []);
}

#[test]
fn an_acquisition_that_fails_acquired_nothing() {
    assert_eq!(open_after("const client = await pool.connect(); client.release();"), []);
}

#[test]
fn finally_discharges_every_way_out_of_its_block() {
    let body = "open(); try { if (a) return 1; if (b) throw new E(); for (const x of y) { if (x) break; } } finally { close(); }";
    assert_eq!(open_after(body), []);
}

#[test]
fn a_catch_that_ends_silently_is_a_way_out() {
    let (module, found) = walked("try { await q(); close(); } catch (e) { log(e); }", Begin::AtEntry);
    let [exit] = found.open.as_slice() else { panic!("{:?}", found.open) };
    assert_eq!(exit.kind, ExitKind::End);
    let via: Vec<_> = exit.via.iter().map(|node| module.source(*node)).collect();
    assert_eq!(via, ["catch (e) { log(e); }"]);
    assert_eq!(open_from_entry("try { await q(); close(); } catch (e) { close(); }"), []);
}

#[test]
fn a_failure_in_a_catch_clause_is_not_caught_by_it() {
    assert_eq!(
        open_after("open(); try { await q(); close(); } catch (e) { await report(e); close(); }"),
        [(ExitKind::Failure, "await report(e)".into())]
    );
}

#[test]
fn throw_inside_try_goes_to_the_catch_clause() {
    assert_eq!(open_from_entry("try { if (a) throw b; close(); } catch { close(); }"), []);
    assert_eq!(open_from_entry("if (a) throw b; close();"), [ExitKind::Throw]);
}

#[test]
fn both_branches_must_discharge() {
    assert_eq!(open_from_entry("if (a) close(); else close();"), []);
    assert_eq!(open_from_entry("if (a) close();"), [ExitKind::End]);
    assert_eq!(open_from_entry("a ? close() : close();"), []);
    assert_eq!(open_from_entry("a && close();"), [ExitKind::End]);
}

#[test]
fn the_branch_without_discharge_is_named() {
    let (module, found) = walked("if (a) { close(); } else { log(); }", Begin::AtEntry);
    let via: Vec<_> = found.open.iter().flat_map(|exit| &exit.via).map(|node| module.source(*node)).collect();
    assert_eq!(via, ["{ log(); }"]);
}

#[test]
fn a_branch_that_decides_nothing_is_not_named() {
    let (module, found) = walked("if (a) { log(); } else { warn(); } log();", Begin::AtEntry);
    let [exit] = found.open.as_slice() else { panic!("{:?}", found.open) };
    assert_eq!(
        exit.via.iter().map(|node| module.kind(*node)).filter(|kind| matches!(kind, Kind::Block(_))).count(),
        1
    );
    assert_eq!(exit.via, [exit.node]);
}

#[test]
fn a_loop_may_not_run_but_do_while_does_and_an_endless_one_ends_by_break_only() {
    assert_eq!(open_from_entry("for (const x of y) close();"), [ExitKind::End]);
    assert_eq!(open_from_entry("while (a) close();"), [ExitKind::End]);
    assert_eq!(open_from_entry("do { close(); } while (a);"), []);
    assert_eq!(
        open_from_entry("while (true) { await q(); if (a) { close(); break; } }"),
        [ExitKind::Failure]
    );
    assert_eq!(open_from_entry("for (;;) { if (a) break; }"), [ExitKind::End]);
}

#[test]
fn what_a_loop_opens_must_be_closed_in_each_round() {
    assert_eq!(
        open_after("for (const x of y) { open(); if (x) continue; close(); }"),
        [(ExitKind::End, String::new())]
    );
    assert_eq!(open_after("for (const x of y) { open(); if (x) { close(); continue; } close(); }"), []);
}

#[test]
fn a_switch_needs_a_default() {
    assert_eq!(open_from_entry("switch (a) { case 1: close(); break; default: close(); }"), []);
    assert_eq!(open_from_entry("switch (a) { case 1: close(); break; }"), [ExitKind::End]);
    assert_eq!(
        open_from_entry("switch (a) { case 1: case 2: close(); return; default: return close(); }"),
        []
    );
}

#[test]
fn conditions_that_the_duty_knows_count() {
    assert_eq!(
        open_after(
            "let client; try { client = await pool.connect(); await q(); } finally { if (client) client.release(); }"
        ),
        []
    );
    assert_eq!(
        open_after("let client; try { client = await pool.connect(); await q(); } finally { if (other) client.release(); }").len(),
        2
    );
    assert_eq!(open_from_entry("if (isClosed) return; close();"), []);
    assert_eq!(open_from_entry("if (!isClosed) close();"), []);
    assert_eq!(open_from_entry("if (isClosed || a) return; close();"), [ExitKind::Return]);
}

#[test]
fn the_end_of_the_process_is_no_way_out() {
    assert_eq!(open_from_entry("if (a) process.exit(1); close();"), []);
}

#[test]
fn discharging_twice_on_one_way_is_told() {
    let (module, found) = walked("if (a) close(1); close(2);", Begin::AtEntry);
    let again: Vec<_> = found
        .again
        .iter()
        .map(|(node, before)| {
            (module.source(*node), before.iter().map(|node| module.source(*node)).collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(again, [("close(2)", vec!["close(1)"])]);
    assert_eq!(walked("if (a) return close(1); close(2);", Begin::AtEntry).1.again, []);
    assert_eq!(walked("if (a) close(1); else close(2);", Begin::AtEntry).1.again, []);
}

#[test]
fn functions_inside_are_not_entered() {
    assert_eq!(open_from_entry("run(() => close());"), [ExitKind::End]);
}
