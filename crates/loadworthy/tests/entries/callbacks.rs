use super::table;

#[test]
fn socket_connections_and_messages_are_entries_of_the_server() {
    let rows = table(&[
        (
            "server/io.js",
            "const { Server } = require('socket.io');\nconst { register } = require('./chat');\nconst io = new Server(3000);\nio.use((socket, next) => next());\nio.on('connection', (socket) => {\n  register(io, socket);\n  socket.on('disconnect', () => {});\n  socket.on('error', () => {});\n});\nio.of('/admin').on('connection', onAdmin);\nfunction onAdmin(socket) { socket.on('kick', async (id) => {}); }\n",
        ),
        (
            "server/chat.js",
            "exports.register = (io, socket) => {\n  const onSend = (message) => {};\n  socket.on('send', onSend);\n};\n",
        ),
        (
            "server/ws.js",
            "const WebSocket = require('ws');\nconst wss = new WebSocket.Server({ port: 1 });\nwss.on('connection', (ws) => { ws.on('message', (data) => {}); ws.on('error', () => {}); });\n",
        ),
        (
            "client/socket.js",
            "import { io } from 'socket.io-client';\nconst socket = io('/');\nsocket.on('message', () => {});\n",
        ),
    ]);
    assert_eq!(
        rows,
        [
            "CONNECT / server/io.js:5",
            "CONNECT / server/ws.js:3",
            "CONNECT /admin server/io.js:11",
            "SOCKET disconnect server/io.js:7",
            "SOCKET kick server/io.js:11",
            "SOCKET message server/ws.js:3",
            "SOCKET send server/chat.js:2",
        ]
    );
}

#[test]
fn consumers_of_queues_are_jobs() {
    let rows = table(&[(
        "server/jobs.ts",
        "import { Worker, Queue } from 'bullmq';\nimport Bull from 'bull';\nimport Agenda from 'agenda';\nimport { Kafka } from 'kafkajs';\nimport amqp from 'amqplib';\nimport PgBoss from 'pg-boss';\nnew Worker('mail', async (job) => {}, { connection });\nconst video = new Bull('video', url);\nvideo.process('encode', 3, encode);\nvideo.process(async (job) => {});\nasync function encode(job) {}\nconst agenda = new Agenda({});\nagenda.define('clean', async (job) => {});\nconst consumer = new Kafka({}).consumer({ groupId: 'g' });\nawait consumer.subscribe({ topic: 'orders' });\nawait consumer.run({ eachMessage: async ({ message }) => {} });\nconst channel = await (await amqp.connect('x')).createChannel();\nchannel.consume('tasks', (message) => {});\nconst boss = new PgBoss('x');\nawait boss.work('report', { batchSize: 1 }, async (jobs) => {});\nnew Queue('mail').add('x', {});\n",
    )]);
    assert_eq!(
        rows,
        [
            "JOB clean server/jobs.ts:13",
            "JOB mail server/jobs.ts:7",
            "JOB orders server/jobs.ts:16",
            "JOB report server/jobs.ts:20",
            "JOB tasks server/jobs.ts:18",
            "JOB video server/jobs.ts:10",
            "JOB video:encode server/jobs.ts:11",
        ]
    );
}

#[test]
fn schedules_and_intervals_of_the_server_are_entries() {
    let rows = table(&[
        (
            "server/cron.js",
            "const cron = require('node-cron');\nconst { CronJob } = require('cron');\nconst schedule = require('node-schedule');\ncron.schedule('*/5 * * * *', () => {});\nnew CronJob('0 * * * *', tick);\nnew CronJob({ cronTime: '1 * * * *', onTick: () => {} });\nschedule.scheduleJob('nightly', '0 0 * * *', () => {});\nsetInterval(tick, 60 * 1000);\nsetTimeout(() => {}, 10);\nfunction tick() {}\n",
        ),
        (
            "client/src/Clock.jsx",
            "export function Clock() { useEffect(() => { setInterval(() => {}, 1000); }, []); }\n",
        ),
        ("package.json", "{ \"dependencies\": { \"express\": \"4\" } }"),
    ]);
    assert_eq!(
        rows,
        [
            "CRON */5 * * * * server/cron.js:4",
            "CRON 0 * * * * server/cron.js:10",
            "CRON 1 * * * * server/cron.js:6",
            "CRON every 60000 ms server/cron.js:10",
            "CRON nightly server/cron.js:7",
        ]
    );
}

#[test]
fn plain_servers_and_functions_of_platforms_are_entries() {
    let rows = table(&[
        (
            "server.js",
            "const http = require('http');\nhttp.createServer((req, res) => {}).listen(80);\nhttp.get('http://x', (res) => {});\n",
        ),
        (
            "functions/index.js",
            "const functions = require('firebase-functions');\nconst { onRequest } = require('firebase-functions/v2/https');\nexports.api = functions.https.onRequest((req, res) => {});\nexports.two = onRequest({ cors: true }, async (req, res) => {});\nexports.tick = functions.pubsub.schedule('every 5 minutes').onRun((context) => {});\n",
        ),
        ("bun.ts", "Bun.serve({ port: 1, fetch(request) { return new Response('x'); } });\n"),
    ]);
    assert_eq!(
        rows,
        [
            "ALL * bun.ts:1",
            "ALL * server.js:2",
            "CRON every 5 minutes functions/index.js:5",
            "LAMBDA api functions/index.js:3",
            "LAMBDA two functions/index.js:4",
        ]
    );
}
