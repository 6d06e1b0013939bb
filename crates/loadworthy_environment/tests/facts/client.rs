//! The browser side.

use super::{fact, manifest, of, value};

fn client(dependencies: &[(&str, &str)], files: &[(&str, &str)]) -> loadworthy_environment::Environment {
    let manifest = manifest(dependencies);
    let mut all = vec![("package.json", manifest.as_str())];
    all.extend_from_slice(files);
    of(&all)
}

const APP: (&str, &str) = ("src/App.jsx", "import React from 'react';\nexport default () => <p/>;");

#[test]
fn react_and_its_bundler_are_known() {
    let environment = client(&[("react", "18.3.1"), ("vite", "5.4.0"), ("esbuild", "0.20.0")], &[APP]);
    assert_eq!(
        (environment.react_major(), value(&environment, "bundler")),
        (Some(18), "Vite 5.4.0".to_owned())
    );
    assert_eq!(value(&environment, "react.compiler"), "off");
    assert!(client(&[("express", "4.0.0")], &[]).react.is_none());
}

#[test]
fn the_compiler_is_on_where_a_configuration_says_so() {
    let next = [("react", "19.0.0"), ("next", "16.0.0")];
    assert!(
        client(&next, &[APP, ("next.config.mjs", "export default { reactCompiler: true };")])
            .react_compiler
            .value
    );
    assert!(client(&next, &[APP, ("next.config.ts", "const c: NextConfig = { experimental: { reactCompiler: { compilationMode: 'all' } } };\nexport default c;")]).react_compiler.value);
    assert!(
        !client(&next, &[APP, ("next.config.mjs", "export default { reactCompiler: false };")])
            .react_compiler
            .value
    );
    let vite = [("react", "19.0.0"), ("vite", "6.0.0"), ("babel-plugin-react-compiler", "1.0.0")];
    assert!(client(&vite, &[APP, ("vite.config.ts", "export default defineConfig({ plugins: [react({ babel: { plugins: ['babel-plugin-react-compiler'] } })] });")]).react_compiler.value);
    let idle =
        client(&vite, &[APP, ("vite.config.ts", "export default defineConfig({ plugins: [react()] });")]);
    assert!(!idle.react_compiler.value && fact(&idle, "react.compiler").needs_confirmation.is_some());
}

#[test]
fn data_fetching_tells_its_effective_settings() {
    let code = "import { QueryClient } from '@tanstack/react-query';\nexport const client = new QueryClient({ defaultOptions: { queries: { staleTime: 60 * 1000, refetchOnWindowFocus: false } } });";
    let environment = client(
        &[("react", "18.3.1"), ("@tanstack/react-query", "5.0.0"), ("swr", "2.0.0")],
        &[APP, ("src/client.js", code)],
    );
    assert_eq!(
        value(&environment, "data_fetch"),
        "TanStack Query (@tanstack/react-query 5.0.0) (staleTime 60000, gcTime 300000 by default, refetchOnWindowFocus false, retry 3 by default)"
    );
}
