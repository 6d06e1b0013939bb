//! Processes, memory, Node.js versions and deployment targets.

use loadworthy_environment::{Basis, Confidence, ProcessModel};

use super::{fact, manifest, of, place, value};

const INDEX: (&str, &str) = ("index.js", "const express = require('express'); express().listen(3000);");

/// The environment of a small server with more files.
fn server(more: &[(&str, &str)]) -> loadworthy_environment::Environment {
    let manifest = manifest(&[("express", "4.21.2")]);
    let mut files = vec![("package.json", manifest.as_str()), INDEX];
    files.extend_from_slice(more);
    of(&files)
}

#[test]
fn nothing_said_is_assumed_and_to_be_confirmed() {
    let environment = server(&[]);
    for key in [
        "node.version",
        "deployment.instances",
        "deployment.cores",
        "deployment.memory_mb",
        "deployment.heap_mb",
    ] {
        let fact = fact(&environment, key);
        assert_eq!((fact.confidence, fact.basis), (Confidence::Low, Basis::Assumed), "{key}");
        assert!(fact.needs_confirmation.is_some(), "{key}");
    }
    assert_eq!((environment.instance_count(), environment.process_model.value), (1, ProcessModel::Single));
    assert!(!environment.has_several_instances());
    assert_eq!(environment.node_major(), 22);
}

#[test]
fn the_version_that_runs_goes_before_those_that_are_wished_or_tested() {
    let ci = (".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - with: {node-version: 16}\n");
    let nvmrc = (".nvmrc", "v18.19.0\n");
    let docker = ("Dockerfile", "FROM node:20-alpine\nCMD [\"node\", \"index.js\"]\n");
    let tested = server(&[ci]);
    assert_eq!((tested.node_major(), tested.node.confidence), (16, Confidence::Low));
    assert!(tested.node.needs_confirmation.is_some());
    assert_eq!(server(&[ci, nvmrc]).node_major(), 18);
    let all = server(&[ci, nvmrc, docker]);
    assert_eq!((all.node_major(), all.node.confidence), (20, Confidence::High));
    assert_eq!(place(&all, "node.version"), "Dockerfile:1");
    assert!(all.unhandled_rejection_exits());
    assert!(!server(&[("Dockerfile", "FROM node:14\n")]).unhandled_rejection_exits());
}

#[test]
fn type_packages_are_only_a_hint() {
    let manifest = "{\"dependencies\": {\"express\": \"4.21.2\"}, \"devDependencies\": {\"@types/node\": \"12.0.0\"}, \"scripts\": {\"start\": \"node .\"}}";
    let environment = of(&[("package.json", manifest), INDEX]);
    assert_eq!((environment.node_major(), environment.node.basis), (22, Basis::Assumed));
    assert!(environment.node.evidence.first().unwrap().note.contains("hint"));
}

#[test]
fn processes_times_replicas_are_the_instances() {
    let ecosystem = (
        "ecosystem.config.js",
        "module.exports = { apps: [{ name: 'api', script: 'index.js', instances: 4, exec_mode: 'cluster' }] };",
    );
    let compose = ("docker-compose.prod.yml", "services:\n  api:\n    build: .\n    deploy: {replicas: 3}\n");
    let cluster = server(&[ecosystem]);
    assert_eq!((cluster.instance_count(), cluster.process_model.value), (4, ProcessModel::Pm2Cluster));
    let both = server(&[ecosystem, compose]);
    assert_eq!((both.instance_count(), both.most_connections()), (12, None));
    assert_eq!(value(&both, "deployment.instances"), "processes: 4, replicas: 3");
}

#[test]
fn one_process_a_core_needs_the_cores() {
    let code = (
        "index.js",
        "const cluster = require('node:cluster');\nconst os = require('node:os');\nconst express = require('express');\nif (cluster.isPrimary) { for (const _ of os.cpus()) cluster.fork(); } else { express().listen(1); }",
    );
    let manifest = manifest(&[("express", "4.21.2")]);
    let unknown = of(&[("package.json", &manifest), code]);
    assert_eq!((unknown.process_model.value, unknown.instance_count()), (ProcessModel::NodeCluster, 1));
    assert!(unknown.instances.needs_confirmation.is_some());
    let limited = of(&[
        ("package.json", &manifest),
        code,
        ("docker-compose.prod.yml", "services:\n  api:\n    build: .\n    cpus: 4\n"),
    ]);
    assert_eq!(limited.instance_count(), 4);
}

#[test]
fn an_autoscaler_gives_bounds() {
    let hpa = (
        "k8s/hpa.yaml",
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: api}\nspec:\n  scaleTargetRef: {name: api}\n  minReplicas: 2\n  maxReplicas: 10\n",
    );
    let environment = server(&[hpa]);
    assert_eq!((environment.instance_count(), environment.instances.value.most), (2, Some(10)));
    assert!(environment.has_several_instances());
}

#[test]
fn workers_databases_and_clients_are_not_the_server() {
    let compose = (
        "docker-compose.prod.yml",
        "services:\n  worker:\n    build: .\n    deploy: {replicas: 9}\n    mem_limit: 2g\n  frontend:\n    build: ./client\n    deploy: {replicas: 7}\n  db:\n    image: postgres:15\n    mem_limit: 4g\n",
    );
    let environment = server(&[compose]);
    assert_eq!(environment.instance_count(), 1);
    assert_eq!(environment.memory_mb.value, None);
}

