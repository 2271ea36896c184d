//! Policies as they stand in their file: read, numbered, strictly validated, and for each action folded into what of them
//! can speak about it.
use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{Effect, EntityUid, Policy, PolicyId, PolicySet, Response, Schema, ValidationMode, Validator};
use serde_json::Value;

use crate::catalogue::{Info, Op, Plane};
use crate::engine::Error;
use crate::fold::{self, Known};
use crate::needs::tier_words;
use crate::shape::Shape;

/// Policies in the order of their file.
pub(crate) struct Policies {
    all: Vec<Numbered>,
}

struct Numbered {
    policy: Policy,
    json: Value,
    id: String,
    why: String,
    /// The actions and groups that its conditions test for.
    tests: BTreeSet<String>,
    /// And the optional facts.
    facts: Shape,
}

/// What the policies say about one action: a sentence for each that can speak.
pub(crate) type Sentences = HashMap<PolicyId, Sentence>;

pub(crate) struct Sentence {
    order: usize,
    pub(crate) forbids: bool,
    pub(crate) id: Arc<str>,
    pub(crate) why: Arc<str>,
}

/// An action as the policies see it.
pub(crate) struct Seen {
    pub(crate) uid: EntityUid,
    pub(crate) info: &'static Info,
    /// Its own name and those of its groups.
    pub(crate) is: BTreeSet<String>,
}

/// Folded policies and sets of them, which many actions share.
#[derive(Default)]
pub(crate) struct Shared {
    folded: Vec<Policy>,
    by_knowledge: HashMap<Knowledge, Option<usize>>,
    sets: HashMap<Vec<usize>, Arc<PolicySet>>,
}

/// What a policy is folded by: which policy, which of the tested names the action has, which of the tested facts there are,
/// and whether there is one environment.
type Knowledge = (usize, Vec<bool>, Shape, bool);

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
        set(self.all.iter().map(|p| &p.policy))
    }

    /// For every policy, the actions that its scope can match.
    pub(crate) fn reach(&self, schema: &Schema) -> Vec<HashSet<EntityUid>> {
        self.all.iter().map(|p| p.policy.get_valid_request_envs(schema).map(|env| env.action().clone()).collect()).collect()
    }

    /// The policies that can speak about the action, given the facts there are, folded. What is left out changes no answer.
    pub(crate) fn about(
        &self,
        action: &Seen,
        shape: Shape,
        reach: &[HashSet<EntityUid>],
        shared: &mut Shared,
    ) -> Result<Arc<PolicySet>, Error> {
        let mut speaking = Vec::new();
        for i in (0..self.all.len()).filter(|i| reach[*i].contains(&action.uid)) {
            speaking.extend(self.folded(i, action, shape, shared)?);
        }
        if let Some(known) = shared.sets.get(&speaking) {
            return Ok(known.clone());
        }
        let made = Arc::new(set(speaking.iter().map(|i| &shared.folded[*i]))?);
        shared.sets.insert(speaking, made.clone());
        Ok(made)
    }

    fn folded(&self, i: usize, action: &Seen, shape: Shape, shared: &mut Shared) -> Result<Option<usize>, Error> {
        let p = &self.all[i];
        // the public plane alone knows two kinds of principal
        let one_environment = action.info.plane != Plane::Public;
        let tests = p.tests.iter().map(|name| action.is.contains(name.as_str())).collect();
        let shape = shape.within(p.facts);
        let knowledge = (i, tests, shape, one_environment);
        if let Some(known) = shared.by_knowledge.get(&knowledge) {
            return Ok(*known);
        }
        let folded = fold::policy(&p.json, &Known { action_is: &action.is, shape, one_environment })?;
        let place = folded.map(|json| Ok(shared.keep(from_json(&p.id, json)?))).transpose()?;
        shared.by_knowledge.insert(knowledge, place);
        Ok(place)
    }

    /// What they say about the action, with what their sentences leave to the catalogue filled in.
    pub(crate) fn sentences(&self, action: &Seen, reach: &[HashSet<EntityUid>]) -> Sentences {
        let speaking = self.all.iter().zip(reach).enumerate().filter(|(_, (_, reach))| reach.contains(&action.uid));
        let sentence = |(order, (p, _)): (usize, (&Numbered, _))| {
            let forbids = p.policy.effect() == Effect::Forbid;
            (p.policy.id().clone(), Sentence { order, forbids, id: p.id.as_str().into(), why: fill(&p.why, action.info).into() })
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
        let (tests, facts) = fold::tested(&json);
        Ok(Self { policy: policy.new_id(PolicyId::new(&id)), tests, facts, json, id, why })
    }
}

impl Shared {
    fn keep(&mut self, policy: Policy) -> usize {
        self.folded.push(policy);
        self.folded.len() - 1
    }
}

fn from_json(id: &str, json: Value) -> Result<Policy, Error> {
    Policy::from_json(Some(PolicyId::new(id)), json).map_err(|e| Error::Policies(format!("{id}: {e}")))
}

/// Cedar numbers policies policy0, policy1, … as they stand in the text.
fn number(policy: &Policy) -> Result<usize, Error> {
    let number = policy.id().to_string().trim_start_matches("policy").parse();
    number.map_err(|_| Error::Policies(format!("{} is no place in a file", policy.id())))
}

fn set<'a>(policies: impl Iterator<Item = &'a Policy>) -> Result<PolicySet, Error> {
    PolicySet::from_policies(policies.cloned()).map_err(|e| Error::Policies(e.to_string()))
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
