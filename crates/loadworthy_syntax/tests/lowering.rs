//! What lowering keeps of a file: names resolved, exports listed, one form for each meaning.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use loadworthy_syntax::{
    BindingId, BindingKind, ExportTarget, FunctionId, ImportName, Kind, MemberKind, Module, NodeId,
    STACK_BYTES, TypeForm, WHOLE_MODULE, parse,
};
use proptest::prelude::*;

fn lowered(path: &str, text: &str) -> Module {
    let parsed = parse(path, text);
    assert_eq!(parsed.errors, [], "{text}");
    parsed.module.expect("a module")
}

fn binding(module: &Module, name: &str) -> BindingId {
    let found = module.bindings().iter().position(|it| module.str(it.name) == name);
    BindingId::new(found.unwrap_or_else(|| panic!("no binding {name}")))
}

fn calls(module: &Module) -> Vec<&str> {
    module.calls().iter().map(|id| module.source(*id)).collect()
}

#[test]
fn uses_resolve_to_the_innermost_declaration() {
    let module = lowered("a.ts", "const db = 1; function f(db: Pool) { return db; } db;");
    let outer = binding(&module, "db");
    assert_eq!(module.references(outer).len(), 1);
    let parameter = module
        .bindings()
        .iter()
        .position(|it| it.kind == BindingKind::Parameter)
        .map(BindingId::new)
        .unwrap();
    let [only] = module.references(parameter) else { panic!("one use of the parameter") };
    assert!(matches!(module.kind(module.parent(*only)), Kind::Return(_)));
    let declared = module.type_ref(module.binding(parameter).unwrap().type_id).unwrap();
    assert_eq!((declared.form, module.str(declared.name)), (TypeForm::Reference, "Pool"));
}

#[test]
fn casts_parentheses_and_optional_chains_leave_no_node() {
    let module = lowered("a.ts", "(req as any)!.body?.items?.map((it) => it!);");
    let call = module.calls()[0];
    let Kind::Call { callee, .. } = module.kind(call) else { panic!("a call") };
    let Kind::Member { object, name } = module.kind(callee) else { panic!("a member") };
    assert_eq!(module.str(name), "map");
    let Kind::Member { object, name } = module.kind(object) else { panic!("a member") };
    assert_eq!(module.str(name), "items");
    let Kind::Member { object, .. } = module.kind(object) else { panic!("a member") };
    assert!(matches!(module.kind(object), Kind::Name { binding: BindingId::NONE, .. }));
}

#[test]
fn exports_of_every_form_are_listed() {
    let module = lowered(
        "a.js",
        "export const a = 1, { b, c: [d] } = x; export function e() {} export class F {}\n\
         export { g as h } from './g'; export * from './all'; export * as ns from './ns';\n\
         const i = 1; export { i as j }; export default () => 1;",
    );
    let names: Vec<_> = module.exports().iter().map(|it| module.str(it.name)).collect();
    assert_eq!(names, ["a", "b", "d", "e", "F", "h", "", "ns", "j", "default"]);
    let target = |name: &str| module.exports().iter().find(|it| module.str(it.name) == name).unwrap().target;
    assert!(matches!(target("h"), ExportTarget::From { name: ImportName::Named(_), .. }));
    assert!(matches!(target("ns"), ExportTarget::From { name: ImportName::Namespace, .. }));
    assert!(matches!(target("j"), ExportTarget::Binding(it) if it == binding(&module, "i")));
    assert!(matches!(target(""), ExportTarget::Star { .. }));
}

#[test]
fn common_js_exports_are_exports() {
    let module =
        lowered("a.js", "exports.a = f; module.exports.b = g; exports = module.exports = { c };\nreturn;");
    let names: Vec<_> = module.exports().iter().map(|it| module.str(it.name)).collect();
    assert_eq!(names, ["a", "b", WHOLE_MODULE]);
    assert!(
        matches!(module.exports()[2].target, ExportTarget::Value(value) if matches!(module.kind(value), Kind::Object(_)))
    );
}

#[test]
fn a_local_named_exports_is_no_export() {
    let module = lowered("a.js", "function f(exports) { exports.a = 1; }");
    assert!(module.exports().is_empty());
}

