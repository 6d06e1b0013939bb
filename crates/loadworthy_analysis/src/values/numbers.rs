//! Constant numbers: literals, constants of other modules, and arithmetic on them.

use loadworthy_syntax::{Binary, Kind, Unary};

use super::{Resolver, Site, Value, Values, none, one};

/// A constant number, equal to itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Number(u64);

impl Number {
    pub(super) fn new(number: f64) -> Self {
        Self(number.to_bits())
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl Resolver<'_> {
    /// The one number that an expression is: `5 * 60 * 1000`, `-1`, `LIMITS.page`.
    #[must_use]
    pub fn number_of(&self, (file, node): Site) -> Option<f64> {
        let module = self.module(file)?;
        match module.kind(node) {
            Kind::Number(index) => Some(module.number(index)),
            Kind::Unary { operator: Unary::Minus, value } => Some(-self.number_of((file, value))?),
            Kind::Unary { operator: Unary::Plus, value } => self.number_of((file, value)),
            Kind::Binary { operator, left, right } if is_arithmetic(operator) => {
                let (left, right) = (self.number_of((file, left))?, self.number_of((file, right))?);
                calculate(operator, left, right)
            }
            Kind::Name { .. } | Kind::Member { .. } | Kind::Call { .. } => {
                match &*self.value_of((file, node)) {
                    [Value::Number(number)] => Some(number.get()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    pub(super) fn number_value(&self, site: Site) -> Values {
        self.number_of(site).map_or_else(none, |number| one(Value::Number(Number::new(number))))
    }
}

fn is_arithmetic(operator: Binary) -> bool {
    matches!(
        operator,
        Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Remainder
            | Binary::Power
    )
}

fn calculate(operator: Binary, left: f64, right: f64) -> Option<f64> {
    let result = match operator {
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide => left / right,
        Binary::Remainder => left % right,
        Binary::Power => left.powf(right),
        _ => return None,
    };
    result.is_finite().then_some(result)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use loadworthy_knowledge::Knowledge;
    use loadworthy_project::{DiscoverOptions, Project};

    use super::*;
    use crate::Program;

    /// What the first argument of the first call in `b.js` is.
    fn argument(constants: &str, code: &str) -> Values {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.js"), constants).unwrap();
        fs::write(folder.path().join("b.js"), code).unwrap();
        let project = Project::discover(folder.path(), &DiscoverOptions::default()).unwrap();
        let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
        let file = project.file_by_path("b.js").unwrap();
        let resolver = Resolver::new(&program);
        let call = *program.module(file).unwrap().calls().first().unwrap();
        resolver.value_of(resolver.argument((file, call), 0).unwrap())
    }

    #[test]
    fn numbers_cross_files_and_are_calculated() {
        let constants = "const MINUTE = 60 * 1000;\nmodule.exports = { MINUTE, page: { max: 50 } };";
        for (code, expected) in [
            ("f(15 * a.MINUTE); const a = require('./a');", 900_000.0),
            ("f(page.max); const { page } = require('./a');", 50.0),
            ("f(-1)", -1.0),
            ("f(1 + 2)", 3.0),
        ] {
            let values = argument(constants, code);
            assert_eq!(*values, [Value::Number(Number::new(expected))], "{code}");
        }
    }

    #[test]
    fn texts_and_unknown_operands_are_no_numbers() {
        assert_eq!(*argument("", "f('1' + 2)"), [Value::Text("12".into())]);
        assert!(argument("", "f(1 * unknown())").is_empty());
        assert!(argument("", "f(1 / 0)").is_empty());
        assert_eq!(*argument("", "f(true)"), [Value::Bool(true)]);
    }
}
