//! The decision: Cedar around the policies, with everything that does not depend on the question made beforehand.
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Effect, Entities, Entity, EntityUid, Policy, PolicyId, PolicySet, Request, Response, Schema, ValidationMode,
    Validator,
};

use crate::catalogue::{Act, Info, Op, Plane};
use crate::cedar::{Names, type_name, uid};
use crate::facts::{Grant, Place, Question};
use crate::needs::{needs, tier_words};

const SCHEMA: &str = include_str!(concat!(env!("OUT_DIR"), "/hub.cedarschema"));
const POLICIES: &str = include_str!("../policies/hub.cedar");
const WHY: &str = include_str!("../policies/why.cedar");

/// Why there is no engine, or no question could be put.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The schema does not parse.
    #[error("reading the access schema: {0}")]
    Schema(String),
    /// The policies do not parse, or lack an `@id` or a `@why`.
    #[error("reading the access policies: {0}")]
    Policies(String),
    /// The policies are not strictly valid against the schema.
    #[error("validating the access policies: {0}")]
    Invalid(String),
    /// A fact cannot be said in Cedar.
    #[error("putting the facts of an access question: {0}")]
    Facts(String),
}

impl Error {
    pub(crate) fn facts(cause: impl fmt::Display) -> Self {
        Error::Facts(cause.to_string())
    }
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It may be done.
    pub allowed: bool,
    /// A policy forbade it: no other grant of the same person may outvote that.
    pub forbidden: bool,
    /// The policy that decided; `no_grant`: none permitted it; `error`: the decision could not be made, which is a no.
    pub policy: Arc<str>,
    /// Why, in a sentence for the person who asked.
    pub why: Arc<str>,
    /// On a no: which grant would be needed, in words. Empty on a yes.
    pub needs: Arc<str>,
    /// The earliest instant at which time alone may change this verdict. Cache it no longer.
    pub until: Option<i64>,
}

/// The policies, ready to be asked.
pub struct Engine {
    authorizer: Authorizer,
    names: Names,
    prepared: Vec<Prepared>,
    words: Words,
}

/// Sentences that no policy says.
struct Words {
    no_grant: Arc<str>,
    error: Arc<str>,
    empty: Arc<str>,
    nothing_here: Arc<str>,
    sign_in: Arc<str>,
    elsewhere: Arc<str>,
    unanswerable: Arc<str>,
}

/// What is known about an action before anybody asks.
struct Prepared {
    uid: EntityUid,
    entity: Entity,
    deciding: Told,
    explaining: Told,
    needs: Arc<str>,
}

/// The policies that can speak about one action, and what they say.
struct Told {
    policies: PolicySet,
    sentences: HashMap<PolicyId, Sentence>,
}

#[derive(Clone)]
struct Sentence {
    order: usize,
    forbids: bool,
    id: Arc<str>,
    why: Arc<str>,
}

impl Engine {
    /// Reads and strictly validates the built-in policies.
    pub fn new() -> Result<Self, Error> {
        Self::build(&Numbered::read(POLICIES)?)
    }

    /// The ids of the deciding policies, in the order of their file.
    #[doc(hidden)]
    pub fn policy_ids() -> Result<Vec<String>, Error> {
        Ok(Numbered::read(POLICIES)?.0.into_iter().map(|(_, id, _)| id).collect())
    }

    /// An engine that lacks one policy: for the test that every policy matters.
    #[doc(hidden)]
    pub fn without(policy: &str) -> Result<Self, Error> {
        let mut all = Numbered::read(POLICIES)?;
        all.0.retain(|(_, id, _)| id != policy);
        Self::build(&all)
    }

    fn build(deciding: &Numbered) -> Result<Self, Error> {
        let (schema, mut warnings) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| Error::Schema(format!("{e:?}")))?;
        if let Some(warning) = warnings.next() {
            return Err(Error::Schema(warning.to_string()));
        }
        let explaining = Numbered::read(WHY)?;
        deciding.validate(&schema)?;
        explaining.validate(&schema)?;