#[test]
fn imports_carry_source_and_name() {
    let module = lowered(
        "a.ts",
        "import d, * as n from 'x'; import { a as b } from 'y'; import 'z'; import q = require('w');",
    );
    let of = |name: &str| match module.binding(binding(&module, name)).unwrap().kind {
        BindingKind::Import(id) => *module.import(id).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!((module.str(of("d").source), of("d").name), ("x", ImportName::Default));
    assert_eq!((module.str(of("q").source), of("q").name), ("w", ImportName::Namespace));
    let ImportName::Named(name) = of("b").name else { panic!("a named import") };
    assert_eq!(module.str(name), "a");
    assert_eq!(module.side_imports().collect::<Vec<_>>(), ["z"]);
}

#[test]
fn constructor_parameters_with_a_modifier_are_members() {
    let module = lowered(
        "a.ts",
        "@Controller('users') class A extends B implements C { @Inject() x: D; constructor(private readonly s: S, n: N) { super(); } @Get(':id') async one(@Param('id') id: string) {} static z = 1; }",
    );
    let class = &module.classes()[0];
    let members: Vec<_> = class.members.iter().map(|it| (module.str(it.name), it.kind)).collect();
    assert_eq!(
        members,
        [
            ("x", MemberKind::Field),
            ("s", MemberKind::ParameterProperty),
            ("constructor", MemberKind::Constructor),
            ("one", MemberKind::Method),
            ("z", MemberKind::Field),
        ]
    );
    assert_eq!(module.str(module.type_ref(class.members[1].type_id).unwrap().name), "S");
    assert_eq!((class.decorators.len(), class.implements.len()), (1, 1));
    assert_eq!(module.parameter_decorators().len(), 1);
    assert_eq!(
        module.source(module.function(loadworthy_syntax::FunctionId::new(1)).unwrap().node),
        "one(@Param('id') id: string) {}"
    );
}

#[test]
fn jsx_attributes_come_before_children() {
    let module = lowered("a.jsx", "const x = <List items={rows} flat><Row key={1}/>text{more}</List>;");
    let element = module.node_ids().find(|id| matches!(module.kind(*id), Kind::Element { .. })).unwrap();
    let Kind::Element { parts, .. } = module.kind(element) else { unreachable!() };
    let sources: Vec<_> = module.list(parts).map(|id| module.source(id)).collect();
    assert_eq!(sources, ["items={rows}", "flat", "<Row key={1}/>", "text", "more"]);
}

#[test]
fn calls_include_constructions_and_tagged_templates() {
    let module = lowered("a.js", "new Pool(); sql`select ${id}`; f(g());");
    assert_eq!(calls(&module), ["new Pool()", "sql`select ${id}`", "f(g())", "g()"]);
}

#[test]
fn a_broken_statement_is_reported_and_its_line_said() {
    let parsed = parse("a.ts", "const a = 1;\nconst = ;\n");
    assert_eq!(parsed.errors.first().map(|error| error.line), Some(2));
}

#[test]
fn byte_order_mark_and_carriage_returns_are_harmless() {
    let module = lowered("a.js", "const a = 1;\r\nf(a);\r\n");
    assert_eq!(module.lines_of(module.calls()[0]), (2, 2));
}

#[test]
fn script_and_module_syntax_both_parse_in_js() {
    lowered("a.js", "if (x) return; module.exports = 1;");
    lowered("a.js", "const y = await z; export default y;");
    lowered("a.js", "const v = <T,>(x) => x; const e = <b/>;");
}

fn on_large_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap()
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    let deep = |open: &str, close: &str| format!("x = {}1{};", open.repeat(5_000), close.repeat(5_000));
    for text in [
        deep("[", "]"),
        deep("(", ")"),
        deep("f(", ")"),
        deep("{a:", "}"),
        format!("x = {}1;", "!".repeat(50_000)),
    ] {
        let parsed = on_large_stack(move || parse("a.js", &text));
        assert!(parsed.module.is_none());
        assert!(parsed.errors[0].message.contains("at most"), "{:?}", parsed.errors);
    }
}

#[test]
fn long_chains_within_the_limit_are_read() {
    let sum = format!("x = 1{};", " + y".repeat(4_000));
    let calls = format!("x{};", ".then(f)".repeat(3_000));
    let branches = format!("{} {{}}", "if (a) {} else ".repeat(3_000));
    for text in [sum, calls, branches] {
        assert!(on_large_stack(move || parse("a.js", &text)).module.is_some());
    }
}

