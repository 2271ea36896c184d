//! One property, proved in every environment in which a question can be put, or refuted with a counterexample.
use std::collections::BTreeSet;
use std::pin::pin;
use std::str::FromStr;
use std::task::{Context, Poll, Waker};

use cedar_policy::{PolicySet, RequestEnv, Schema, ValidationMode, Validator};
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicySet, ResetMode};
use serde_json::{Value, json};

use crate::solver::{Answers, Asking};
use crate::tale;

/// What came of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Environments in which it was proved.
    pub proved: usize,
    /// Of these, how many needed no solver: the compiler saw that the formula is constant.
    pub plain: usize,
    /// Different formulas that were put to the solver.
    pub formulas: usize,
    /// What the solver took for these formulas when they were first asked, in seconds.
    pub seconds: f64,
    /// Where it does not hold; the search ends there.
    pub refuted: Option<String>,
    /// Why it is not known, if it is not.
    pub unknown: Option<String>,
}

impl Outcome {
    /// For the answers that are kept.
    pub fn to_json(&self) -> Value {
        let Self { proved, plain, formulas, seconds, refuted, unknown } = self;
        json!({ "proved": proved, "plain": plain, "formulas": formulas, "seconds": seconds, "refuted": refuted, "unknown": unknown })
    }

    /// As it was kept.
    pub fn from_json(value: &Value) -> Option<Self> {
        let count = |key: &str| usize::try_from(value[key].as_u64()?).ok();
        Some(Self {
            proved: count("proved")?,
            plain: count("plain")?,
            formulas: count("formulas")?,
            seconds: value["seconds"].as_f64()?,
            refuted: value["refuted"].as_str().map(str::to_owned),
            unknown: value["unknown"].as_str().map(str::to_owned),
        })
    }
}

/// Every kind of question that the schema allows: who, what, where. In the schema's order of names.
pub fn environments(schema: &Schema) -> Vec<RequestEnv> {
    let mut all: Vec<_> = schema.request_envs().collect();
    all.sort_by_cached_key(|env| (env.resource().to_string(), env.action().to_string(), env.principal().to_string()));
    all
}

/// Reads policies and holds them against the schema, strictly.
///
/// # Errors
/// They do not parse, or do not validate.
pub fn read(text: &str, schema: &Schema) -> Result<PolicySet, String> {
    let set = PolicySet::from_str(text).map_err(|e| format!("{e:?}"))?;
    let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let errors: Vec<_> = result.validation_errors().take(3).map(ToString::to_string).collect();
    if errors.is_empty() { Ok(set) } else { Err(errors.join("\n")) }
}

/// Proves that in every environment what the left allows, the right allows.
pub fn implies(left: &PolicySet, right: &PolicySet, schema: &Schema, answers: &Answers) -> Outcome {
    let mut outcome = Outcome { proved: 0, plain: 0, formulas: 0, seconds: 0.0, refuted: None, unknown: None };
    let mut formulas = BTreeSet::new();
    let mut compiler = match CedarSymCompiler::new(Asking::new(answers)) {
        Ok(compiler) => compiler.with_reset_mode(ResetMode::Comment),
        Err(e) => return Outcome { unknown: Some(e.to_string()), ..outcome },
    };
    for env in environments(schema) {
        let both = (CompiledPolicySet::compile(left, &env, schema), CompiledPolicySet::compile(right, &env, schema));
        let found = match both {
            (Ok(left), Ok(right)) => at_once(compiler.check_implies_with_counterexample_opt(&left, &right)),
            (Err(e), _) | (_, Err(e)) => Err(e),
        };
        let asked = std::mem::take(&mut compiler.solver_mut().asked);
        outcome.plain += usize::from(asked.is_empty());
        for (formula, answer) in asked {
            if formulas.insert(formula) {
                outcome.seconds += answer.took.as_secs_f64();
            }
        }
        outcome.formulas = formulas.len();
        match found {
            Ok(None) => outcome.proved += 1,
            Ok(Some(found)) => {
                outcome.refuted = Some(tale::tell(&found, left, right).unwrap_or_else(|why| format!("{why}\n{found}")));
                return outcome;
            }
            Err(e) => {
                outcome.unknown = Some(format!("{}: {e}", env.action()));
                return outcome;
            }
        }
    }
    outcome
}

/// The compiler is written for solvers that are waited for; ours answers before it returns.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("nothing here waits: the script is a buffer and the solver is asked in place"),
    }
}