        let entities = schema.action_entities().map_err(|e| Error::Schema(e.to_string()))?;
        let action = type_name("Action")?;
        let (deciding_reach, explaining_reach) = (deciding.reach(&schema), explaining.reach(&schema));
        let prepared = Act::ALL.iter().map(|act| {
            let info = act.info();
            let uid = uid(&action, info.name);
            let entity = entities.get(&uid).cloned();
            Ok(Prepared {
                entity: entity.ok_or_else(|| Error::Schema(format!("{act} is not in the schema")))?,
                deciding: deciding.about(&uid, info, &deciding_reach)?,
                explaining: explaining.about(&uid, info, &explaining_reach)?,
                needs: needs(info).into(),
                uid,
            })
        });
        Ok(Self {
            authorizer: Authorizer::new(),
            names: Names::new()?,
            prepared: prepared.collect::<Result<_, Error>>()?,
            words: Words {
                no_grant: "no_grant".into(),
                error: "error".into(),
                empty: "".into(),
                nothing_here: "You hold nothing here that allows this.".into(),
                sign_in: "Sign in first.".into(),
                elsewhere: "This is not done here.".into(),
                unanswerable: "The access rule could not be evaluated, so the answer is no.".into(),
            },
        })
    }

    /// Which grant the action needs, in words: `T2 Operate (create) or the role auditor or admin`.
    pub fn needs(&self, act: Act) -> Arc<str> {
        self.prepared[act as usize].needs.clone()
    }

    /// Decides one question, through one grant.
    pub fn decide(&self, q: &Question<'_>) -> Verdict {
        let plane = q.act.info().plane;
        if !is_at(plane, q.place) {
            return self.no_grant(q, &self.words.elsewhere);
        }
        if q.person.is_none() && plane != Plane::Public {
            return self.no_grant(q, &self.words.sign_in);
        }
        self.ask(q).unwrap_or_else(|_| self.unanswerable(q))
    }

    fn ask(&self, q: &Question<'_>) -> Result<Verdict, Error> {
        let prepared = &self.prepared[q.act as usize];
        let (request, entities) = self.put(q)?;
        let told = &prepared.deciding;
        let response = self.authorizer.is_authorized(&request, &told.policies, &entities);
        if response.diagnostics().errors().next().is_some() {
            return Ok(self.unanswerable(q));
        }
        match told.first(&response) {
            Some(said) if said.forbids => Ok(Verdict {
                allowed: false,
                forbidden: true,
                policy: said.id.clone(),
                why: said.why.clone(),
                needs: prepared.needs.clone(),
                until: until(q),
            }),
            Some(said) => Ok(Verdict {
                allowed: true,
                forbidden: false,
                policy: said.id.clone(),
                why: said.why.clone(),
                needs: self.words.empty.clone(),
                until: until(q),
            }),
            None => {
                let told = &prepared.explaining;
                let response = self.authorizer.is_authorized(&request, &told.policies, &entities);
                Ok(self.no_grant(q, told.first(&response).map_or(&self.words.nothing_here, |said| &said.why)))
            }
        }
    }

    /// The question in Cedar's terms. Nothing is validated here: `facts_keep_to_the_schema` shows that it need not be.
    fn put(&self, q: &Question<'_>) -> Result<(Request, Entities), Error> {
        let prepared = &self.prepared[q.act as usize];
        let (principal, person) = self.names.principal(q.person)?;
        let (resource, place) = self.names.resource(q.place)?;
        let context = self.names.context(q)?;
        let entities = [Some(prepared.entity.clone()), person, place].into_iter().flatten();
        let entities = Entities::from_entities(entities, None).map_err(Error::facts)?;
        let request = Request::new(principal, prepared.uid.clone(), resource, context, None).map_err(Error::facts)?;
        Ok((request, entities))
    }

    fn no_grant(&self, q: &Question<'_>, why: &Arc<str>) -> Verdict {
        Verdict {
            allowed: false,
            forbidden: false,
            policy: self.words.no_grant.clone(),
            why: why.clone(),
            needs: self.needs(q.act),
            until: until(q),
        }
    }

    fn unanswerable(&self, q: &Question<'_>) -> Verdict {
        Verdict {
            allowed: false,
            forbidden: true,
            policy: self.words.error.clone(),
            why: self.words.unanswerable.clone(),
            needs: self.needs(q.act),
            until: until(q),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("actions", &self.prepared.len()).finish_non_exhaustive()
    }
}

