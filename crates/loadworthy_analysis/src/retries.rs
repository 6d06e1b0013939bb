//! How calls tell libraries to repeat what fails: how often, after which pause, and whether also what changes something.

use loadworthy_knowledge::{Pause, RetryRow};
use loadworthy_syntax::{Binary, FunctionId, Kind, Module, NodeId};

use crate::analysis::Analysis;
use crate::calls::Call;
use crate::query::Options;
use crate::values::{Resolver, Site, Value};

/// What a call says of repeats.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy<'k> {
    /// The call that states it.
    pub call: Site,
    /// What its options mean.
    pub row: &'k RetryRow,
    /// All attempts, the first included, where there is a known most.
    pub attempts: Option<f64>,
    /// It says that there is no end.
    pub is_endless: bool,
    /// Where the number is.
    pub counted: Option<Site>,
    /// What lies between attempts.
    pub pause: Pause,
    /// Where the pause is.
    pub paused: Option<Site>,
    /// The constant pause.
    pub millis: Option<f64>,
    /// Also requests that would happen twice are repeated.
    pub is_of_changes: bool,
    /// Where it says that they are.
    pub chosen: Option<Site>,
}

/// What the calls of a program tell their libraries, in the order of the calls.
#[must_use]
pub fn retry_policies<'k>(analysis: &Analysis<'k>, resolver: &Resolver<'_>) -> Vec<RetryPolicy<'k>> {
    let knowledge = analysis.knowledge();
    let mut all = Vec::new();
    for call in analysis.calls().iter() {
        let Some(library) = &call.library else { continue };
        for row in knowledge.retries(library.lib, library.on, &library.name, library.module.as_deref()) {
            all.push(Reader { resolver, row }.policy(call));
        }
    }
    all
}

struct Reader<'r, 'p, 'k> {
    resolver: &'r Resolver<'p>,
    row: &'k RetryRow,
}

