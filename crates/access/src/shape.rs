//! Which of the optional facts a question has. A policy that demands a fact which is not there need not be asked.
use serde_json::Value;

use crate::catalogue::{Info, Plane};
use crate::facts::{Grant, Question, Subject};

/// A set of optional facts of the schema's contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape(u16);

const FACTS: [&str; 12] = [
    "module",
    "membership",
    "reach",
    "reach.assignment",
    "reach.elevation",
    "member",
    "staff",
    "provider",
    "staff_row",
    "assignment_row",
    "request_row",
    "key",
];

impl Shape {
    pub(crate) const NOTHING: Self = Self(0);
    const MODULE: Self = Self(1);
    const MEMBERSHIP: Self = Self(1 << 1);
    const REACH: Self = Self(1 << 2);
    const ASSIGNMENT: Self = Self(1 << 3);
    const ELEVATION: Self = Self(1 << 4);
    const MEMBER: Self = Self(1 << 5);
    const STAFF: Self = Self(1 << 6 | 1 << 7);
    const STAFF_ROW: Self = Self(1 << 8);
    const ASSIGNMENT_ROW: Self = Self(1 << 9);
    const REQUEST_ROW: Self = Self(1 << 10);
    const KEY: Self = Self(1 << 11);

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
            Plane::Data | Plane::Records | Plane::Client => (Self::towards_tenant(q.grant), Self::row_of_tenant(q.subject)),
            Plane::Provider => {
                let row = match q.subject {
                    Subject::Staff { .. } => Self::STAFF_ROW,
                    Subject::Assignment { .. } => Self::ASSIGNMENT_ROW,
                    Subject::Request { .. } => Self::REQUEST_ROW,
                    Subject::Any | Subject::Member { .. } => Self::NOTHING,
                };
                (if matches!(q.grant, Grant::Staff { .. }) { Self::STAFF } else { Self::NOTHING }, row)
            }
            Plane::Own | Plane::Public => (Self::NOTHING, Self::NOTHING),
        };
        let key = if q.key.is_some() && info.plane != Plane::Public { Self::KEY } else { Self::NOTHING };
        Self::always(info).and(grant).and(row).and(key)
    }

    fn towards_tenant(grant: &Grant) -> Self {
        match grant {
            Grant::Membership(_) => Self::MEMBERSHIP,
            Grant::Reach { assignment, elevation, .. } => {
                let assignment = if assignment.is_some() { Self::ASSIGNMENT } else { Self::NOTHING };
                let elevation = if elevation.is_some() { Self::ELEVATION } else { Self::NOTHING };
                Self::REACH.and(assignment).and(elevation)
            }
            Grant::Nobody | Grant::SelfOnly | Grant::Staff { .. } => Self::NOTHING,
        }
    }

    fn row_of_tenant(subject: Subject) -> Self {
        match subject {
            Subject::Member { .. } => Self::MEMBER,
            Subject::Request { .. } => Self::REQUEST_ROW,
            Subject::Any | Subject::Staff { .. } | Subject::Assignment { .. } => Self::NOTHING,
        }
    }

    /// Every shape that a question about the action can have.
    pub(crate) fn all(info: &Info) -> Vec<Self> {
        const TOWARDS_TENANT: &[Shape] = &[
            Shape::NOTHING,
            Shape::MEMBERSHIP,
            Shape::REACH,
            Shape(Shape::REACH.0 | Shape::ASSIGNMENT.0),
            Shape(Shape::REACH.0 | Shape::ELEVATION.0),
            Shape(Shape::REACH.0 | Shape::ASSIGNMENT.0 | Shape::ELEVATION.0),
        ];
        let (grants, rows): (&[Self], &[Self]) = match info.plane {
            Plane::Data | Plane::Records | Plane::Client => (TOWARDS_TENANT, &[Self::NOTHING, Self::MEMBER, Self::REQUEST_ROW]),
            Plane::Provider => {
                (&[Self::NOTHING, Self::STAFF], &[Self::NOTHING, Self::STAFF_ROW, Self::ASSIGNMENT_ROW, Self::REQUEST_ROW])
            }
            Plane::Own | Plane::Public => (&[Self::NOTHING], &[Self::NOTHING]),
        };
        let keys: &[Self] = if info.plane == Plane::Public { &[Self::NOTHING] } else { &[Self::NOTHING, Self::KEY] };
        let mut all = Vec::with_capacity(grants.len() * rows.len() * keys.len());
        for grant in grants {
            for row in rows {
                all.extend(keys.iter().map(|key| Self::always(info).and(*grant).and(*row).and(*key)));
            }
        }
        all
    }

    fn always(info: &Info) -> Self {
        if info.module.is_some() { Self::MODULE } else { Self::NOTHING }
    }
}
