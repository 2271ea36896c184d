//! Random sequences of scans against a simple model of what findings should be after them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use testkit::Engine;

use crate::stage::{Shot, Stage};

/// Results from best to worst.
const RESULTS: [&str; 5] = ["na", "pass", "manual", "error", "fail"];

#[derive(Debug, Clone)]
struct Step {
    day: i64,
    partial: bool,
    /// Control, resource, result by its number.
    rows: Vec<(u8, u8, usize)>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = (0..2_u8, 0..3_u8, 0..RESULTS.len());
    // Days that mostly go forward: every third step may look back.
    let step = (0..12_i64, proptest::bool::weighted(0.25), proptest::collection::vec(row, 1..8));
    proptest::collection::vec(step, 1..8).prop_map(|steps| {
        let on = |(index, (day, partial, rows)): (usize, (i64, bool, Vec<_>))| {
            let forward = i64::try_from(index).unwrap_or(0) * 2;
            Step { day: if day % 3 == 0 { day } else { forward }, partial, rows }
        };
        steps.into_iter().enumerate().map(on).collect()
    })
}

/// What the model knows of a finding.
#[derive(Debug, Clone)]
struct Kept {
    result: usize,
    word: &'static str,
    /// The day of its first failure, else of its first sight.
    since: i64,
    seen: i64,
    ever_failed: bool,
    hidden: bool,
}

#[derive(Default)]
struct Model {
    findings: BTreeMap<(u8, u8), Kept>,
    complete_on: Option<i64>,
    files: BTreeSet<Vec<u8>>,
}

impl Model {
    fn take(&mut self, step: &Step, bytes: Vec<u8>) {
        if !self.files.insert(bytes) || self.complete_on.is_some_and(|last| step.day < last) {
            return;
        }
        let mut worst: BTreeMap<(u8, u8), usize> = BTreeMap::new();
        for (control, resource, result) in &step.rows {
            let kept = worst.entry((*control, *resource)).or_insert(*result);
            *kept = (*kept).max(*result);
        }
        for (key, result) in &worst {
            match self.findings.get_mut(key) {
                None => {
                    let ever_failed = *result == 4;
                    let kept = Kept { result: *result, word: "new", since: step.day, seen: step.day, ever_failed, hidden: false };
                    self.findings.insert(*key, kept);
                }
                Some(kept) if kept.seen > step.day => {}
                Some(kept) => look(kept, *result, step.day),
            }
        }
        if !step.partial {
            for (key, kept) in &mut self.findings {
                if worst.contains_key(key) || kept.seen > step.day {
                    continue;
                }
                if kept.result == 4 {
                    (kept.result, kept.word) = (1, "fixed");
                } else if !kept.ever_failed {
                    kept.hidden = true;
                }
            }
            self.complete_on = Some(step.day);
        }
    }

    fn lines(&self) -> Vec<String> {
        let shown = self.findings.iter().filter(|(_, kept)| !kept.hidden);
        shown
            .map(|((control, resource), kept)| {
                let status = match (kept.result, kept.word) {
                    (4, _) => "open",
                    (1, "fixed") => "fixed",
                    (1, _) => "passed",
                    _ => "manual",
                };
                format!("{control} {resource}: {status} {} {}d", kept.word, 20 - kept.since)
            })
            .collect()
    }
}

fn look(kept: &mut Kept, result: usize, day: i64) {
    kept.word = match (kept.word, result) {
        ("fixed", 4) => "returned",
        ("fixed", _) => "fixed",
        (_, 4) if !kept.ever_failed => {
            kept.since = day;
            "new"
        }
        (_, 1) if kept.ever_failed => "fixed",
        _ => "recurring",
    };
    kept.ever_failed |= result == 4;
    (kept.result, kept.seen, kept.hidden) = (result, day, false);
}

fn shot(case: usize, step: &Step) -> Shot {
    let lines: Vec<String> = step
        .rows
        .iter()
        .map(|(control, resource, result)| format!("{control} case{case}-{resource} {}", RESULTS[*result]))
        .collect();
    let shot = Shot::new(step.day, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    // Each case is an account of its own.
    let shot = shot.of("Prowler", Box::leak(format!("account-{case}").into_boxed_str()));
    if step.partial { shot.partial() } else { shot }
}

fn findings_are_as_the_model_says(engine: Engine, cases: u32) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let stage = runtime.block_on(Stage::new(engine));
    stage.day(20);
    let case = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&steps(), |steps| {
        case.set(case.get() + 1);
        let number = case.get();
        let mut model = Model::default();
        for step in &steps {
            let shot = shot(number, step);
            let answer = runtime.block_on(stage.send_shot("admin", testkit::ACME, &shot));
            prop_assert!(matches!(answer.status, 200 | 201), "{}", answer.json);
            model.take(step, shot.bytes());
            let query = format!("/findings?status=open,overridden,passed,fixed,manual&limit=200&q=case{number}-");
            let found = runtime.block_on(stage.acme(&query));
            let mut lines: Vec<String> = found["items"].as_array().expect("a list").iter().map(crate::stage::line).collect();
            lines.iter_mut().for_each(|line| *line = line.replace(&format!("case{number}-"), ""));
            lines.sort();
            prop_assert_eq!(lines, model.lines());
        }
        Ok(())
    });
    outcome.expect("findings are as the model says");
}

#[test]
fn findings_are_as_the_model_says_on_sqlite() {
    findings_are_as_the_model_says(Engine::Sqlite, 40);
}

#[test]
fn findings_are_as_the_model_says_on_postgres() {
    findings_are_as_the_model_says(Engine::Postgres, 12);
}
