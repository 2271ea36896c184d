//! Folding: what is known about an action and the shape of its questions is worked into a policy beforehand, so that a
//! decision evaluates only what depends on the question. `action in Action::"tier2"` and `context has reach` become true
//! or false, and what follows from that is left out. Folding changes no answer: `the_short_way_answers_as_the_long_way`.
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::engine::Error;
use crate::shape::Shape;

/// What is known before the question is put.
pub(crate) struct Known<'a> {
    /// The action and its groups, those that the policy tests for.
    pub(crate) action_is: &'a BTreeSet<String>,
    /// The optional facts there are.
    pub(crate) shape: Shape,
    /// The schema fixes the types of principal and resource for this action.
    pub(crate) one_environment: bool,
}

/// The policy, folded; `None`: it is silent.
pub(crate) fn policy(policy: &Value, known: &Known<'_>) -> Result<Option<Value>, Error> {
    let mut folded = policy.clone();
    // the action matches: only policies that reach it come here
    folded["action"] = json!({ "op": "All" });
    if known.one_environment {
        folded["principal"] = json!({ "op": "All" });
        folded["resource"] = json!({ "op": "All" });
    }
    let mut conditions = Vec::new();
    for condition in policy["conditions"].as_array().into_iter().flatten() {
        let body = known.fold(&condition["body"]);
        let wanted = condition["kind"] == "when";
        match literal(&body) {
            Some(value) if value == wanted => {}
            Some(_) => return Ok(None),
            None => conditions.push(json!({ "kind": condition["kind"], "body": body })),
        }
    }
    let conditions = Value::Array(conditions);
    if mentions_action(&conditions) {
        return Err(Error::Policies("an action is tested where folding does not reach: keep to &&, ||, !, if".into()));
    }
    folded["conditions"] = conditions;
    Ok(Some(folded))
}

/// What the policy's conditions test for: actions and groups by name, and optional facts. Nothing else matters to its folding.
pub(crate) fn tested(policy: &Value) -> (BTreeSet<String>, Shape) {
    let (mut names, mut facts) = (BTreeSet::new(), Shape::NOTHING);
    collect(&policy["conditions"], &mut names, &mut facts);
    (names, facts)
}

impl Known<'_> {
    fn fold(&self, e: &Value) -> Value {
        let Some((operator, operands)) = e.as_object().and_then(only) else { return e.clone() };
        match operator {
            "&&" => self.connect(operator, operands, true),
            "||" => self.connect(operator, operands, false),
            "!" => {
                let arg = self.fold(&operands["arg"]);
                literal(&arg).map_or_else(|| json!({ "!": { "arg": arg } }), |value| truth(!value))
            }
            "if-then-else" => {
                let condition = self.fold(&operands["if"]);
                let (then, otherwise) = (self.fold(&operands["then"]), self.fold(&operands["else"]));
                match literal(&condition) {
                    Some(true) => then,
                    Some(false) => otherwise,
                    None => json!({ "if-then-else": { "if": condition, "then": then, "else": otherwise } }),
                }
            }
            "in" | "==" if operands["left"] == json!({ "Var": "action" }) => {
                truth(action_names(&operands["right"]).iter().any(|name| self.action_is.contains(*name)))
            }
            "has" => Shape::of_has(operands).map_or_else(|| e.clone(), |fact| truth(self.shape.has_all(fact))),
            _ => e.clone(),
        }
    }

    /// `&&` has the unit true, `||` false. The unit drops out; its opposite decides when it stands on the left.
    fn connect(&self, operator: &str, operands: &Value, unit: bool) -> Value {
        let left = self.fold(&operands["left"]);
        match literal(&left) {
            Some(value) if value == unit => return self.fold(&operands["right"]),
            Some(_) => return left,
            None => {}
        }
        let right = self.fold(&operands["right"]);
        if literal(&right) == Some(unit) { left } else { json!({ operator: { "left": left, "right": right } }) }
    }
}

fn only(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) => Some((key, value)),
        _ => None,
    }
}

fn truth(value: bool) -> Value {
    json!({ "Value": value })
}