#[test]
fn the_heap_is_the_flag_or_half_of_the_memory() {
    let limit = ("docker-compose.prod.yml", "services:\n  api:\n    build: .\n    mem_limit: 1g\n");
    let half = server(&[limit]);
    assert_eq!((half.heap_limit_mb.value, half.heap_limit_mb.basis), (512.0, Basis::Default));
    let flag = server(&[limit, ("Dockerfile", "FROM node:20\nENV NODE_OPTIONS=--max-old-space-size=800\n")]);
    assert_eq!((flag.heap_limit_mb.value, flag.heap_limit_mb.basis), (800.0, Basis::Read));
    assert_eq!(place(&flag, "deployment.heap_mb"), "Dockerfile:2");
}

#[test]
fn heap_flags_of_a_build_do_not_count() {
    let manifest = "{\"dependencies\": {\"express\": \"4.21.2\"}, \"scripts\": {\"build\": \"node --max-old-space-size=8192 build.js\", \"start\": \"node index.js\"}}";
    assert_eq!(of(&[("package.json", manifest), INDEX]).heap_limit_mb.basis, Basis::Assumed);
}

#[test]
fn platforms_are_read_with_their_plans() {
    let render = (
        "render.yaml",
        "services:\n  - type: web\n    name: api\n    runtime: node\n    plan: standard\n    numInstances: 2\n    startCommand: node --max-old-space-size=1500 index.js\n    envVars:\n      - key: NODE_VERSION\n        value: 20.11.1\ndatabases:\n  - name: db\n    postgresMajorVersion: '15'\n",
    );
    let environment = server(&[render]);
    assert_eq!(value(&environment, "deployment.targets"), "Render");
    assert_eq!((environment.memory_mb.value, environment.cores.value), (Some(2048.0), 1.0));
    assert_eq!(
        (environment.instance_count(), environment.heap_limit_mb.value, environment.node_major()),
        (2, 1500.0, 20)
    );
    assert!(environment.is_behind_proxy());
    for (path, text, target) in [
        (
            "fly.toml",
            "app = 'x'\n[[vm]]\nmemory = '512mb'\n[http_service]\nmin_machines_running = 2\n",
            "Fly.io",
        ),
        ("railway.json", "{\"deploy\": {\"numReplicas\": 2}}", "Railway"),
        ("Procfile", "web: node index.js\n", "Heroku (or another Procfile platform)"),
        (
            "app.yaml",
            "runtime: nodejs20\ninstance_class: F2\nautomatic_scaling: {min_instances: 2, max_instances: 5}\n",
            "Google App Engine",
        ),
        (
            ".replit",
            "modules = [\"nodejs-20\", \"postgresql-16\"]\n[deployment]\ndeploymentTarget = \"autoscale\"\nrun = [\"npm\", \"run\", \"start\"]\n",
            "Replit (autoscale)",
        ),
        ("deploy/api.service", "[Service]\nExecStart=/usr/bin/node index.js\nMemoryMax=512M\n", "systemd"),
    ] {
        assert_eq!(value(&server(&[(path, text)]), "deployment.targets"), target, "{path}");
    }
}

#[test]
fn functions_are_serverless_and_a_static_site_is_not() {
    let functions = server(&[(
        "serverless.yml",
        "provider:\n  name: aws\n  runtime: nodejs18.x\n  memorySize: 512\nfunctions:\n  api: {handler: index.handler}\n",
    )]);
    assert!(functions.is_serverless() && functions.node_major() == 18);
    assert_eq!(functions.memory_mb.value, Some(512.0));
    assert!(functions.has_several_instances());
    let site = server(&[(
        "vercel.json",
        "{\"rewrites\": [{\"source\": \"/(.*)\", \"destination\": \"/index.html\"}]}",
    )]);
    assert!(!site.is_serverless());
    let built =
        server(&[("vercel.json", "{\"builds\": [{\"src\": \"index.js\", \"use\": \"@vercel/node\"}]}")]);
    assert!(built.is_serverless());
}

#[test]
fn development_files_say_nothing_about_production() {
    let compose = (
        "docker-compose.yml",
        "services:\n  api:\n    build: .\n    environment: {NODE_ENV: development}\n    mem_limit: 1g\n    deploy: {replicas: 5}\n",
    );
    let docker = ("Dockerfile.dev", "FROM node:12\nENV NODE_ENV=development\n");
    let environment = server(&[compose, docker]);
    assert_eq!(
        (environment.instance_count(), environment.memory_mb.value, environment.node_major()),
        (1, None, 22)
    );
    assert_eq!(environment.node_env.basis, Basis::Assumed);
}

#[test]
fn node_env_comes_from_where_the_server_starts() {
    let environment = server(&[("Dockerfile", "FROM node:20\nENV NODE_ENV=production\n")]);
    assert_eq!(
        (environment.node_env.value.as_deref(), environment.node_env.confidence),
        (Some("production"), Confidence::High)
    );
}

#[test]
fn a_tool_for_development_in_the_start_script_is_said() {
    let manifest =
        "{\"dependencies\": {\"express\": \"4.21.2\"}, \"scripts\": {\"start\": \"nodemon index.js\"}}";
    let environment = of(&[("package.json", manifest), INDEX]);
    assert!(value(&environment, "deployment.process_model").contains("nodemon"));
}

#[test]
fn load_tests_are_found_by_what_they_use() {
    let k6 = server(&[(
        "perf/k6.js",
        "import http from 'k6/http';\nexport default function () { http.get('x'); }",
    )]);
    assert_eq!(value(&k6, "load_tests"), "k6");
    let artillery = server(&[(
        "artillery.yml",
        "config:\n  phases: [{duration: 60, arrivalRate: 5}]\nscenarios: [{flow: []}]\n",
    )]);
    assert_eq!(value(&artillery, "load_tests"), "Artillery");
    assert_eq!(value(&server(&[("load.js", "module.exports = () => 'k6';")]), "load_tests"), "none");
}
