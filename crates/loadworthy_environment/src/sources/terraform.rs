//! Terraform, where it is plain: resources with constant arguments.

use loadworthy_knowledge::Knowledge;

use crate::number::{cores, count, megabytes};
use crate::signs::{Count, Product, Proxy, Scope, Sign, Signs, Target};

/// CPU units of ECS that make one core.
const CPU_UNITS: f64 = 1024.0;

/// `resource "type" "name" { key = value … }`, nested blocks flattened.
struct Block {
    kind: String,
    line: u32,
    arguments: Vec<(String, String, u32)>,
}

impl Block {
    /// The constant value of an argument.
    fn value(&self, key: &str) -> Option<(&str, u32)> {
        self.arguments.iter().find(|(own, ..)| own == key).map(|(_, value, line)| (value.as_str(), *line))
    }

    fn number(&self, key: &str) -> Option<(f64, u32)> {
        let (value, line) = self.value(key)?;
        value
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite() && *number > 0.0)
            .map(|number| (number, line))
    }
}

/// Reads one file.
pub(crate) fn read(text: &str, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    for block in blocks(text) {
        compute(&block, scope, signs);
        managed(&block, scope, knowledge, signs);
        edge(&block, scope, signs);
    }
}

fn compute(block: &Block, scope: &Scope<'_>, signs: &mut Signs) {
    let mut memory = |key: &str| {
        if let Some((limit, line)) = block.number(key) {
            signs.memory_mb.push(scope.sign(limit, line, key));
        }
    };
    let target = match block.kind.as_str() {
        "aws_ecs_task_definition" => {
            memory("memory");
            if let Some((units, line)) = block.number("cpu") {
                signs.cores.push(scope.sign(units / CPU_UNITS, line, "cpu units"));
            }
            Target::plain("AWS ECS")
        }
        "aws_lambda_function" => {
            memory("memory_size");
            if let Some((runtime, line)) = block.value("runtime")
                && let Some(version) = runtime.strip_prefix("nodejs")
            {
                let version = version.trim_end_matches(".x").to_owned();
                signs.node_versions.push(scope.sign(version, line, format!("runtime {runtime}")));
            }
            Target::function("AWS Lambda")
        }
        "aws_ecs_service" => {
            if let Some((copies, line)) = block.number("desired_count") {
                let copies = count(copies);
                signs.replicas.push(scope.sign(
                    Count::Fixed(copies),
                    line,
                    format!("desired_count = {copies}"),
                ));
            }
            return;
        }
        "google_cloud_run_service" | "google_cloud_run_v2_service" => {
            if let Some((limit, line)) =
                block.value("memory").and_then(|(text, line)| Some((megabytes(text, 1.0)?, line)))
            {
                signs.memory_mb.push(scope.sign(limit, line, "memory"));
            }
            if let Some((limit, line)) =
                block.value("cpu").and_then(|(text, line)| Some((cores(text)?, line)))
            {
                signs.cores.push(scope.sign(limit, line, "cpu"));
            }
            let bound = |key: &str| block.number(key).map(|(number, _)| count(number));
            let max = bound("max_instance_count");
            if max.is_some() {
                let range = Count::Range { min: bound("min_instance_count").unwrap_or(0), max };
                signs.replicas.push(scope.sign(range, block.line, format!("scaled: {range}")));
            }
            Target::hosted("Google Cloud Run")
        }
        "google_app_engine_standard_app_version" => Target::hosted("Google App Engine"),
        "aws_elastic_beanstalk_environment" => Target::hosted("AWS Elastic Beanstalk"),
        "aws_instance" => Target::plain("AWS EC2"),
        "azurerm_linux_web_app" | "azurerm_app_service" => Target::hosted("Azure App Service"),
        "digitalocean_droplet" => Target::plain("DigitalOcean droplet"),
        _ => return,
    };
    let note = target.name.clone();
    signs.targets.push(scope.sign(target, block.line, note));
}

fn managed(block: &Block, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    let version =
        || block.value("engine_version").or_else(|| block.value("database_version")).map(|(text, _)| text);
    match block.kind.as_str() {
        "aws_db_instance" | "aws_rds_cluster" => {
            let engine = block.value("engine").map_or("", |(text, _)| text.trim_start_matches("aurora-"));
            let Some(row) = knowledge.image(engine) else { return };
            let product = Product { name: row.name.clone(), version: version().map(str::to_owned) };
            signs.databases.push(scope.sign(product, block.line, "Amazon RDS"));
        }
        "google_sql_database_instance" => {
            // `POSTGRES_15`, `MYSQL_8_0`
            let Some((engine, number)) = version().and_then(|text| text.split_once('_')) else { return };
            let Some(row) = knowledge.image(&engine.to_ascii_lowercase()) else { return };
            let product = Product { name: row.name.clone(), version: Some(number.replace('_', ".")) };
            signs.databases.push(scope.sign(product, block.line, "Cloud SQL"));
        }
        "azurerm_postgresql_flexible_server" => {
            let version = block.value("version").map(|(text, _)| text.to_owned());
            let product = Product { name: "PostgreSQL".to_owned(), version };
            signs.databases.push(scope.sign(product, block.line, "Azure Database"));
        }
        "aws_elasticache_cluster"
        | "aws_elasticache_replication_group"
        | "google_redis_instance"
        | "azurerm_redis_cache" => {
            let product = Product { name: "Redis".to_owned(), version: version().map(str::to_owned) };
            signs.caches.push(scope.sign(product, block.line, "managed cache"));
        }
        "aws_db_proxy" => {
            let product = Product { name: "RDS Proxy".to_owned(), version: None };
            signs.poolers.push(scope.sign(product, block.line, "aws_db_proxy"));
        }
        _ => {}
    }
}

