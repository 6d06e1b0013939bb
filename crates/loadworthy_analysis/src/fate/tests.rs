//! The fate of `job()` in small functions.

use loadworthy_syntax::{Kind, STACK_BYTES, parse};

use super::{Fate, fate};

fn of(body: &str) -> Fate {
    let text = format!("async function f(a, list) {{ {body} }}");
    let module = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || parse("a.js", &text).module.unwrap())
        .unwrap()
        .join()
        .unwrap();
    let call = module
        .node_ids()
        .find(|id| matches!(module.kind(*id), Kind::Call { callee, .. } if module.source(callee) == "job"));
    fate(&module, call.unwrap())
}

#[test]
fn awaited_work_escapes_unless_in_try() {
    assert_eq!(of("await job();"), Fate::Escapes);
    assert_eq!(of("try { await job(); } catch {}"), Fate::Caught);
    assert_eq!(of("try { x(); } catch { await job(); }"), Fate::Escapes);
    assert_eq!(of("try { await job(); } finally { x(); }"), Fate::Escapes);
}

#[test]
fn a_promise_given_back_inside_try_escapes() {
    assert_eq!(of("try { return job(); } catch {}"), Fate::Escapes);
    assert_eq!(of("try { return await job(); } catch {}"), Fate::Caught);
}

#[test]
fn nobody_waits_for_a_floating_promise() {
    assert_eq!(of("job();"), Fate::Floating);
    assert_eq!(of("a && job();"), Fate::Floating);
    assert_eq!(of("job().then(x);"), Fate::Floating);
    assert_eq!(of("job().finally(x);"), Fate::Floating);
    assert_eq!(of("void job();"), Fate::Voided);
    assert_eq!(of("const unused = job();"), Fate::Floating);
}

#[test]
fn a_handler_in_the_chain_catches() {
    assert_eq!(of("job().catch(x);"), Fate::Caught);
    assert_eq!(of("job().then(x, y);"), Fate::Caught);
    assert_eq!(of("job().then(x).catch(y);"), Fate::Caught);
    assert_eq!(of("void job().catch(x);"), Fate::Caught);
}

#[test]
fn elements_of_promise_all_are_handled_with_it() {
    assert_eq!(of("await Promise.all([job(), b()]);"), Fate::Escapes);
    assert_eq!(of("Promise.all([job(), b()]);"), Fate::Floating);
    assert_eq!(of("await Promise.allSettled([job()]);"), Fate::Caught);
    assert_eq!(of("try { const [x] = await Promise.all([job()]); } catch {}"), Fate::Caught);
    assert_eq!(of("other([job()]);"), Fate::Unknown);
}

#[test]
fn a_stored_promise_is_handled_where_the_variable_is() {
    assert_eq!(of("const p = job(); await p;"), Fate::Escapes);
    assert_eq!(of("const p = job(); try { await p; } catch {}"), Fate::Caught);
    assert_eq!(of("const p = job(); return p;"), Fate::Escapes);
    assert_eq!(of("const p = job(); const q = b(); await Promise.all([p, q]);"), Fate::Escapes);
    assert_eq!(of("const p = job(); cache.set(1, p);"), Fate::Unknown);
}

#[test]
fn a_stored_promise_behind_another_await_is_late_unless_it_has_a_handler() {
    assert!(matches!(of("const p = job(); const q = await b(); await p;"), Fate::Late { .. }));
    assert!(matches!(of("list.push(job()); await b(); await Promise.all(list);"), Fate::Late { .. }));
    assert_eq!(of("const p = job(); p.catch(() => {}); const q = await b(); await p;"), Fate::Caught);
    assert_eq!(of("const q = await b(); const p = job(); await p;"), Fate::Escapes);
    assert_eq!(of("const p = job(); const q = async () => { await b(); }; await p;"), Fate::Escapes);
}

#[test]
fn a_list_of_promises_is_handled_where_it_is_combined() {
    assert_eq!(of("for (const x of y) { list.push(job(x)); } await Promise.all(list);"), Fate::Escapes);
    assert_eq!(of("list.push(job());"), Fate::Unknown);
}
