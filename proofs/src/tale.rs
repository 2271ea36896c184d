//! A counterexample in words. The solver hands over a whole world; what matters in it is found by trying: a fact that can be left
//! out, or changed, and still the wrong thing is allowed, is not told; nor is what is ordinary (nobody disabled, everything active, all
//! evidence that of the person who asks and of the place they ask about). Everything is asked of the real authoriser again.
use std::collections::BTreeMap;

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use cedar_policy_symcc::Env;
use serde_json::{Value, json};

/// A world as JSON, so that facts can be left out and changed.
#[derive(Clone)]
struct World {
    principal: Value,
    action: Value,
    resource: Value,
    context: Value,
    entities: Value,
}

/// What the left allows and the right does not.
///
/// # Errors
/// The world is none in which that happens: the solver and the authoriser disagree.
pub fn tell(found: &Env, left: &PolicySet, right: &PolicySet) -> Result<String, String> {
    let sides = Sides { left, right };
    let mut world = World::read(found)?;
    world.rename();
    if sides.reasons(&world)?.is_none() {
        return Err("the authoriser does not confirm what the solver found:".into());
    }
    sides.leave_out(&mut world);
    sides.plain_numbers(&mut world);
    let reasons = sides.reasons(&world)?.ok_or("left out too much")?;
    let mut text = format!("{} may {} on {}, says {}", name(&world.principal), id(&world.action), name(&world.resource), reasons);
    for path in world.facts() {
        if !world.is_ordinary(&path) && sides.matters(&world, &path)? {
            let value = world.at(&path).map(words).unwrap_or_default();
            let path = path.join(".");
            text.push_str(&format!("\n  {} = {value}", path.strip_prefix("context.").unwrap_or(&path)));
        }
    }
    Ok(text)
}

struct Sides<'a> {
    left: &'a PolicySet,
    right: &'a PolicySet,
}

