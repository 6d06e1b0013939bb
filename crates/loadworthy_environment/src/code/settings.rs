//! What a setting is: a constant, an environment variable, or a variable with a constant behind it.

use loadworthy_analysis::{External, Root, Site, Step, Value};
use loadworthy_syntax::{Binary, Kind};

use super::Code;

/// Deepest chain of conversions and defaults that is followed.
const MAX_DEPTH: usize = 12;

/// One thing a setting may be, in the order in which it is tried at run time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Candidate {
    /// An environment variable.
    Variable(String),
    Number(f64),
    Text(String),
    Flag(bool),
}

impl Code<'_> {
    /// What an expression may be; empty where it is neither constant nor from the environment.
    pub(crate) fn candidates(self, site: Site) -> Vec<Candidate> {
        let mut found = Vec::new();
        self.add_candidates(site, MAX_DEPTH, &mut found);
        found
    }

    fn add_candidates(self, (file, node): Site, depth: usize, found: &mut Vec<Candidate>) {
        let Some(module) = self.module(file).filter(|_| depth > 0) else { return };
        let mut inner = |id| self.add_candidates((file, id), depth - 1, found);
        match module.kind(node) {
            Kind::Binary { operator: Binary::Or | Binary::Nullish, left, right } => {
                inner(left);
                inner(right);
            }
            Kind::Conditional { test, then, otherwise } => match self.in_production((file, test)) {
                Some(true) => inner(then),
                Some(false) => inner(otherwise),
                None => {
                    inner(then);
                    inner(otherwise);
                }
            },
            Kind::Binary { operator: Binary::And, right, .. } => inner(right),
            Kind::Unary { operator: loadworthy_syntax::Unary::Plus, value } => inner(value),
            Kind::Call { callee, arguments } => {
                let arguments: Vec<Site> = module.list(arguments).map(|argument| (file, argument)).collect();
                self.add_call((file, node), (file, callee), &arguments, depth, found);
            }
            Kind::Member { object, name } => {
                // `config.pool.max`, where a part of the path depends on the mode.
                let holders = self.production_objects((file, object));
                if holders.is_empty() {
                    return self.add_values((file, node), depth, found);
                }
                for holder in holders {
                    if let Some(value) = self.property(holder, module.str(name)) {
                        self.add_candidates(value, depth - 1, found);
                    }
                }
            }
            _ => self.add_values((file, node), depth, found),
        }
    }

    /// Conversions give what they convert; a helper of the project that is handed a name reads that variable.
    fn add_call(
        self,
        call: Site,
        callee: Site,
        arguments: &[Site],
        depth: usize,
        found: &mut Vec<Candidate>,
    ) {
        let Some(module) = self.module(callee.0) else { return };
        if let Kind::Name { name, .. } = module.kind(callee.1)
            && matches!(module.str(name), "Number" | "parseInt" | "parseFloat" | "String" | "Boolean" | "ms")
        {
            if let Some(first) = arguments.first() {
                self.add_candidates(*first, depth - 1, found);
            }
            return;
        }
        if let Kind::Member { object, name } = module.kind(callee.1) {
            let name = module.str(name);
            let is_number =
                matches!(module.kind(object), Kind::Name { name, .. } if module.str(name) == "Number");
            if is_number && matches!(name, "parseInt" | "parseFloat") {
                if let Some(first) = arguments.first() {
                    self.add_candidates(*first, depth - 1, found);
                }
                return;
            }
            if matches!(name, "trim" | "toLowerCase" | "toUpperCase" | "toString") {
                self.add_candidates((callee.0, object), depth - 1, found);
                return;
            }
        }
        let is_own = self.resolver.value_of(callee).iter().any(|value| matches!(value, Value::Function(..)));
        let key = arguments.first().and_then(|first| self.text(*first)).filter(|key| is_variable(key));
        match key.filter(|_| is_own) {
            Some(key) => {
                found.push(Candidate::Variable(key));
                if let Some(default) = arguments.get(1) {
                    self.add_candidates(*default, depth - 1, found);
                }
            }
            None => self.add_values(call, depth, found),
        }
    }

    /// Whether a condition on `NODE_ENV` holds where the server runs in production; `None` for other conditions.
    pub(crate) fn in_production(self, (file, node): Site) -> Option<bool> {
        let module = self.module(file)?;
        match module.kind(node) {
            Kind::Binary { operator: operator @ (Binary::Equal | Binary::NotEqual), left, right } => {
                let is_mode = |id| self.is_mode((file, id));
                let other = if is_mode(left) { right } else { Some(left).filter(|_| is_mode(right))? };
                let is_equal = self.text((file, other))? == "production";
                Some(is_equal == (operator == Binary::Equal))
            }
            Kind::Unary { operator: loadworthy_syntax::Unary::Not, value } => {
                Some(!self.in_production((file, value))?)
            }
            // `const isProduction = process.env.NODE_ENV === "production"`
            Kind::Name { binding, .. } => {
                let declared = module.binding(binding)?.node;
                match module.kind(module.parent(declared)) {
                    Kind::Declarator { init, .. } if init.is_some() => self.in_production((file, init)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn is_mode(self, site: Site) -> bool {
        self.resolver.value_of(site).iter().any(|value| match value {
            Value::External(external) => {
                matches!(&*external.steps, [Step::Get(_), Step::Get(key)] if &**key == "NODE_ENV")
            }
            _ => false,
        })
    }

    fn add_values(self, site: Site, depth: usize, found: &mut Vec<Candidate>) {
        for value in self.resolver.filled(&self.resolver.value_of(site)).iter() {
            match value {
                Value::Number(number) => found.push(Candidate::Number(number.get())),
                Value::Text(text) => found.push(Candidate::Text(text.to_string())),
                Value::Bool(flag) => found.push(Candidate::Flag(*flag)),
                Value::External(external) => self.add_external(external, site, depth, found),
                _ => {}
            }
        }
    }

    fn add_external(self, external: &External, asked: Site, depth: usize, found: &mut Vec<Candidate>) {
        match &external.root {
            Root::Global(name) if &**name == "process" => {
                if let [Step::Get(env), Step::Get(key), ..] = &*external.steps
                    && &**env == "env"
                {
                    found.push(Candidate::Variable(key.to_string()));
                }
            }
            // `Number(…)` behind a name: what it converts.
            Root::Global(name)
                if matches!(&**name, "Number" | "parseInt" | "parseFloat" | "String" | "Boolean") =>
            {
                let conversion = external.site().filter(|site| *site != asked);
                if let Some(first) = conversion.and_then(|site| self.resolver.argument(site, 0)) {
                    self.add_candidates(first, depth - 1, found);
                }
            }
            Root::Package(_) => self.add_checked(external, depth, found),
            Root::Global(_) | Root::Passed(..) => {}
        }
    }

    /// Variables read through a library: a parsed schema (`schema.parse(process.env).KEY`), or a getter
    /// (`config.get("KEY", default)`).
    fn add_checked(self, external: &External, depth: usize, found: &mut Vec<Candidate>) {
        let steps = &*external.steps;
        let calls: Vec<(usize, Site)> =
            steps.iter().enumerate().filter_map(|(at, step)| Some((at, step.site()?))).collect();
        let Some((at, call)) = calls.last().copied() else { return };
        let arguments = self.arguments(call);
        let names: Vec<&str> = steps.get(at + 1..).unwrap_or_default().iter().filter_map(name_of).collect();
        if let Some(key) = names.first().filter(|key| is_variable(key)) {
            found.push(Candidate::Variable((*key).to_owned()));
            if let Some(default) = self.schema_default(call, key) {
                self.add_candidates(default, depth - 1, found);
            }
            return;
        }
        // `get("KEY")`, `get("KEY", 5)`, `get("KEY").default(5).asInt()`.
        let get = calls.iter().find(|(at, _)| {
            at.checked_sub(1)
                .and_then(|before| steps.get(before))
                .and_then(name_of)
                .is_some_and(|name| matches!(name, "get" | "getOrThrow"))
        });
        let Some((_, get)) = get else { return };
        let Some(key) = self.resolver.argument(*get, 0).and_then(|first| self.text(first)) else { return };
        if is_variable(&key) {
            found.push(Candidate::Variable(key));
        }
        let default = calls.iter().find(|(at, _)| {
            at.checked_sub(1).and_then(|before| steps.get(before)).and_then(name_of) == Some("default")
        });
        let default = default
            .and_then(|(_, site)| self.resolver.argument(*site, 0))
            .or_else(|| self.resolver.argument(*get, 1))
            .or_else(|| arguments.get(1).copied());
        if let Some(default) = default {
            self.add_candidates(default, depth - 1, found);
        }
    }

    /// The default of a key in the schema of `schema.parse(process.env)` or `cleanEnv(process.env, schema)`.
    pub(crate) fn schema_default(self, (file, call): Site, key: &str) -> Option<Site> {
        let module = self.module(file)?;
        let Kind::Call { callee, .. } = module.kind(call) else { return None };
        let mut schemas = self.arguments((file, call));
        if let Kind::Member { object, .. } = module.kind(callee) {
            schemas.push((file, object));
        }
        let objects = schemas.into_iter().flat_map(|schema| {
            let values = self.resolver.value_of(schema);
            let mut objects = self.objects_of(&values);
            for value in values.iter() {
                let Value::External(external) = value else { continue };
                let first = external.steps.iter().find_map(Step::site);
                objects.extend(
                    first
                        .and_then(|site| self.resolver.argument(site, 0))
                        .map_or_else(Vec::new, |site| self.objects(site)),
                );
            }
            objects
        });
        let rule = objects.into_iter().find_map(|object| self.property(object, key))?;
        self.rule_default(rule)
    }

    /// `z.coerce.number().default(20)`, `num({ default: 20 })`.
    fn rule_default(self, (file, rule): Site) -> Option<Site> {
        let module = self.module(file)?;
        let mut node = rule;
        while let Kind::Call { callee, arguments } = module.kind(node) {
            let first = module.list(arguments).next();
            if let Kind::Member { object, name } = module.kind(callee) {
                if module.str(name) == "default" {
                    return first.map(|first| (file, first));
                }
                node = object;
            } else {
                let options = self.objects((file, first?));
                return options.into_iter().find_map(|object| self.property(object, "default"));
            }
        }
        None
    }
}

fn name_of(step: &Step) -> Option<&str> {
    match step {
        Step::Get(name) => Some(name),
        _ => None,
    }
}

/// Names of environment variables are written in capitals.
pub(crate) fn is_variable(key: &str) -> bool {
    crate::lines::is_key(key)
        && key.chars().any(|letter| letter.is_ascii_uppercase())
        && !key.chars().any(|letter| letter.is_ascii_lowercase())
}