impl<'k> Reader<'_, '_, 'k> {
    fn policy(&self, call: &Call<'_>) -> RetryPolicy<'k> {
        let row = self.row;
        let options = self.resolver.argument(call.site, row.argument);
        let options = options.and_then(|options| self.at(options, &row.within));
        let counted = options.and_then(|options| self.first(options, &row.count));
        let count = counted.map_or(Count::Unknown, |at| self.count(at));
        let is_endless = matches!(count, Count::Endless)
            || options.is_some_and(|options| self.is_set(options, &row.endless));
        let attempts = match count {
            Count::Of(number) => Some(attempts(row, number)),
            Count::Unknown if counted.is_none() => row.default.map(|number| attempts(row, number)),
            _ => None,
        };
        let (pause, paused, millis) = options.map_or((row.pause, None, None), |options| self.pause(options));
        let (is_of_changes, chosen) = self.changes(options);
        RetryPolicy {
            call: call.site,
            row,
            attempts,
            is_endless,
            counted,
            pause,
            paused,
            millis,
            is_of_changes,
            chosen,
        }
    }

    /// The expression at a path of an object.
    fn at(&self, options: Site, path: &str) -> Option<Site> {
        let mut names = path.split('.').filter(|name| !name.is_empty());
        names.try_fold(options, |at, name| Options::of(self.resolver, at).get(name))
    }

    fn first(&self, options: Site, paths: &[String]) -> Option<Site> {
        paths.iter().find_map(|path| {
            let at = self.at(options, path)?;
            // The object around other paths is no number.
            let is_object = self.resolver.value_of(at).iter().any(|value| matches!(value, Value::Object(..)));
            (!is_object).then_some(at)
        })
    }

    fn is_set(&self, options: Site, paths: &[String]) -> bool {
        let Some(at) = self.first(options, paths) else { return false };
        !matches!(&*self.resolver.value_of(at), [Value::Bool(false)])
    }

    fn count(&self, at: Site) -> Count {
        if let Some(number) = self.resolver.number_of(at) {
            return Count::Of(number);
        }
        match &*self.resolver.value_of(at) {
            [Value::Bool(true)] => Count::Endless,
            [Value::Bool(false)] => Count::Of(0.0),
            [Value::Function(file, function)] => self.count_in((*file, *function)),
            _ if self.source(at).ends_with("Infinity") => Count::Endless,
            _ => Count::Unknown,
        }
    }

    /// `(failures) => failures < 3`
    fn count_in(&self, (file, function): crate::links::FunctionRef) -> Count {
        let Some(module) = self.resolver.program().module(file) else { return Count::Unknown };
        let Some(body) = module.function(function).map(|function| function.body) else {
            return Count::Unknown;
        };
        if matches!(module.kind(body), Kind::Bool(true)) {
            return Count::Endless;
        }
        let compared = module.all_nodes(body).into_iter().find_map(|node| match module.kind(node) {
            Kind::Binary { operator: Binary::Less | Binary::GreaterEqual, right, .. } => {
                self.resolver.number_of((file, right))
            }
            Kind::Binary { operator: Binary::LessEqual | Binary::Greater, right, .. } => {
                self.resolver.number_of((file, right)).map(|most| most + 1.0)
            }
            _ => None,
        });
        // Numbers from 100 on are states of responses.
        compared.filter(|most| *most < 100.0).map_or(Count::Unknown, Count::Of)
    }

    fn pause(&self, options: Site) -> (Pause, Option<Site>, Option<f64>) {
        let row = self.row;
        if let Some(at) = self.first(options, &row.delay) {
            let millis = self.resolver.number_of(at);
            return (self.delay(at, millis), Some(at), millis);
        }
        let number = |paths: &[String]| {
            self.first(options, paths).and_then(|at| Some((at, self.resolver.number_of(at)?)))
        };
        if let Some((at, first)) = number(&row.first)
            && (first <= 0.0 || first < row.short)
        {
            return (Pause::None, Some(at), Some(first));
        }
        let random = self.first(options, &row.random).map(|at| self.resolver.value_of(at));
        let has_chance = match random.as_deref() {
            Some([Value::Bool(flag)]) => *flag,
            Some(_) => true,
            None => row.pause == Pause::Random,
        };
        if has_chance {
            return (Pause::Random, None, None);
        }
        if let Some((at, factor)) = number(&row.factor)
            && factor <= 1.0
        {
            return (Pause::Constant, Some(at), number(&row.first).map(|(_, first)| first));
        }
        let is_random = row.pause == Pause::Random;
        (if is_random { Pause::Growing } else { row.pause }, None, None)
    }

    /// What an option is that says how long to wait.
    fn delay(&self, at: Site, millis: Option<f64>) -> Pause {
        if let Some(millis) = millis {
            return if millis > 0.0 { Pause::Constant } else { Pause::None };
        }
        let text = self.source(at);
        if let Some(pause) = self.named(text) {
            return pause;
        }
        match &*self.resolver.value_of(at) {
            [Value::Function(file, function)] => self.delay_of(*file, *function),
            // What is not known is taken for good.
            _ => Pause::Growing,
        }
    }

    fn delay_of(&self, file: loadworthy_project::FileId, function: FunctionId) -> Pause {
        let Some(module) = self.resolver.program().module(file) else { return Pause::Growing };
        let Some(lowered) = module.function(function) else { return Pause::Growing };
        let text = module.source(lowered.body);
        if let Some(pause) = self.named(text) {
            return pause;
        }
        if ["random", "jitter", "Jitter"].iter().any(|word| text.contains(word)) {
            return Pause::Random;
        }
        let parameters: Vec<NodeId> = module.list(lowered.parameters).collect();
        if parameters.iter().any(|parameter| is_used(module, *parameter, lowered.body)) {
            return Pause::Growing;
        }
        match module.kind(lowered.body) {
            Kind::Number(index) if module.number(index) <= 0.0 => Pause::None,
            Kind::Block(_) if text.contains("return 0") => Pause::None,
            _ => Pause::Constant,
        }
    }

    /// By the library's own functions.
    fn named(&self, text: &str) -> Option<Pause> {
        self.row.delays.iter().find(|(name, _)| text.contains(name.as_str())).map(|(_, pause)| *pause)
    }

    /// Whether what would happen twice is repeated, and where that is said.
    fn changes(&self, options: Option<Site>) -> (bool, Option<Site>) {
        let row = self.row;
        if !row.methods.is_empty() {
            let Some(at) = options.and_then(|options| self.first(options, &row.methods)) else {
                return (false, None);
            };
            let text = self.told(at).to_lowercase();
            let changes = ["post", "patch"].iter().any(|method| text.contains(method));
            return (changes, Some(at));
        }
        if !row.spares.is_empty() {
            let Some(at) = options.and_then(|options| self.first(options, &row.condition)) else {
                return (false, None);
            };
            let text = self.told(at);
            let spares = row.spares.iter().any(|name| text.contains(name.as_str()));
            return (!spares && !text.contains("method"), Some(at));
        }
        (true, None)
    }

    /// The text of an expression, or of the function or list that it names.
    fn told(&self, at: Site) -> String {
        let mut text = self.source(at).to_owned();
        for value in self.resolver.value_of(at).iter() {
            let (Value::Function(file, _) | Value::Array(file, _)) = value else { continue };
            let Some(module) = self.resolver.program().module(*file) else { continue };
            let node = match value {
                Value::Function(_, function) => module.function(*function).map(|it| it.node),
                Value::Array(_, node) => Some(*node),
                _ => None,
            };
            text.push_str(node.map_or("", |node| module.source(node)));
        }
        text
    }

    fn source(&self, (file, node): Site) -> &str {
        self.resolver.program().module(file).map_or("", |module| module.source(node))
    }
}

/// What an option says of the number of attempts.
#[derive(Clone, Copy, Debug)]
enum Count {
    Of(f64),
    Endless,
    Unknown,
}

/// All attempts of a number that is set.
fn attempts(row: &RetryRow, number: f64) -> f64 {
    match row.counts {
        loadworthy_knowledge::Counts::Retries => number + 1.0,
        loadworthy_knowledge::Counts::Attempts => number.max(1.0),
    }
}

/// Whether a function reads one of the names of a parameter.
fn is_used(module: &Module, parameter: NodeId, body: NodeId) -> bool {
    module.all_nodes(parameter).into_iter().any(|node| match module.kind(node) {
        Kind::Binding(binding) => {
            module.references(binding).iter().any(|reference| module.contains(body, *reference))
        }
        _ => false,
    })
}