impl Sides<'_> {
    /// The left's reasons, if it allows what the right does not.
    fn reasons(&self, world: &World) -> Result<Option<String>, String> {
        let (request, entities) = world.question()?;
        let authorizer = Authorizer::new();
        let wrong = authorizer.is_authorized(&request, self.left, &entities);
        let bound = authorizer.is_authorized(&request, self.right, &entities);
        if wrong.decision() != Decision::Allow || bound.decision() == Decision::Allow {
            return Ok(None);
        }
        let named = |id| self.left.policy(id).and_then(|p| p.annotation("id")).unwrap_or("a policy").to_owned();
        let mut reasons: Vec<String> = wrong.diagnostics().reason().map(named).collect();
        reasons.sort();
        Ok(Some(reasons.join(" and ")))
    }

    fn still_wrong(&self, world: &World) -> bool {
        matches!(self.reasons(world), Ok(Some(_)))
    }

    /// Leaves out whole facts as long as the wrong thing is still allowed.
    fn leave_out(&self, world: &mut World) {
        let mut paths: Vec<Vec<String>> = Vec::new();
        paths_of(&world.context, &mut vec!["context".into()], &mut paths, true);
        paths.sort();
        for path in paths {
            let mut smaller = world.clone();
            // only what the schema calls optional may be missing; a policy that then fails to be evaluated is no evidence
            if OPTIONAL.contains(&path.join(".").as_str()) && smaller.remove(&path) && self.still_wrong(&smaller) {
                *world = smaller;
            }
        }
    }

    /// Tiers from 0 to 3 and small instants in the same order, where that is wrong all the same.
    fn plain_numbers(&self, world: &mut World) {
        let mut instants: Vec<i64> = world.numbers().into_iter().filter(|(path, _)| !is_tier(path)).map(|(_, n)| n).collect();
        instants.sort_unstable();
        instants.dedup();
        let mut plain = world.clone();
        for (path, n) in world.numbers() {
            let place = instants.iter().position(|i| *i == n).unwrap_or_default();
            plain.put(&path, if is_tier(&path) { json!(n.clamp(0, 3)) } else { json!(10 * (place + 1)) });
        }
        if self.still_wrong(&plain) {
            *world = plain;
        }
    }

    fn matters(&self, world: &World, path: &[String]) -> Result<bool, String> {
        let Some(value) = world.at(path) else { return Ok(false) };
        for other in world.others(value) {
            let mut changed = world.clone();
            changed.put(path, other);
            if self.reasons(&changed)?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The optional facts of the schema.
const OPTIONAL: [&str; 16] = [
    "context.membership",
    "context.reach",
    "context.reach.assignment",
    "context.reach.elevation",
    "context.reach.relationship.ends_at",
    "context.reach.assignment.ends_at",
    "context.member",
    "context.staff",
    "context.provider",
    "context.key",
    "context.key.tenant",
    "context.key.provider",
    "context.staff_row",
    "context.assignment_row",
    "context.request_row",
    "context.module",
];

impl World {
    fn read(found: &Env) -> Result<Self, String> {
        let uid = |uid: Option<&EntityUid>| {
            uid.map(EntityUid::to_json_value).transpose().map(|uid| uid.map(explicit)).map_err(|e| e.to_string())
        };
        let missing = || "a counterexample without a question".to_owned();
        Ok(Self {
            principal: uid(found.request.principal())?.ok_or_else(missing)?,
            action: uid(found.request.action())?.ok_or_else(missing)?,
            resource: uid(found.request.resource())?.ok_or_else(missing)?,
            context: found.request.context().ok_or_else(missing)?.to_json_value().map_err(|e| e.to_string())?,
            entities: found.entities.to_json_value().map_err(|e| e.to_string())?,
        })
    }

    fn question(&self) -> Result<(Request, Entities), String> {
        let uid = |value: &Value| EntityUid::from_json(value.clone()).map_err(|e| e.to_string());
        let context = Context::from_json_value(self.context.clone(), None).map_err(|e| e.to_string())?;
        let entities = Entities::from_json_value(self.entities.clone(), None).map_err(|e| e.to_string())?;
        let request = Request::new(uid(&self.principal)?, uid(&self.action)?, uid(&self.resource)?, context, None);
        Ok((request.map_err(|e| e.to_string())?, entities))
    }

    /// People, tenants and providers get names that can be told apart. No policy knows one of them by name.
    fn rename(&mut self) {
        let mut known = BTreeMap::new();
        for value in [&mut self.principal, &mut self.resource, &mut self.context, &mut self.entities] {
            rename(value, &mut known);
        }
    }

    /// Every single fact: of who asks, of the place, of the context.
    fn facts(&self) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        for (root, uid) in [("principal", &self.principal), ("resource", &self.resource)] {
            let attributes = self.entity(uid).map_or(Value::Null, |entity| entity["attrs"].clone());
            paths_of(&attributes, &mut vec![root.into()], &mut paths, false);
        }
        paths_of(&self.context, &mut vec!["context".into()], &mut paths, false);
        paths.sort_by_key(|path| (path[0] == "context", path.clone()));
        paths
    }

    fn numbers(&self) -> Vec<(Vec<String>, i64)> {
        self.facts().into_iter().filter_map(|path| self.at(&path)?.as_i64().map(|n| (path, n))).collect()
    }

    /// Evidence of the person who asks and of the place they ask about, in its everyday state: that goes without saying.
    fn is_ordinary(&self, path: &[String]) -> bool {
        let (Some(value), Some(last)) = (self.at(path), path.last()) else { return true };
        let own = |at: &[&str]| self.at(&at.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()) == Some(value);
        match last.as_str() {
            "enabled" | "chain_live" => *value == json!(true),
            "barred" => *value == json!(false),
            "state" => id(value) == "active",
            "person" => *value == self.principal,
            "tenant" => *value == self.resource,
            "provider" => *value == self.resource || own(&["context", "reach", "staff", "provider"]),
            _ => false,
        }
    }

    fn entity(&self, uid: &Value) -> Option<&Value> {
        self.entities.as_array()?.iter().find(|entity| explicit(entity["uid"].clone()) == *uid)
    }

    fn at(&self, path: &[String]) -> Option<&Value> {
        let (root, rest) = path.split_first()?;
        let start = match root.as_str() {
            "principal" => &self.entity(&self.principal)?["attrs"],
            "resource" => &self.entity(&self.resource)?["attrs"],
            _ => &self.context,
        };
        rest.iter().try_fold(start, |value, key| value.get(key))
    }

    /// Other values of the same kind. People and places: another one, or one of those who ask or are asked about.
    fn others(&self, value: &Value) -> Vec<Value> {
        match value {
            Value::Bool(b) => vec![json!(!b)],
            Value::Number(n) => {
                let n = n.as_i64().unwrap_or_default();
                [-1, 1].iter().map(|d| json!(n.saturating_add(*d))).chain([json!(i64::MIN), json!(i64::MAX)]).collect()
            }
            Value::Array(list) if list.is_empty() => vec![json!([self.principal])],
            Value::Array(_) => vec![json!([])],
            Value::Object(_) => {
                let kind = &value["__entity"]["type"];
                let other = json!({ "__entity": { "type": kind, "id": "other" } });
                let known = [&self.principal, &self.resource].into_iter().filter(|uid| uid["__entity"]["type"] == *kind);
                known.cloned().chain([other]).filter(|uid| uid != value).collect()
            }
            _ => vec![],
        }
    }

    fn put(&mut self, path: &[String], new: Value) {
        let Some((root, rest)) = path.split_first() else { return };
        let uid = if root == "principal" { self.principal.clone() } else { self.resource.clone() };
        let start = match root.as_str() {
            "context" => Some(&mut self.context),
            _ => self
                .entities
                .as_array_mut()
                .and_then(|all| all.iter_mut().find(|entity| explicit(entity["uid"].clone()) == uid))
                .and_then(|entity| entity.get_mut("attrs")),
        };
        if let Some(place) = start.and_then(|start| rest.iter().try_fold(start, |value, key| value.get_mut(key))) {
            *place = new;
        }
    }

    fn remove(&mut self, path: &[String]) -> bool {
        let Some((last, rest)) = path[1..].split_last() else { return false };
        let holder = rest.iter().try_fold(&mut self.context, |value, key| value.get_mut(key)).and_then(Value::as_object_mut);
        holder.is_some_and(|holder| holder.remove(last).is_some())
    }
}

fn is_tier(path: &[String]) -> bool {
    path.last().is_some_and(|last| last == "tier")
}

/// Cedar writes an entity's name with and without a wrapping; here always with.
fn explicit(uid: Value) -> Value {
    if uid.get("__entity").is_some() { uid } else { json!({ "__entity": uid }) }
}

/// Paths to the leaves; with `records`, to the records on the way too, these first.
fn paths_of(value: &Value, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>, records: bool) {
    match value.as_object().filter(|object| !object.contains_key("__entity")) {
        Some(object) => {
            if records {
                paths.push(path.clone());
            }
            for (key, value) in object {
                path.push(key.clone());
                paths_of(value, path, paths, records);
                path.pop();
            }
        }
        None if value.is_null() => {}
        None => paths.push(path.clone()),
    }
}

fn rename(value: &mut Value, known: &mut BTreeMap<(String, String), String>) {
    let pool: &[&str] = match value.get("type").and_then(Value::as_str) {
        Some("Person") => &["Ann", "Bob", "Cleo", "Dan", "Eve"],
        Some("Tenant") => &["Acme", "Globex", "Initech"],
        Some("Provider") => &["Northwind", "Southwind", "Eastwind"],
        _ => &[],
    };
    match value {
        Value::Object(object) if !pool.is_empty() => {
            let key = (object["type"].to_string(), object["id"].to_string());
            let taken = known.keys().filter(|(kind, _)| *kind == key.0).count();
            let name = known.entry(key.clone()).or_insert_with(|| match pool.get(taken) {
                Some(name) => (*name).to_owned(),
                None => format!("nr {taken}"),
            });
            object.insert("id".into(), json!(name));
        }
        Value::Object(object) => object.values_mut().for_each(|value| rename(value, known)),
        Value::Array(list) => list.iter_mut().for_each(|value| rename(value, known)),
        _ => {}
    }
}

fn id(uid: &Value) -> &str {
    uid["__entity"]["id"].as_str().unwrap_or("?")
}

fn name(uid: &Value) -> String {
    format!("{} {}", uid["__entity"]["type"].as_str().unwrap_or("?"), id(uid))
}

fn words(value: &Value) -> String {
    match value {
        Value::Object(object) if object.contains_key("__entity") => id(value).to_owned(),
        Value::Array(list) => format!("[{}]", list.iter().map(words).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
