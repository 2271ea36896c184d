//! The solver: a process that is asked one script at a time, and the answers that are known already.
//!
//! An answer is kept under the hash of the script it answers (and of the solver's version and options). The script is the whole
//! question: two environments, two properties or two runs that come to the same script are the same question, whatever they are
//! called, and a change of the policies asks anew exactly what it changes.
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use cedar_policy_symcc::SmtLibScript;
use cedar_policy_symcc::solver::{Decision, DecisionWithModel, Solver, SolverError};
use tokio::io::AsyncWrite;

/// How long one script may take, in milliseconds, before the answer counts as unknown (which proves nothing).
const LIMIT_MS: u32 = 120_000;

/// What came back, and what it cost when it was first asked.
#[derive(Clone, Debug)]
pub struct Answer {
    text: String,
    /// Wall time of the solver.
    pub took: Duration,
}

/// The answers, of this run and of earlier ones.
pub struct Answers {
    solver: PathBuf,
    version: String,
    folder: PathBuf,
    of_this_run: Mutex<HashMap<String, Once>>,
}

/// An answer that whoever comes first gets, and the others wait for.
type Once = Arc<OnceLock<Result<Answer, String>>>;

impl Answers {
    /// Answers of the solver at this path, kept in this folder.
    ///
    /// # Errors
    /// The solver does not start; the folder cannot be made.
    pub fn new(solver: &Path, folder: &Path) -> Result<Self, String> {
        let said = Command::new(solver).arg("--version").output().map_err(|e| format!("starting {}: {e}", solver.display()))?;
        fs::create_dir_all(folder).map_err(|e| format!("making {}: {e}", folder.display()))?;
        let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        Ok(Self { solver: solver.to_owned(), version, folder: folder.to_owned(), of_this_run: Mutex::default() })
    }

    /// The solver's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The key of a script: comments say nothing.
    fn key(&self, script: &str) -> String {
        let mut hash = blake3::Hasher::new();
        hash.update(format!("cvc5 {} {LIMIT_MS}\n", self.version).as_bytes());
        for line in script.lines().filter(|line| !line.starts_with(';')) {
            hash.update(line.as_bytes()).update(b"\n");
        }
        hash.finalize().to_hex().to_string()
    }

    fn answer(&self, key: &str, ask: impl FnOnce() -> Result<Answer, String>) -> Result<Answer, String> {
        let cell = self.of_this_run.lock().expect("nobody panics while holding it").entry(key.to_owned()).or_default().clone();
        cell.get_or_init(|| match self.kept(key) {
            Some(answer) => Ok(answer),
            None => ask().and_then(|answer| self.keep(key, &answer).map(|()| answer)),
        })
        .clone()
    }

    fn kept(&self, key: &str) -> Option<Answer> {
        let text = fs::read_to_string(self.folder.join(key)).ok()?;
        let (took, text) = text.split_once('\n')?;
        Some(Answer { text: text.to_owned(), took: Duration::from_micros(took.parse().ok()?) })
    }

    fn keep(&self, key: &str, answer: &Answer) -> Result<(), String> {
        if !answer.text.starts_with("sat") && !answer.text.starts_with("unsat") {
            return Ok(());
        }
        let path = self.folder.join(key);
        let new = path.with_extension(format!("{:?}.new", std::thread::current().id()));
        let text = format!("{}\n{}", answer.took.as_micros(), answer.text);
        fs::write(&new, text).and_then(|()| fs::rename(&new, &path)).map_err(|e| format!("keeping an answer: {e}"))
    }
}

/// A running solver.
struct Running {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Running {
    fn start(solver: &Path) -> Result<Self, String> {
        let mut child = Command::new(solver)
            .arg(format!("tlimit-per={LIMIT_MS}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("starting {}: {e}", solver.display()))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else { return Err("a solver without pipes".into()) };
        Ok(Self { child, to, from: BufReader::new(from) })
    }

    fn ask(&mut self, script: &str) -> std::io::Result<Answer> {
        let start = Instant::now();
        self.to.write_all(format!("{}\n{script}", script.len()).as_bytes())?;
        self.to.flush()?;
        let mut text = String::new();
        loop {
            let before = text.len();
            if self.from.by_ref().read_line(&mut text)? == 0 {
                return Err(std::io::Error::other("the solver ended"));
            }
            if &text[before..] == "; end\n" {
                text.truncate(before);
                return Ok(Answer { text, took: start.elapsed() });
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended by itself; there is nothing to be done about it either way
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What the symbolic compiler talks to: collects a script, and gets it answered.
pub struct Asking<'a> {
    answers: &'a Answers,
    running: Option<Running>,
    script: Vec<u8>,
    /// Every script asked since this was last emptied, with its answer.
    pub asked: Vec<(String, Answer)>,
}

impl<'a> Asking<'a> {
    /// Starts no solver until it is needed.
    pub fn new(answers: &'a Answers) -> Self {
        Self { answers, running: None, script: Vec::new(), asked: Vec::new() }
    }

    fn ask(&mut self) -> Result<Answer, SolverError> {
        let script = String::from_utf8(std::mem::take(&mut self.script)).map_err(|e| SolverError::Solver(e.to_string()))?;
        let key = self.answers.key(&script);
        let (solver, running) = (&self.answers.solver, &mut self.running);
        let answer = self.answers.answer(&key, || {
            if running.is_none() {
                *running = Some(Running::start(solver)?);
            }
            let answer = running.as_mut().expect("just started").ask(&script);
            answer.map_err(|e| {
                *running = None;
                e.to_string()
            })
        });
        let answer = answer.map_err(SolverError::Solver)?;
        self.asked.push((key, answer.clone()));
        Ok(answer)
    }
}

impl Solver for Asking<'_> {
    fn smtlib_input(&mut self) -> &mut (dyn AsyncWrite + Unpin + Send) {
        &mut self.script
    }

    async fn enable_models(&mut self) -> Result<(), SolverError> {
        Ok(self.script.set_option("produce-models", "true").await?)
    }

    async fn check_sat(&mut self) -> Result<Decision, SolverError> {
        Ok(match self.check_sat_with_model().await? {
            DecisionWithModel::Sat { .. } => Decision::Sat,
            DecisionWithModel::Unsat => Decision::Unsat,
            DecisionWithModel::Unknown => Decision::Unknown,
        })
    }

    async fn check_sat_with_model(&mut self) -> Result<DecisionWithModel, SolverError> {
        self.script.check_sat().await?;
        self.script.get_model().await?;
        let answer = self.ask()?;
        let (decision, rest) = answer.text.split_once('\n').unwrap_or((&answer.text, ""));
        match decision {
            "sat" => Ok(DecisionWithModel::Sat { model: rest.to_owned() }),
            // an unsatisfiable script has no model: the error that follows says that
            "unsat" => Ok(DecisionWithModel::Unsat),
            "unknown" => Ok(DecisionWithModel::Unknown),
            other => Err(SolverError::Solver(other.to_owned())),
        }
    }
}
