use super::{chains, report, table};

const MANIFEST: (&str, &str) =
    ("package.json", "{ \"dependencies\": { \"next\": \"14.2.0\", \"react\": \"18.0.0\" } }");

#[test]
fn route_files_give_a_route_an_exported_method() {
    let rows = table(&[
        MANIFEST,
        (
            "app/api/(v1)/users/[id]/route.ts",
            "import { withAuth } from '../../../../../lib/auth';\nimport { remove } from '../../../../../lib/users';\nexport async function GET(request: Request, { params }) {}\nexport const PUT = withAuth(async (request) => {});\nexport { remove as DELETE };\nexport const dynamic = 'force-dynamic';\n",
        ),
        (
            "lib/auth.ts",
            "export const withAuth = (handler) => async (request, context) => handler(request, context);\n",
        ),
        ("lib/users.ts", "\nexport async function remove() {}\n"),
        ("src/other/route.ts", "export function GET() {}\n"),
    ]);
    assert_eq!(
        rows,
        [
            "DELETE /api/users/:id lib/users.ts:2",
            "GET /api/users/:id app/api/(v1)/users/[id]/route.ts:3",
            "PUT /api/users/:id app/api/(v1)/users/[id]/route.ts:4",
        ]
    );
}

#[test]
fn pages_run_after_the_middleware_and_layouts_around_them() {
    let files = [
        MANIFEST,
        (
            "middleware.ts",
            "export function middleware(request) {}\nexport const config = { matcher: ['/shop/:path*'] };\n",
        ),
        ("app/layout.tsx", "export default function Root({ children }) { return children; }\n"),
        ("app/shop/layout.tsx", "export default async function Shop({ children }) { return children; }\n"),
        (
            "app/shop/[slug]/page.tsx",
            "export async function generateMetadata({ params }) {}\nexport default async function Page({ params, searchParams }) { return null; }\n",
        ),
        (
            "app/about/page.tsx",
            "export const dynamic = 'force-static';\nexport default function About() { return null; }\n",
        ),
        ("app/client/page.tsx", "'use client';\nexport default function Client() { return null; }\n"),
    ];
    assert_eq!(
        table(&files),
        ["PAGE /about app/about/page.tsx:2", "PAGE /shop/:slug app/shop/[slug]/page.tsx:2"]
    );
    let rows = report(&files);
    assert_eq!((&rows[0]["kind"], &rows[1]["kind"]), (&"static-page".into(), &"page".into()));
    assert_eq!(rows[0]["middleware"].as_array().unwrap().len(), 1, "{rows:?}");
    assert_eq!(rows[1]["middleware"].as_array().unwrap().len(), 4, "{rows:?}");
}

#[test]
fn pages_and_their_data_have_the_path_of_their_file() {
    let rows = table(&[
        MANIFEST,
        (
            "pages/index.tsx",
            "export async function getServerSideProps(context) {}\nexport default function Home() {}\n",
        ),
        (
            "pages/posts/[id].tsx",
            "export const getStaticProps = async () => {};\nexport const getStaticPaths = async () => {};\nexport default function Post() {}\n",
        ),
        (
            "pages/old.jsx",
            "function Old() {}\nOld.getInitialProps = async (context) => ({});\nexport default Old;\n",
        ),
        ("pages/plain.tsx", "export default function Plain() {}\n"),
        ("pages/_app.tsx", "export default function App() {}\n"),
        (
            "pages/api/users/[...all].ts",
            "import handler from '../../../server/handler';\nexport default handler;\n",
        ),
        ("server/handler.ts", "export default async function handler(req, res) {}\n"),
    ]);
    assert_eq!(
        rows,
        [
            "ALL /api/users/:all* server/handler.ts:1",
            "PAGE / pages/index.tsx:1",
            "PAGE /old pages/old.jsx:2",
            "PAGE /posts/:id pages/posts/[id].tsx:1",
            "PAGE /posts/:id pages/posts/[id].tsx:2",
        ]
    );
}

#[test]
fn functions_that_run_on_the_server_are_actions() {
    let rows = table(&[
        MANIFEST,
        (
            "app/actions.ts",
            "'use server';\nexport async function save(form: FormData) {}\nexport const remove = async (id: string) => {};\nexport const limit = 3;\nasync function hidden() {}\n",
        ),
        (
            "app/form.tsx",
            "export function Form() {\n  async function submit(data) {\n    'use server';\n  }\n  const other = async () => { 'use client'; };\n  return <form action={submit} />;\n}\n",
        ),
    ]);
    assert_eq!(
        rows,
        ["ACTION remove app/actions.ts:3", "ACTION save app/actions.ts:2", "ACTION submit app/form.tsx:2"]
    );
}

#[test]
fn files_of_the_same_names_in_other_packages_are_no_routes() {
    let rows = table(&[
        ("package.json", "{ \"dependencies\": { \"react\": \"18.0.0\" } }"),
        ("app/api/users/route.ts", "export function GET() {}\n"),
        ("pages/api/x.ts", "export default function handler() {}\n"),
        ("app/actions.ts", "'use server';\nexport async function save() {}\n"),
    ]);
    assert!(rows.is_empty(), "{rows:?}");
}

#[test]
fn matchers_with_exclusions_leave_routes_out() {
    let rows = chains(&[
        MANIFEST,
        (
            "src/middleware.ts",
            "export default auth(async (request) => {});\nexport const config = { matcher: ['/((?!api|_next/static).*)'] };\n",
        ),
        ("src/app/api/a/route.ts", "export function GET() {}\n"),
        ("src/app/b/route.ts", "export function GET() {}\n"),
    ]);
    assert_eq!(rows, ["GET /api/a: ", "GET /b: auth(async (request) => {})"]);
}

#[test]
fn handlers_of_pages_have_the_only_method_that_they_compare_with() {
    let rows = table(&[
        MANIFEST,
        (
            "pages/api/join.ts",
            "export default async function handler(req, res) {\n  if (req.method !== 'POST') return res.status(405).end();\n  res.end();\n}\n",
        ),
        (
            "pages/api/teams.ts",
            "export default async function handler(req, res) {\n  switch (req.method) {\n    case 'GET': return res.end();\n    case 'POST': return res.end();\n  }\n}\n",
        ),
        ("pages/api/hello.ts", "export default function handler(req, res) { res.end(); }\n"),
    ]);
    assert_eq!(
        rows,
        [
            "ALL /api/hello pages/api/hello.ts:1",
            "ALL /api/teams pages/api/teams.ts:1",
            "POST /api/join pages/api/join.ts:1",
        ]
    );
}