fn edge(block: &Block, scope: &Scope<'_>, signs: &mut Signs) {
    let place = |note: &str| Sign::place(scope, block.line, note);
    match block.kind.as_str() {
        "aws_cloudfront_distribution" => {
            signs.cdns.push(scope.sign("CloudFront".to_owned(), block.line, "distribution"));
        }
        "cloudflare_record" | "cloudflare_zone" => {
            signs.cdns.push(scope.sign("Cloudflare".to_owned(), block.line, block.kind.as_str()));
        }
        "aws_lb" | "aws_alb" | "aws_elb" => {
            signs.proxies.push(Proxy::new("AWS load balancer", place(&block.kind)));
        }
        "aws_lb_listener" => {
            let is_tls = block.value("certificate_arn").is_some()
                || block.value("protocol").is_some_and(|(text, _)| text == "HTTPS");
            if let Some(balancer) =
                signs.proxies.iter_mut().find(|proxy| proxy.kind == "AWS load balancer").filter(|_| is_tls)
            {
                balancer.tls = Some(place("TLS listener"));
            }
        }
        "aws_wafv2_web_acl"
            if block.value("aggregate_key_type").is_some() || block.value("limit").is_some() =>
        {
            signs.proxies.push(Proxy {
                rate_limit: Some(place("rate based rule")),
                ..Proxy::new("AWS WAF", place("web ACL"))
            });
        }
        _ => {}
    }
}

/// Top-level resource blocks. Braces are counted; arguments of nested blocks belong to the resource.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut depth: usize = 0;
    for (number, line) in (1u32..).zip(text.lines()) {
        let code = line.split(" #").next().unwrap_or_default().split("//").next().unwrap_or_default().trim();
        if code.starts_with('#') {
            continue;
        }
        if depth == 0 {
            if let Some(rest) = code.strip_prefix("resource ") {
                let kind =
                    rest.trim().trim_start_matches('"').split('"').next().unwrap_or_default().to_owned();
                blocks.push(Block { kind, line: number, arguments: Vec::new() });
            } else if code.ends_with('{') {
                // Another kind of block: its arguments belong to nothing that is read.
                blocks.push(Block { kind: String::new(), line: number, arguments: Vec::new() });
            }
        } else if let Some((key, value)) = code.split_once(['=', ':']) {
            let key = key.trim().trim_matches('"').to_owned();
            let value = value.trim().trim_end_matches(',').trim_matches('"').to_owned();
            if let Some(block) = blocks.last_mut() {
                block.arguments.push((key, value, number));
            }
        }
        let opened = code.matches('{').count();
        let closed = code.matches('}').count();
        depth = (depth + opened).saturating_sub(closed);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signs::{Tier, Unit};

    fn signs(text: &str) -> Signs {
        let mut signs = Signs::default();
        let scope = Scope { file: "main.tf", tier: Tier::Production, unit: Unit::default() };
        read(text, &scope, Knowledge::builtin(), &mut signs);
        signs
    }

    #[test]
    fn plain_resources_are_read() {
        let read = signs(
            "resource \"aws_ecs_task_definition\" \"api\" {\n  cpu    = 512\n  memory = \"1024\" # MB\n}\nresource \"aws_ecs_service\" \"api\" {\n  desired_count = 3\n}\nresource \"aws_db_instance\" \"db\" {\n  engine         = \"postgres\"\n  engine_version = \"15.4\"\n}\nresource \"aws_lb\" \"x\" {}\nresource \"aws_lb_listener\" \"x\" {\n  protocol = \"HTTPS\"\n}\nresource \"aws_cloudfront_distribution\" \"cdn\" {\n}\n",
        );
        assert_eq!((read.cores.first().unwrap().value, read.memory_mb.first().unwrap().value), (0.5, 1024.0));
        assert_eq!(read.replicas.first().unwrap().value, Count::Fixed(3));
        assert_eq!(read.databases.first().unwrap().value.version.as_deref(), Some("15.4"));
        assert!(read.proxies.first().unwrap().tls.is_some());
        assert_eq!(read.cdns.len(), 1);
    }

    #[test]
    fn variables_and_broken_files_say_nothing() {
        let read = signs("resource \"aws_ecs_task_definition\" \"api\" {\n  memory = var.memory\n");
        assert!(read.memory_mb.is_empty() && read.targets.len() == 1);
        assert!(signs("}}} resource").targets.is_empty());
        assert!(signs("variable \"aws_lb\" {\n  memory = 5\n}\n").memory_mb.is_empty());
    }
}