impl Told {
    /// Of the policies that decided, the one that stands first in its file.
    fn first(&self, response: &Response) -> Option<&Sentence> {
        response.diagnostics().reason().filter_map(|id| self.sentences.get(id)).min_by_key(|said| said.order)
    }
}

/// Policies in the order of their file, each under the id it gives itself, with its `@why`.
struct Numbered(Vec<(Policy, String, String)>);

impl Numbered {
    fn read(text: &str) -> Result<Self, Error> {
        let set = PolicySet::from_str(text).map_err(|e| Error::Policies(format!("{e:?}")))?;
        // Cedar numbers policies policy0, policy1, … as they stand in the text
        let number = |p: &Policy| p.id().to_string().trim_start_matches("policy").parse::<usize>();
        let mut all = set
            .policies()
            .map(|p| {
                let number = number(p).map_err(|e| Error::Policies(format!("{}: {e}", p.id())))?;
                let note = |key: &str| {
                    let text = p.annotation(key).filter(|text| !text.is_empty());
                    text.map(str::to_owned).ok_or_else(|| Error::Policies(format!("policy {number} has no @{key}")))
                };
                Ok((number, p.clone(), note("id")?, note("why")?))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        all.sort_by_key(|(number, ..)| *number);
        let mut ids = HashSet::new();
        if let Some((_, _, id, _)) = all.iter().find(|(_, _, id, _)| !ids.insert(id.clone())) {
            return Err(Error::Policies(format!("{id} stands twice")));
        }
        Ok(Self(all.into_iter().map(|(_, p, id, why)| (p.new_id(PolicyId::new(&id)), id, why)).collect()))
    }

    fn validate(&self, schema: &Schema) -> Result<(), Error> {
        let set = policy_set(self.0.iter().map(|(p, ..)| p))?;
        let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        let mut found: Vec<String> = result.validation_errors().map(ToString::to_string).collect();
        found.extend(result.validation_warnings().map(ToString::to_string));
        if found.is_empty() { Ok(()) } else { Err(Error::Invalid(found.join("\n"))) }
    }

    /// For every policy, the actions that its scope can match.
    fn reach(&self, schema: &Schema) -> Vec<HashSet<EntityUid>> {
        self.0.iter().map(|(p, ..)| p.get_valid_request_envs(schema).map(|env| env.action().clone()).collect()).collect()
    }

    /// The policies whose scope can match the action: leaving out the others changes no answer.
    fn about(&self, action: &EntityUid, info: &Info, reach: &[HashSet<EntityUid>]) -> Result<Told, Error> {
        let about = || self.0.iter().zip(reach).enumerate().filter(|(_, (_, reach))| reach.contains(action));
        let sentences = about().map(|(order, ((p, id, why), _))| {
            let said =
                Sentence { order, forbids: p.effect() == Effect::Forbid, id: id.as_str().into(), why: fill(why, info).into() };
            (p.id().clone(), said)
        });
        Ok(Told { sentences: sentences.collect(), policies: policy_set(about().map(|(_, ((p, ..), _))| p))? })
    }
}

fn policy_set<'a>(policies: impl Iterator<Item = &'a Policy>) -> Result<PolicySet, Error> {
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

/// Whether the place is of the kind that the plane's actions are done in.
fn is_at(plane: Plane, place: &Place) -> bool {
    match plane {
        Plane::Data | Plane::Records | Plane::Client => matches!(place, Place::Tenant(_)),
        Plane::Provider => matches!(place, Place::Provider(_)),
        Plane::Own => matches!(place, Place::Own(_)),
        Plane::Public => matches!(place, Place::Public),
    }
}

/// Time matters only inside a tenant, for staff: a relationship ends, an assignment begins and ends.
fn until(q: &Question<'_>) -> Option<i64> {
    let Grant::Reach { relationship, assignment, .. } = q.grant else { return None };
    if !q.act.info().plane.is_inside() {
        return None;
    }
    let assignment = assignment.as_ref();
    [relationship.ends_at, assignment.map(|a| a.starts_at), assignment.and_then(|a| a.ends_at)]
        .into_iter()
        .flatten()
        .filter(|at| *at > q.now)
        .min()
}
