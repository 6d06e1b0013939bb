//! The catalogue from models and migrations of every library family, each by a small fixture.

#[cfg(test)]
mod asked;
mod broken;
mod drizzle;
mod entities;
mod files;
mod migrations;
mod mongoose;
mod others;
mod queries;
mod sequelize;
