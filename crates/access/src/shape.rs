//! Which of the optional facts a question has. A policy that demands a fact which is not there need not be asked.
use serde_json::Value;

use crate::catalogue::{Info, Plane};
use crate::facts::{Grant, Question, Subject};

/// A set of optional facts of the schema's contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape(u16);

const FACTS: [&str; 9] =
    ["module", "membership", "reach", "reach.assignment", "member", "staff", "provider", "staff_row", "assignment_row"];

impl Shape {
    pub(crate) const NOTHING: Self = Self(0);
    const MODULE: Self = Self(1);
    const MEMBERSHIP: Self = Self(1 << 1);
    const REACH: Self = Self(1 << 2);
    const ASSIGNED: Self = Self(1 << 2 | 1 << 3);
    const MEMBER: Self = Self(1 << 4);
    const STAFF: Self = Self(1 << 5 | 1 << 6);
    const STAFF_ROW: Self = Self(1 << 7);
    const ASSIGNMENT_ROW: Self = Self(1 << 8);

    /// The fact of this name; a name that is no optional fact is nothing.
    pub(crate) fn of(fact: &str) -> Self {
        FACTS.iter().position(|f| *f == fact).map_or(Self::NOTHING, |i| Self(1 << i))
    }

    /// The fact that a `has` expression asks for, if it is one of these.
    pub(crate) fn of_has(has: &Value) -> Option<Self> {
        let attribute = has["attr"].as_str()?;
        let fact = match (has["left"]["Var"].as_str(), &has["left"]["."]) {
            (Some("context"), _) => Self::of(attribute),
            (_, within) if within["left"]["Var"] == "context" => Self::of(&format!("{}.{attribute}", within["attr"].as_str()?)),
            _ => Self::NOTHING,
        };
        (fact != Self::NOTHING).then_some(fact)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn has_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What [`crate::cedar::Names::context`] puts into the context of this question.
    pub(crate) fn of_question(q: &Question<'_>) -> Self {
        let info = q.act.info();
        let (grant, row) = match info.plane {
            Plane::Data | Plane::Records | Plane::Client => {
                let grant = match q.grant {
                    Grant::Membership(_) => Self::MEMBERSHIP,
                    Grant::Reach { assignment: None, .. } => Self::REACH,
                    Grant::Reach { assignment: Some(_), .. } => Self::ASSIGNED,
                    Grant::Nobody | Grant::SelfOnly | Grant::Staff { .. } => Self::NOTHING,
                };
                (grant, if matches!(q.subject, Subject::Member { .. }) { Self::MEMBER } else { Self::NOTHING })
            }
            Plane::Provider => {
                let row = match q.subject {
                    Subject::Staff { .. } => Self::STAFF_ROW,
                    Subject::Assignment { .. } => Self::ASSIGNMENT_ROW,
                    Subject::Any | Subject::Member { .. } => Self::NOTHING,
                };
                (if matches!(q.grant, Grant::Staff { .. }) { Self::STAFF } else { Self::NOTHING }, row)
            }
            Plane::Own | Plane::Public => (Self::NOTHING, Self::NOTHING),
        };
        Self::always(info).and(grant).and(row)
    }

    /// Every shape that a question about the action can have.
    pub(crate) fn all(info: &Info) -> Vec<Self> {
        let (grants, rows): (&[Self], &[Self]) = match info.plane {
            Plane::Data | Plane::Records | Plane::Client => {
                (&[Self::NOTHING, Self::MEMBERSHIP, Self::REACH, Self::ASSIGNED], &[Self::NOTHING, Self::MEMBER])
            }
            Plane::Provider => (&[Self::NOTHING, Self::STAFF], &[Self::NOTHING, Self::STAFF_ROW, Self::ASSIGNMENT_ROW]),
            Plane::Own | Plane::Public => (&[Self::NOTHING], &[Self::NOTHING]),
        };
        grants.iter().flat_map(|g| rows.iter().map(|r| Self::always(info).and(*g).and(*r))).collect()
    }

    fn always(info: &Info) -> Self {
        if info.module.is_some() { Self::MODULE } else { Self::NOTHING }
    }
}
