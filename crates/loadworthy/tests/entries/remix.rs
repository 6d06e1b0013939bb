use super::table;

#[test]
fn loaders_and_actions_have_the_path_of_their_file() {
    let rows = table(&[
        (
            "package.json",
            "{ \"dependencies\": { \"@remix-run/react\": \"2.0.0\", \"@remix-run/node\": \"2.0.0\" } }",
        ),
        ("app/root.tsx", "export const loader = async () => null;\n"),
        (
            "app/routes/posts.$id.tsx",
            "export async function loader({ params }) {}\nexport async function action({ request }) {}\nexport default function Post() {}\n",
        ),
        ("app/routes/_auth.login.tsx", "export { action } from '../login.server';\n"),
        ("app/login.server.ts", "export async function action() {}\nexport async function loader() {}\n"),
    ]);
    assert_eq!(
        rows,
        [
            "ACTION /login app/login.server.ts:1",
            "ACTION /posts/:id app/routes/posts.$id.tsx:2",
            "PAGE / app/root.tsx:1",
            "PAGE /posts/:id app/routes/posts.$id.tsx:1"
        ]
    );
}

#[test]
fn a_list_of_routes_gives_the_paths_of_its_files() {
    let rows = table(&[
        ("package.json", "{ \"dependencies\": { \"@react-router/node\": \"7.0.0\" } }"),
        (
            "app/routes.ts",
            "import { index, layout, prefix, route } from '@react-router/dev/routes';\nexport default [\n  index('./home.tsx'),\n  layout('./shell.tsx', [route('about', './about.tsx')]),\n  ...prefix('posts', [route(':id', 'posts/one.tsx')]),\n];\n",
        ),
        ("app/home.tsx", "export function loader() {}\n"),
        ("app/about.tsx", "export function loader() {}\n"),
        ("app/posts/one.tsx", "export function action() {}\n"),
        ("app/lib/util.ts", "export function loader() {}\n"),
    ]);
    assert_eq!(
        rows,
        ["ACTION /posts/:id app/posts/one.tsx:1", "PAGE / app/home.tsx:1", "PAGE /about app/about.tsx:1"]
    );
}