#[test]
fn every_part_is_among_the_children_of_what_holds_it() {
    let text = "import a, { b } from 'c';
        @d class E extends F { static #g = 1; constructor(private h: I = {}) { super(); } get j() { return this.k; } static { l(); } }
        export default async function m({ n, o: [p, ...q], ...r } = {}) {
            label: for (let i = 0; i < 3; i++) { if (i) continue; else break label; }
            for (const s in t) u ??= s; for await (const v of w) yield* v; do { x++; } while (y); while (z) ;
            switch (a) { case 1: b(); break; default: c`d${e}`; }
            try { throw new Error(await f); } catch ({ g }) { h = g ? i : j, k; } finally { delete l[m]; }
            return <N o={p} {...q}>{r}<></></N>;
        }";
    let module = lowered("a.tsx", text);
    let missing: Vec<_> = module
        .node_ids()
        .filter(|id| *id != module.root() && !module.children(module.parent(*id)).contains(id))
        .map(|id| (module.source(id).to_owned(), module.kind(id)))
        .collect();
    assert_eq!(missing, []);
    assert_eq!(module.all_nodes(module.root()).len(), module.node_ids().count());
}

#[test]
fn own_nodes_stop_at_functions() {
    let module = lowered("a.js", "f(() => { g(); }); h();");
    let own = module.own_nodes(module.root());
    assert!(own.iter().any(|id| module.source(*id) == "h()"));
    assert!(own.iter().any(|id| matches!(module.kind(*id), Kind::Function(_))));
    assert!(!own.iter().any(|id| module.source(*id) == "g()"));
}

#[test]
fn comments_to_the_tool_are_kept_with_their_lines() {
    let text = "// loadworthy-ignore-next-line 1A -- why\na();\n/*\n loadworthy-ignore-file 2C\n*/\n// about loadworthy-ignore\nconst s = '// loadworthy-ignore-line';\n<b>{/* loadworthy-ignore-line 5A */}</b>;\n";
    let module = lowered("a.jsx", text);
    let kept: Vec<_> = module
        .suppressions()
        .iter()
        .map(|comment| (comment.first_line, comment.last_line, &*comment.text))
        .collect();
    assert_eq!(
        kept,
        [
            (1, 1, "loadworthy-ignore-next-line 1A -- why"),
            (3, 5, "loadworthy-ignore-file 2C"),
            (8, 8, "loadworthy-ignore-line 5A")
        ]
    );
}

proptest! {
    #[test]
    fn any_text_is_parsed_without_panic(text in ".{0,200}") {
        for path in ["a.js", "a.tsx", "a.mts", "a.cjs"] {
            let _ = parse(path, &text);
        }
    }

    #[test]
    fn children_point_to_their_parents(parts in proptest::collection::vec(prop::sample::select(vec![
        "a", "await b", "c()", "{ d: 1 }", "[e, ...f]", "(x) => x", "async function () { for (const y of z) { await y; } }", "g.h`i${j}`", "g?.h?.(i)", "k ? l : m",
    ]), 1..6)) {
        let wrapped: Vec<_> = parts.iter().map(|part| format!("async () => {{ q({part}); }};")).collect();
        let text = wrapped.join("\n");
        let module = lowered("a.js", &text);
        for id in module.node_ids() {
            prop_assert!(id == module.root() || module.parent(id).is_some());
            prop_assert!(module.parent(id) == NodeId::NONE || module.parent(id) < id);
            prop_assert!(id == module.root() || module.children(module.parent(id)).contains(&id));
        }
    }
}

/// The function around a node, found the slow way.
fn function_above(module: &Module, id: NodeId) -> FunctionId {
    let functions = module.ancestors(id).filter_map(|node| match module.kind(node) {
        Kind::Function(function) => Some(function),
        _ => None,
    });
    functions.into_iter().next().unwrap_or(FunctionId::NONE)
}

#[test]
fn the_enclosing_function_is_the_nearest_one_above() {
    let module = lowered(
        "a.tsx",
        "const a = (b = () => c(), { d = function () { return 1; } } = {}) => { e(); };\n\
         class F extends g(() => 2) { @h(() => 3) i = () => 4; static { j(); } get k() { return () => { l(); }; }\n\
           constructor(private m = n()) { super(); function o() { p(); } q(); } }\n\
         export default async function* () { yield* r(async () => { await s(); }); t(); }\n\
         u(<V w={() => x()}>{y.map(z => <li onClick={() => aa(z)}>{z}</li>)}</V>); ab();",
    );
    for id in module.node_ids() {
        assert_eq!(module.enclosing_function(id), function_above(&module, id), "{}", module.source(id));
    }
    assert!(module.functions().len() > 12);
}

#[test]
fn exports_are_found_by_name_in_source_order() {
    let module =
        lowered("a.js", "exports.b = 1; exports.a = 2; exports.b = 3; export * from './x'; exports.c = 4;");
    let named = |name: &str| -> Vec<usize> {
        let all: Vec<_> = module.exports().iter().map(std::ptr::from_ref).collect();
        module
            .exports_named(name)
            .map(|it| all.iter().position(|other| std::ptr::eq(*other, it)).unwrap())
            .collect()
    };
    for name in ["", "a", "b", "c", "d", "default"] {
        let expected: Vec<usize> =
            (0..module.exports().len()).filter(|at| module.str(module.exports()[*at].name) == name).collect();
        assert_eq!(named(name), expected, "{name:?}");
    }
    assert_eq!(named("b").len(), 2);
    assert_eq!(named("").len(), 1);
}
