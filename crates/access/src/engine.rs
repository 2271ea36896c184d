//! The decision: Cedar around the policies, with everything that does not depend on the question made beforehand.
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cedar_policy::{Authorizer, Entities, EntityUid, PolicySet, Request, Response, Schema};

use crate::catalogue::{Act, Plane};
use crate::cedar::{Names, type_name, uid};
use crate::facts::{Grant, Place, Question};
use crate::needs::needs;
use crate::policies::{Policies, Seen, Sentences, Shared, first};
use crate::shape::Shape;
use crate::text::{POLICIES, SCHEMA};

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
    folder: Folder,
    words: Words,
    schema: Schema,
    whole: PolicySet,
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
    seen: Seen,
    by_shape: Vec<(Shape, OnceLock<Speaking>)>,
    deciding: Sentences,
    explaining: Sentences,
    needs: Arc<str>,
}

/// The policies that can speak about an action when the question has these facts.
struct Speaking {
    deciding: Arc<PolicySet>,
    explaining: Arc<PolicySet>,
}

/// Folds the policies for an action and a shape when they are first asked for: few of all there could be ever are.
struct Folder {
    deciding: Policies,
    explaining: Policies,
    deciding_reach: Vec<HashSet<EntityUid>>,
    explaining_reach: Vec<HashSet<EntityUid>>,
    shared: Mutex<(Shared, Shared)>,
}

impl Engine {
    /// Reads and strictly validates the built-in policies. Takes some 50 ms, in a debug build twice that: make one and keep it.
    pub fn new() -> Result<Self, Error> {
        Self::build(Policies::read(POLICIES)?)
    }

    /// The ids of the deciding policies, in the order of their file.
    #[doc(hidden)]
    pub fn policy_ids() -> Result<Vec<String>, Error> {
        Ok(Policies::read(POLICIES)?.ids())
    }

    /// An engine with other policies: for the test that a mistake in them is caught.
    #[doc(hidden)]
    pub fn with_policies(text: &str) -> Result<Self, Error> {
        Self::build(Policies::read(text)?)
    }

    /// An engine that lacks one policy: for the test that every policy matters.
    #[doc(hidden)]
    pub fn without(policy: &str) -> Result<Self, Error> {
        let mut policies = Policies::read(POLICIES)?;
        policies.remove(policy);
        Self::build(policies)
    }

    /// Folds everything that could ever be asked: for the test that it can be.
    #[doc(hidden)]
    pub fn fold_all(&self) -> Result<(), Error> {
        for prepared in &self.prepared {
            for (shape, _) in &prepared.by_shape {
                self.folder.fold(&prepared.seen, *shape)?;
            }
        }
        Ok(())
    }