fn literal(e: &Value) -> Option<bool> {
    e.get("Value").and_then(Value::as_bool)
}

/// The actions on the right of `action in` and `action ==`: one, or a set.
fn action_names(e: &Value) -> Vec<&str> {
    match e.get("Set").and_then(Value::as_array) {
        Some(several) => several.iter().flat_map(action_names).collect(),
        None => e["Value"]["__entity"]["id"].as_str().into_iter().collect(),
    }
}

fn collect(e: &Value, names: &mut BTreeSet<String>, facts: &mut Shape) {
    match e {
        Value::Object(object) => {
            if e["__entity"]["type"] == "Action" {
                names.extend(e["__entity"]["id"].as_str().map(str::to_owned));
            }
            if let Some(fact) = object.get("has").and_then(Shape::of_has) {
                *facts = facts.and(fact);
            }
            object.values().for_each(|value| collect(value, names, facts));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, names, facts)),
        _ => {}
    }
}

fn mentions_action(e: &Value) -> bool {
    match e {
        Value::Object(object) => e["Var"] == "action" || object.values().any(mentions_action),
        Value::Array(values) => values.iter().any(mentions_action),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::str::FromStr;

    use cedar_policy::Policy;

    use super::*;

    /// Folds a policy with this `when` for an action in the group `yes`, with a membership and no reach.
    fn folded(when: &str) -> Option<String> {
        let text = format!("permit (principal, action, resource) when {{ {when} }};");
        let json = Policy::from_str(&text).unwrap().to_json().unwrap();
        let action_is = BTreeSet::from(["yes".to_owned()]);
        let known = Known { action_is: &action_is, shape: Shape::of("membership"), one_environment: true };
        let folded = policy(&json, &known).unwrap()?;
        Some(Policy::from_json(None, folded).unwrap().to_cedar().unwrap().replace([' ', '\n', '(', ')'], ""))
    }

    const ALWAYS: &str = "permitprincipal,action,resource;";

    #[test]
    fn what_is_known_drops_out() {
        assert_eq!(folded(r#"action in Action::"yes""#).unwrap(), ALWAYS);
        assert_eq!(folded(r#"action in [Action::"no", Action::"yes"]"#).unwrap(), ALWAYS);
        assert_eq!(folded(r#"action == Action::"yes" && context has membership"#).unwrap(), ALWAYS);
        assert_eq!(folded(r#"!(action in Action::"no")"#).unwrap(), ALWAYS);
        assert_eq!(folded(r#"if context has reach then context.reach.live else action in Action::"yes""#).unwrap(), ALWAYS);
        assert_eq!(folded(r#"action in Action::"no" || context has membership"#).unwrap(), ALWAYS);
    }

    #[test]
    fn what_can_never_hold_is_silent() {
        assert_eq!(folded(r#"action in Action::"no""#), None);
        assert_eq!(folded("context has reach && context.reach.live"), None);
        assert_eq!(folded("!(context has membership)"), None);
    }

    #[test]
    fn what_depends_on_the_question_stays() {
        let stays = |when: &str, rest: &str| {
            let expected = format!("permitprincipal,action,resourcewhen{{{rest}}};");
            assert_eq!(folded(when).unwrap(), expected.replace(' ', ""));
        };
        stays("context has membership && context.membership.enabled", "context.membership.enabled");
        stays(r#"principal.enabled || action in Action::"no""#, "principal.enabled");
        stays(r#"principal.enabled && (action in Action::"yes" || resource.odd)"#, "principal.enabled");
        stays("context.membership has ends_at", "context.membership has ends_at");
        stays(r#"principal.enabled && action in Action::"no""#, "principal.enabled && false");
    }

    #[test]
    fn a_test_that_folding_does_not_reach_is_refused() {
        let text = r#"permit (principal, action, resource) when { [action in Action::"yes"].contains(true) };"#;
        let json = Policy::from_str(text).unwrap().to_json().unwrap();
        let known = Known { action_is: &BTreeSet::new(), shape: Shape::NOTHING, one_environment: true };
        assert!(policy(&json, &known).is_err());
    }
}
