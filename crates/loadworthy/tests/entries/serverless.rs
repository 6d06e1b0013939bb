use super::table;

#[test]
fn deployment_files_name_functions_and_their_events() {
    let rows = table(&[
        (
            "serverless.yml",
            "functions:\n  list:\n    handler: src/users.list\n    events:\n      - http:\n          path: users/{id}\n          method: get\n      - httpApi: 'POST /users'\n  tick:\n    handler: src/jobs.tick\n    events:\n      - schedule: rate(5 minutes)\n  plain:\n    handler: src/jobs.plain\n",
        ),
        (
            "src/users.ts",
            "import middy from '@middy/core';\nconst inner = async (event) => {};\nexport const list = middy(inner).use(other());\n",
        ),
        ("src/jobs.js", "module.exports.tick = async () => {};\nexports.plain = async () => {};\n"),
    ]);
    assert_eq!(
        rows,
        [
            "CRON rate(5 minutes) src/jobs.js:1",
            "LAMBDA GET /users/:id src/users.ts:2",
            "LAMBDA POST /users src/users.ts:2",
            "LAMBDA plain src/jobs.js:2",
        ]
    );
}

#[test]
fn types_and_places_say_what_a_platform_calls() {
    let rows = table(&[
        ("package.json", "{ \"dependencies\": { \"@netlify/functions\": \"2\" } }"),
        (
            "src/get-user.ts",
            "import type { APIGatewayProxyHandler, SQSEvent } from 'aws-lambda';\nexport const handler: APIGatewayProxyHandler = async (event) => ({ statusCode: 200 });\nexport async function work(event: SQSEvent) {}\nexport const other = (event: MouseEvent) => {};\n",
        ),
        ("netlify/functions/hello.js", "exports.handler = async (event) => {};\n"),
    ]);
    assert_eq!(
        rows,
        [
            "JOB work src/get-user.ts:3",
            "LAMBDA /hello netlify/functions/hello.js:1",
            "LAMBDA get src/get-user.ts:2"
        ]
        .map(|it| it.replace("LAMBDA get ", "LAMBDA get-user "))
    );
}