    fn build(deciding: Policies) -> Result<Self, Error> {
        let (schema, mut warnings) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| Error::Schema(format!("{e:?}")))?;
        if let Some(warning) = warnings.next() {
            return Err(Error::Schema(warning.to_string()));
        }
        let explaining = Policies::read(WHY)?;
        deciding.validate(&schema)?;
        explaining.validate(&schema)?;
        let whole = deciding.set()?;
        let folder = Folder::new(deciding, explaining, &schema);
        Ok(Self {
            authorizer: Authorizer::new(),
            names: Names::new()?,
            prepared: prepare(&folder, &schema)?,
            folder,
            words: Words {
                no_grant: "no_grant".into(),
                error: "error".into(),
                empty: "".into(),
                nothing_here: "You hold nothing here that allows this.".into(),
                sign_in: "Sign in first.".into(),
                elsewhere: "This is not done here.".into(),
                unanswerable: "The access rule could not be evaluated, so the answer is no.".into(),
            },
            whole,
            schema,
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
        let shape = Shape::of_question(q);
        let slot = prepared.by_shape.iter().find(|(s, _)| *s == shape).map(|(_, slot)| slot);
        let slot = slot.ok_or_else(|| Error::facts("a question of an unforeseen shape"))?;
        let speaking = match slot.get() {
            Some(speaking) => speaking,
            None => {
                let folded = self.folder.fold(&prepared.seen, shape)?;
                slot.get_or_init(|| folded)
            }
        };
        let (request, entities) = self.put(q, None)?;

        let response = self.authorizer.is_authorized(&request, &speaking.deciding, &entities);
        let verdict = self.read(q, &response);
        if verdict.allowed || verdict.forbidden {
            return Ok(verdict);
        }
        let response = self.authorizer.is_authorized(&request, &speaking.explaining, &entities);
        let why = first(&prepared.explaining, &response).map_or(&self.words.nothing_here, |said| &said.why);
        Ok(Verdict { why: why.clone(), ..verdict })
    }

    /// The long way round, for tests: all policies at once, every fact checked against the schema, and no explanation.
    #[doc(hidden)]
    pub fn decide_whole(&self, q: &Question<'_>) -> Result<Verdict, Error> {
        let (request, entities) = self.put(q, Some(&self.schema))?;
        Ok(self.read(q, &self.authorizer.is_authorized(&request, &self.whole, &entities)))
    }

    /// The question in Cedar's terms. `decide` validates nothing here: that `decide_whole` never fails shows that it need not.
    fn put(&self, q: &Question<'_>, schema: Option<&Schema>) -> Result<(Request, Entities), Error> {
        let prepared = &self.prepared[q.act as usize];
        let (principal, person) = self.names.principal(q.person)?;
        let (resource, place) = self.names.resource(q.place)?;
        let context = self.names.context(q)?;
        // the schema brings the actions' groups; without it they are not needed, being folded into the policies
        let entities = Entities::from_entities(person.into_iter().chain(place), schema).map_err(Error::facts)?;
        let request = Request::new(principal, prepared.seen.uid.clone(), resource, context, schema).map_err(Error::facts)?;
        Ok((request, entities))
    }

    /// Cedar's answer in ours. An allow that comes with an evaluation error is a no.
    fn read(&self, q: &Question<'_>, response: &Response) -> Verdict {
        if response.diagnostics().errors().next().is_some() {
            return self.unanswerable(q);
        }
        let prepared = &self.prepared[q.act as usize];
        let Some(said) = first(&prepared.deciding, response) else { return self.no_grant(q, &self.words.nothing_here) };
        Verdict {
            allowed: !said.forbids,
            forbidden: said.forbids,
            policy: said.id.clone(),
            why: said.why.clone(),
            needs: if said.forbids { prepared.needs.clone() } else { self.words.empty.clone() },
            until: until(q),
        }
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
        let (policy, why) = (self.words.error.clone(), self.words.unanswerable.clone());
        Verdict { allowed: false, forbidden: true, policy, why, needs: self.needs(q.act), until: until(q) }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("actions", &self.prepared.len()).finish_non_exhaustive()
    }
}

fn prepare(folder: &Folder, schema: &Schema) -> Result<Vec<Prepared>, Error> {
    let entities = schema.action_entities().map_err(|e| Error::Schema(e.to_string()))?;
    let action = type_name("Action")?;
    let one = |act: &Act| {
        let info = act.info();
        let uid = uid(&action, info.name);
        let groups = entities.ancestors(&uid).ok_or_else(|| Error::Schema(format!("{act} is not in the schema")))?;
        let is = groups.map(|group| group.id().unescaped().to_owned()).chain([info.name.to_owned()]).collect();
        let seen = Seen { uid, info, is };
        Ok(Prepared {
            by_shape: Shape::all(info).into_iter().map(|shape| (shape, OnceLock::new())).collect(),
            deciding: folder.deciding.sentences(&seen, &folder.deciding_reach),
            explaining: folder.explaining.sentences(&seen, &folder.explaining_reach),
            needs: needs(info).into(),
            seen,
        })
    };
    Act::ALL.iter().map(one).collect()
}

impl Folder {
    fn new(deciding: Policies, explaining: Policies, schema: &Schema) -> Self {
        let (deciding_reach, explaining_reach) = (deciding.reach(schema), explaining.reach(schema));
        Self { deciding, explaining, deciding_reach, explaining_reach, shared: Mutex::default() }
    }

    fn fold(&self, seen: &Seen, shape: Shape) -> Result<Speaking, Error> {
        // a panic while folding leaves nothing half done: what is shared only grows
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let (deciding, explaining) = &mut *shared;
        Ok(Speaking {
            deciding: self.deciding.about(seen, shape, &self.deciding_reach, deciding)?,
            explaining: self.explaining.about(seen, shape, &self.explaining_reach, explaining)?,
        })
    }
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

/// When time alone may change the answer: a relationship ends, an assignment or elevation begins or ends, an API key expires.
fn until(q: &Question<'_>) -> Option<i64> {
    let key = q.key.map(|key| key.ends_at);
    let mut instants = vec![key];
    if let (Grant::Reach { relationship, assignment, elevation, .. }, true) = (q.grant, q.act.info().plane.is_inside()) {
        instants.push(relationship.ends_at);
        instants.extend(assignment.iter().flat_map(|a| [Some(a.starts_at), a.ends_at]));
        instants.extend(elevation.iter().flat_map(|e| [Some(e.starts_at), Some(e.ends_at)]));
    }
    instants.into_iter().flatten().filter(|at| *at > q.now).min()
}
