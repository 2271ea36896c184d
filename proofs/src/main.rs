//! Proves the access policies: each property in `properties/` holds for all inputs, and each broken policy in `broken/` breaks
//! the properties it says, with a counterexample. `make prove` runs it; `prove --only WORD` looks at a part; `prove --every` also
//! proves that each broken policy breaks no other property (which takes a good deal longer).
//!
//! What is proved is what Cedar decides on the policies as they stand. The hub is stricter in one point (an allow that comes with an
//! evaluation error is a no) and takes a short way to the same answer, which its own tests hold against the long way.
mod proof;
mod question;
mod report;
mod solver;
mod tale;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use std::{fs, thread};

use cedar_policy::Schema;

use proof::Outcome;
use question::{Broken, Property};
use solver::Answers;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Everything that an outcome depends on besides the policies: the prover itself and what it is built from.
const PROVER: [&str; 4] =
    [include_str!("proof.rs"), include_str!("solver.rs"), include_str!("tale.rs"), include_str!("../Cargo.lock")];

/// One property, held against the policies (`broken`: `None`) or against a broken policy.
struct Job<'a> {
    property: &'a Property,
    broken: Option<&'a Broken>,
}

/// All there is to prove, and what it is proved with.
struct Run {
    schema: Schema,
    answers: Answers,
    folder: std::path::PathBuf,
}

fn main() -> ExitCode {
    let only = std::env::args().skip_while(|a| a != "--only").nth(1);
    let every = std::env::args().any(|a| a == "--every");
    match run(only.as_deref(), every) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("prove: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(only: Option<&str>, every: bool) -> Result<bool, String> {
    let start = Instant::now();
    let here = Path::new(HERE);
    let target = here.join("../target/prove");
    let folder = target.join("outcomes");
    fs::create_dir_all(&folder).map_err(|e| format!("making {}: {e}", folder.display()))?;
    let schema = Schema::from_cedarschema_str(access::text::SCHEMA).map_err(|e| format!("{e:?}"))?.0;
    let run = Run { schema, answers: Answers::new(&target.join("solver/cvc5"), &target.join("answers"))?, folder };

    let properties = question::properties(&here.join("properties"))?;
    let broken = question::broken(&here.join("broken"))?;
    if only.is_none() {
        check_names(&properties, &broken)?;
    }
    let wanted = |job: &Job<'_>| {
        only.is_none_or(|only| job.property.name.contains(only) || job.broken.is_some_and(|b| b.name.contains(only)))
    };
    let policies = [None].into_iter().chain(broken.iter().map(Some));
    let mut jobs: Vec<Job<'_>> =
        policies.flat_map(|broken| properties.iter().map(move |property| Job { property, broken })).collect();
    jobs.retain(|job| wanted(job) && (every || job.broken.is_none_or(|b| b.breaks.contains(&job.property.name))));

    let environments = proof::environments(&run.schema).len();
    println!(
        "{} properties, {} broken policies, {environments} environments, cvc5 {}",
        properties.len(),
        broken.len(),
        run.answers.version()
    );
    let outcomes = run.all(&jobs)?;
    let table = report::Table { properties: &properties, broken: &broken, environments, outcomes: &outcomes };
    let good = table.print();
    println!("{:.1} s", start.elapsed().as_secs_f64());
    if only.is_some() {
        return Ok(good);
    }
    Ok(table.write(&here.join("../docs/proofs.md"))? && good)
}

/// Outcomes by broken policy (`""`: none) and property.
type Outcomes = BTreeMap<(String, String), Outcome>;

impl Run {
    /// Does every job, as many at a time as there are processors.
    fn all(&self, jobs: &[Job<'_>]) -> Result<Outcomes, String> {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Outcomes::new()));
        let work = || -> Result<(), String> {
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = self.one(job)?;
                let broken = job.broken.map(|b| b.name.clone()).unwrap_or_default();
                done.lock().expect("nobody panics while holding it").insert((broken, job.property.name.clone()), outcome);
            }
            Ok(())
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|w| w.join().unwrap_or_else(|_| Err("a worker panicked".into())))
        })?;
        Ok(done.into_inner().expect("nobody panicked while holding it"))
    }

    fn one(&self, job: &Job<'_>) -> Result<Outcome, String> {
        let hub = job.broken.map_or(Ok(access::text::POLICIES.to_owned()), |broken| broken.apply(access::text::POLICIES))?;
        let (left, right) = job.property.sides(&hub).map_err(|e| format!("{}: {e}", job.property.name))?;
        let mut hash = blake3::Hasher::new();
        for part in [&left, &right, access::text::SCHEMA, self.answers.version()].into_iter().chain(PROVER) {
            hash.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let kept = self.folder.join(hash.finalize().to_hex().as_str());
        let known = fs::read_to_string(&kept).ok().and_then(|text| serde_json::from_str(&text).ok());
        if let Some(outcome) = known.as_ref().and_then(Outcome::from_json) {
            return Ok(outcome);
        }
        let name = || format!("{} against {}", job.property.name, job.broken.map_or("the policies", |b| &b.name));
        let left = proof::read(&left, &self.schema).map_err(|e| format!("{}: {e}", name()))?;
        let right = proof::read(&right, &self.schema).map_err(|e| format!("{}: {e}", name()))?;
        let outcome = proof::implies(&left, &right, &self.schema, &self.answers);
        if outcome.unknown.is_none() {
            fs::write(&kept, outcome.to_json().to_string()).map_err(|e| format!("keeping an outcome: {e}"))?;
        }
        Ok(outcome)
    }
}

/// Every property has a broken policy, and every broken policy breaks properties there are.
fn check_names(properties: &[Property], broken: &[Broken]) -> Result<(), String> {
    for b in broken {
        if let Some(unknown) = b.breaks.iter().find(|name| properties.iter().all(|p| p.name != **name)) {
            return Err(format!("{} breaks {unknown}, which is no property", b.name));
        }
    }
    match properties.iter().find(|p| broken.iter().all(|b| !b.breaks.contains(&p.name))) {
        Some(p) => Err(format!("no broken policy breaks {}: who says that it says anything?", p.name)),
        None => Ok(()),
    }
}
