//! What a package is for, judged by its direct dependencies.

use crate::{DependencyKind, Manifest};

/// The signs a package's manifest gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent signs, every combination occurs")]
pub(crate) struct Profile {
    pub(crate) has_client: bool,
    pub(crate) has_server: bool,
    /// Next.js: files run where their place and directive say.
    pub(crate) has_next: bool,
    /// Remix or React Router as a framework: routes run on both sides.
    pub(crate) has_isomorphic_router: bool,
}

const CLIENT: &[&str] = &[
    "@angular/core",
    "@vitejs/plugin-react",
    "@vitejs/plugin-react-swc",
    "expo",
    "next",
    "preact",
    "react",
    "react-dom",
    "react-native",
    "react-scripts",
    "solid-js",
    "svelte",
    "vue",
];

const SERVER: &[&str] = &[
    "@apollo/server",
    "@fastify/cors",
    "@hapi/hapi",
    "@hono/node-server",
    "@nestjs/common",
    "@nestjs/core",
    "@prisma/client",
    "amqplib",
    "apollo-server",
    "apollo-server-express",
    "better-sqlite3",
    "body-parser",
    "bull",
    "bullmq",
    "connect",
    "cookie-parser",
    "cors",
    "drizzle-orm",
    "express",
    "fastify",
    "hapi",
    "helmet",
    "hono",
    "ioredis",
    "kafkajs",
    "knex",
    "koa",
    "mongodb",
    "mongoose",
    "morgan",
    "mysql",
    "mysql2",
    "nodemailer",
    "pg",
    "polka",
    "postgres",
    "redis",
    "restify",
    "sequelize",
    "socket.io",
    "sqlite3",
    "typeorm",
];

impl Profile {
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let mut profile = Self::default();
        for dependency in &manifest.dependencies {
            let name = dependency.name.as_str();
            let is_tooling = dependency.kind == DependencyKind::Dev && name != "@vitejs/plugin-react";
            profile.has_client |= CLIENT.contains(&name) && !(is_tooling && name == "react");
            profile.has_server |= SERVER.contains(&name) && !is_tooling;
            profile.has_next |= name == "next";
            profile.has_isomorphic_router |= name.starts_with("@remix-run/") || name == "@react-router/node";
        }
        profile
    }

    pub(crate) fn is_silent(self) -> bool {
        self == Self::default()
    }
}
