//! Sizes that are read from the page while rendering.

use loadworthy_analysis::Site;
use loadworthy_capacity::Severity;
use loadworthy_syntax::{FunctionId, Kind, NodeId};

use super::{Case, Told};
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Place};

/// Members that make the browser lay the page out before they answer.
const SIZES: [&str; 10] = [
    "clientHeight",
    "clientWidth",
    "offsetHeight",
    "offsetWidth",
    "offsetTop",
    "offsetLeft",
    "scrollHeight",
    "scrollWidth",
    "scrollTop",
    "getBoundingClientRect",
];

impl Case<'_> {
    /// `ref.current.clientHeight` in the flow of the render of rows, once for each of them.
    pub(super) fn measured(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let lowered = self.module.function(self.component.function.1)?;
        let mut found = self.module.all_nodes(lowered.body).into_iter().filter(|node| self.is_size(*node));
        let (site, row) = found.find_map(|node| {
            let function = self.module.enclosing_function(node);
            if !self.is_in_render(audit, function) {
                return None;
            }
            Some(((self.file, node), self.row_around(audit, function)?))
        })?;
        let read = audit.excerpt(site, 40);
        let mut finding = self.finding(
            audit,
            site,
            Told {
                title: format!("{} measures the page for each row while it renders", self.name()),
                problem: format!(
                    "`{read}` is read while {} renders, once for each row. It is the size of the last render, not of this one, and where \
                     something has been written since, the browser lays the whole page out before it answers: with many rows each \
                     render forces many layouts.",
                    self.name()
                ),
                fix: "Measure once after the render (`useLayoutEffect`, or a `ResizeObserver`), keep the size in state, and compute the rows from that.",
                most: Severity::Monitor,
            },
        );
        finding.evidence.push(Evidence { place: Place::Code(row), note: String::from("for each row") });
        finding.fix.before = Some(audit.source(audit.statement(site)).to_owned());
        finding.fix.after = Some(format!(
            "const [size, setSize] = useState(0);\nuseLayoutEffect(() => {{\n  const node = {};\n  if (!node) return;\n  const observer = new ResizeObserver(() => setSize(node.{}));\n  observer.observe(node);\n  return () => observer.disconnect();\n}}, []);",
            self.measured_node(site.1),
            self.size_name(site.1)
        ));
        Some(finding)
    }

    /// `boxRef.current.clientHeight`
    fn is_size(&self, node: NodeId) -> bool {
        let Kind::Member { object, name } = self.module.kind(node) else { return false };
        SIZES.contains(&self.module.str(name)) && self.module.source(object).ends_with(".current")
    }

    fn measured_node(&self, node: NodeId) -> &str {
        match self.module.kind(node) {
            Kind::Member { object, .. } => self.module.source(object),
            _ => "ref.current",
        }
    }

    fn size_name(&self, node: NodeId) -> &str {
        match self.module.kind(node) {
            Kind::Member { name, .. } if self.module.str(name) != "getBoundingClientRect" => {
                self.module.str(name)
            }
            _ => "clientHeight",
        }
    }

    /// The callback of `rows.map` around a place, or around a call of the function that holds it.
    fn row_around(&self, audit: &Audit<'_, '_>, mut function: FunctionId) -> Option<Site> {
        for _ in 0..4 {
            if function == self.component.function.1 {
                return None;
            }
            let node = self.module.function(function)?.node;
            let call = self.module.parent(node);
            if let Kind::Call { callee, .. } = self.module.kind(call)
                && matches!(self.module.kind(callee), Kind::Member { name, .. } if self.module.str(name) == "map")
            {
                return Some((self.file, call));
            }
            let edge = audit.analysis.graph().callers((self.file, function)).next()?;
            if edge.caller.0 != self.file {
                return None;
            }
            function = edge.caller.1;
        }
        None
    }
}
