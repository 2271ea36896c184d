//! The heavy work on passwords, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use kernel::ids::random;
use kernel::validate::Check;
use kernel::{Error, Result};
use tokio::sync::Semaphore;
use zxcvbn::Score;

use super::{LENGTH_MAX, LENGTH_MIN};
use crate::Secret;

/// Longest wait for a turn.
pub const WAIT: Duration = Duration::from_secs(5);

/// Cost of a hash: 19 MiB of memory, two passes, one lane (OWASP's floor for argon2id). May be raised at any time.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SCORE_MIN: Score = Score::Three;

/// Checks, hashes and measures passwords; as many at once as there are cores.
pub struct Pool {
    turns: Arc<Semaphore>,
    wait: Duration,
    /// A hash that no password has, of today's cost: who does not exist costs as much as who does.
    nobody: String,
}

/// A password that was checked.
pub(crate) struct Checked {
    /// It is the one that was stored.
    pub is_right: bool,
    /// The same password hashed at today's cost, when the stored hash was cheaper.
    pub rehashed: Option<String>,
}

/// How a new password was found.
pub(crate) enum Judged {
    Good,
    TooShort(usize),
    TooLong(usize),
    /// Too easy to guess; says what would help.
    Weak(String),
}

impl Pool {
    /// A pool with a turn for each core.
    #[expect(clippy::new_without_default, reason = "it reads the machine")]
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self::with(cores, WAIT)
    }

    pub(super) fn with(turns: usize, wait: Duration) -> Self {
        Self { turns: Arc::new(Semaphore::new(turns)), wait, nobody: nobody() }
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let turn = tokio::time::timeout(self.wait, self.turns.clone().acquire_owned())
            .await
            .map_err(|_| Error::Unavailable("Too many people sign in at this moment.".into()))?
            .map_err(Error::internal)?;
        // The turn goes along: a client that leaves does not let another one in while the work runs on.
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }

    /// Whether this is the password that was stored. Takes as long when nothing was.
    ///
    /// # Errors
    /// `Unavailable` after [`WAIT`].
    pub(crate) async fn check(&self, password: Secret, stored: Option<String>) -> Result<Checked> {
        let nobody = self.nobody.clone();
        self.run(move || {
            // An account without a usable hash (imported, reset) has no password.
            let parsed = stored.as_deref().and_then(|stored| PasswordHash::new(stored).ok());
            let (against, exists) = match parsed {
                Some(parsed) => (parsed, true),
                None => (PasswordHash::new(&nobody).expect("made here, of valid parts"), false),
            };
            let is_right = argon2().verify_password(password.expose().as_bytes(), &against).is_ok() && exists;
            let rehashed = if is_right && is_cheap(&against) { hashed(&password).ok() } else { None };
            Checked { is_right, rehashed }
        })
        .await
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// `Unavailable` after [`WAIT`].
    pub(crate) async fn hash(&self, password: Secret) -> Result<String> {
        self.run(move || hashed(&password)).await?.map_err(|error| Error::internal(error.to_string()))
    }

    /// Whether this is any of the passwords that were stored.
    ///
    /// # Errors
    /// `Unavailable` after [`WAIT`].
    pub(crate) async fn is_any_of(&self, password: Secret, stored: Vec<String>) -> Result<bool> {
        if stored.is_empty() {
            return Ok(false);
        }
        self.run(move || {
            let is_this = |stored: &PasswordHash| argon2().verify_password(password.expose().as_bytes(), stored).is_ok();
            stored.iter().filter_map(|stored| PasswordHash::new(stored).ok()).any(|stored| is_this(&stored))
        })
        .await
    }

    /// Whether a new password will do. `about` is what is known of the person, which is easy to guess.
    ///
    /// # Errors
    /// `Unavailable` after [`WAIT`].
    pub(crate) async fn judge(&self, password: Secret, about: Vec<String>) -> Result<Judged> {
        let length = password.expose().chars().count();
        if length < LENGTH_MIN {
            return Ok(Judged::TooShort(length));
        }
        if length > LENGTH_MAX {
            return Ok(Judged::TooLong(length));
        }
        self.run(move || {
            let words = words_of(&about);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let entropy = zxcvbn::zxcvbn(password.expose(), &words);
            if entropy.score() >= SCORE_MIN {
                return Judged::Good;
            }
            let advice = entropy.feedback().map(|feedback| {
                let warning = feedback.warning().map(|warning| warning.to_string());
                let more = feedback.suggestions().iter().map(ToString::to_string);
                warning.into_iter().chain(more).collect::<Vec<_>>().join(" ")
            });
            Judged::Weak(
                advice
                    .filter(|text| !text.is_empty())
                    .unwrap_or_else(|| "Add another word or two. Uncommon words are better.".into()),
            )
        })
        .await
    }
}

impl Judged {
    pub(crate) fn is_good(&self) -> bool {
        matches!(self, Self::Good)
    }

    /// Says at `field` what is wrong with it, if something is.
    pub(crate) fn tell(&self, field: &str, check: &mut Check) {
        match self {
            Self::Good => {}
            Self::TooShort(length) => {
                check.fail(field, "too_short", format!("needs at least {LENGTH_MIN} characters, this has {length}"));
            }
            Self::TooLong(length) => {
                check.fail(field, "too_long", format!("may have at most {LENGTH_MAX} characters, this has {length}"));
            }
            Self::Weak(advice) => {
                check.fail(field, "weak", format!("is too easy to guess. {advice}"));
            }
        }
    }
}

fn params() -> Params {
    Params::new(MEMORY_KIB, PASSES, LANES, None).expect("constants within argon2's bounds")
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params())
}

fn hashed(password: &Secret) -> argon2::password_hash::Result<String> {
    argon2().hash_password_with_salt(password.expose().as_bytes(), &random::<16>()).map(|hash| hash.to_string())
}

/// Whether a stored hash was made for less than today's cost.
fn is_cheap(hash: &PasswordHash) -> bool {
    let today = params();
    let then = Params::try_from(hash);
    hash.algorithm != ARGON2ID_IDENT
        || then.is_ok_and(|then| then.m_cost() < today.m_cost() || then.t_cost() < today.t_cost() || then.p_cost() < today.p_cost())
}

fn nobody() -> String {
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params()).expect("parameters of argon2 are PHC parameters"),
        salt: Some(Salt::new(&random::<16>()).expect("16 bytes are a salt")),
        hash: Some(Output::new(&random::<32>()).expect("32 bytes are an output")),
    };
    hash.to_string()
}

/// What is known of the person, whole and in its words.
fn words_of(about: &[String]) -> Vec<String> {
    let mut words = vec!["tenantry".to_owned()];
    for text in about {
        let text = text.to_lowercase();
        words.extend(text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2).map(str::to_owned));
        words.push(text);
    }
    words.truncate(100);
    words
}
