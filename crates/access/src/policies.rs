//! Policies as they stand in their file: read, numbered, strictly validated, and narrowed to those that can speak.
use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{Effect, EntityUid, Policy, PolicyId, PolicySet, Response, Schema, ValidationMode, Validator};
use serde_json::Value;

use crate::catalogue::{Info, Op};
use crate::engine::Error;
use crate::needs::tier_words;
use crate::shape::Shape;

/// Policies in the order of their file.
pub(crate) struct Policies {
    all: Vec<Numbered>,
}

struct Numbered {
    policy: Policy,
    id: String,
    why: String,
    /// The facts without which it is silent.
    reads: Shape,
}

/// What the policies say about one action: a sentence for each that can speak.
pub(crate) type Sentences = HashMap<PolicyId, Sentence>;

pub(crate) struct Sentence {
    order: usize,
    pub(crate) forbids: bool,
    pub(crate) id: Arc<str>,
    pub(crate) why: Arc<str>,
}

/// Sets of policies that several actions share.
#[derive(Default)]
pub(crate) struct Shared(HashMap<Vec<usize>, Arc<PolicySet>>);

impl Policies {
    /// Every policy goes by its `@id` and carries a `@why`.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let set = PolicySet::from_str(text).map_err(|e| Error::Policies(format!("{e:?}")))?;
        let mut all = set.policies().map(|p| Ok((number(p)?, Numbered::read(p)?))).collect::<Result<Vec<_>, Error>>()?;
        all.sort_by_key(|(number, _)| *number);
        let all: Vec<_> = all.into_iter().map(|(_, p)| p).collect();
        let mut ids = HashSet::new();
        match all.iter().find(|p| !ids.insert(p.id.as_str())) {
            Some(twice) => Err(Error::Policies(format!("{} stands twice", twice.id))),
            None => Ok(Self { all }),
        }
    }

    pub(crate) fn ids(self) -> Vec<String> {
        self.all.into_iter().map(|p| p.id).collect()
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.all.retain(|p| p.id != id);
    }

    /// Strict, and a warning counts as an error: a policy that can never apply is a mistake.
    pub(crate) fn validate(&self, schema: &Schema) -> Result<(), Error> {
        let result = Validator::new(schema.clone()).validate(&self.set()?, ValidationMode::Strict);
        let mut found: Vec<String> = result.validation_errors().map(ToString::to_string).collect();
        found.extend(result.validation_warnings().map(ToString::to_string));
        if found.is_empty() { Ok(()) } else { Err(Error::Invalid(found.join("\n"))) }
    }

    /// All of them in one set.
    pub(crate) fn set(&self) -> Result<PolicySet, Error> {
        set(self.all.iter())
    }

    /// For every policy, the actions that its scope can match.
    pub(crate) fn reach(&self, schema: &Schema) -> Vec<HashSet<EntityUid>> {
        self.all.iter().map(|p| p.policy.get_valid_request_envs(schema).map(|env| env.action().clone()).collect()).collect()
    }

    /// The policies that can speak about the action, given the facts there are: leaving out the others changes no answer.
    pub(crate) fn about(
        &self,
        action: &EntityUid,
        shape: Shape,
        reach: &[HashSet<EntityUid>],
        shared: &mut Shared,
    ) -> Result<Arc<PolicySet>, Error> {
        let can_speak = |i: &usize| reach[*i].contains(action) && shape.has_all(self.all[*i].reads);
        let speaking: Vec<usize> = (0..self.all.len()).filter(can_speak).collect();
        if let Some(known) = shared.0.get(&speaking) {
            return Ok(known.clone());
        }
        let made = Arc::new(set(speaking.iter().map(|i| &self.all[*i]))?);
        shared.0.insert(speaking, made.clone());
        Ok(made)
    }

    /// What they say about the action, with what their sentences leave to the catalogue filled in.
    pub(crate) fn sentences(&self, action: &EntityUid, info: &Info, reach: &[HashSet<EntityUid>]) -> Sentences {
        let speaking = self.all.iter().zip(reach).enumerate().filter(|(_, (_, reach))| reach.contains(action));
        let sentence = |(order, (p, _)): (usize, (&Numbered, _))| {
            let forbids = p.policy.effect() == Effect::Forbid;
            (p.policy.id().clone(), Sentence { order, forbids, id: p.id.as_str().into(), why: fill(&p.why, info).into() })
        };
        speaking.map(sentence).collect()
    }
}

/// Of the policies that decided, the one that stands first in its file.
pub(crate) fn first<'a>(sentences: &'a Sentences, response: &Response) -> Option<&'a Sentence> {
    response.diagnostics().reason().filter_map(|id| sentences.get(id)).min_by_key(|said| said.order)
}

impl Numbered {
    fn read(policy: &Policy) -> Result<Self, Error> {
        let note = |key: &str| {
            let text = policy.annotation(key).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or_else(|| Error::Policies(format!("{} has no @{key}", policy.id())))
        };
        let (id, why) = (note("id")?, note("why")?);
        let json = policy.to_json().map_err(|e| Error::Policies(format!("{id}: {e}")))?;
        let reads = reads(&json);
        // by way of JSON a policy loses its places in the text, which cost time at every step of its evaluation
        let policy = Policy::from_json(Some(PolicyId::new(&id)), json).map_err(|e| Error::Policies(format!("{id}: {e}")))?;
        Ok(Self { policy, id, why, reads })
    }
}

/// Cedar numbers policies policy0, policy1, … as they stand in the text.
fn number(policy: &Policy) -> Result<usize, Error> {
    let number = policy.id().to_string().trim_start_matches("policy").parse();
    number.map_err(|_| Error::Policies(format!("{} is no place in a file", policy.id())))
}

fn set<'a>(policies: impl Iterator<Item = &'a Numbered>) -> Result<PolicySet, Error> {
    PolicySet::from_policies(policies.map(|p| p.policy.clone())).map_err(|e| Error::Policies(e.to_string()))
}

/// The optional facts whose presence the policy's `when` demands: `context has membership && …`
fn reads(policy: &Value) -> Shape {
    let conditions = policy["conditions"].as_array().into_iter().flatten();
    let whens = conditions.filter(|c| c["kind"] == "when");
    whens.fold(Shape::NOTHING, |shape, c| shape.and(demands(&c["body"])))
}

fn demands(expression: &Value) -> Shape {
    if let Some(both) = expression.get("&&") {
        return demands(&both["left"]).and(demands(&both["right"]));
    }
    let Some(has) = expression.get("has") else { return Shape::NOTHING };
    let attribute = has["attr"].as_str().unwrap_or_default();
    if has["left"]["Var"] == "context" {
        return Shape::of(attribute);
    }
    let within = &has["left"]["."];
    match within["attr"].as_str() {
        Some(record) if within["left"]["Var"] == "context" => Shape::of(&format!("{record}.{attribute}")),
        _ => Shape::NOTHING,
    }
}

/// Fills what a `@why` leaves to the catalogue.
fn fill(why: &str, info: &Info) -> String {
    let op = match info.op {
        Op::View => "viewing",
        Op::Create => "creating",
        Op::Update => "changing",
        Op::Delete => "deleting",
    };
    why.replace("{module}", info.module.map_or("", |m| m.name()))
        .replace("{op}", op)
        .replace("{tier}", &info.tier.map(tier_words).unwrap_or_default())
}
