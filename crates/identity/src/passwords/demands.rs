//! What a new password is held against: how hard it is to guess, and the rules of every place its person belongs to.
//!
//! The one way for a new password in: whoever sets one (set-up, an invitation taken up, a change, a reset) asks for the [`Demands`] in
//! a transaction, checks the password against them outside of it, and [`set`]s its hash.

use kernel::rules::{RuledBy, SignInRules};
use kernel::store::StoreError;
use kernel::validate::Check;
use kernel::{Hub, PersonId, ReadTx, Result, WriteTx, params, scope};

use super::{LENGTH_MAX, LENGTH_MIN, Pool};
use crate::Secret;

/// What a new password is held against. Read in a transaction, used after it, so that slow work holds up nobody.
pub(crate) struct Demands {
    rules: SignInRules,
    /// What somebody who guesses knows as well.
    about: Vec<String>,
    /// Hashes of passwords that may not come back, the newest first.
    old: Vec<String>,
}

impl Demands {
    /// Of somebody who has an account: of all places they belong to, and of the passwords they had.
    ///
    /// # Errors
    /// As the store's.
    pub(crate) async fn of_person<S: scope::Control>(tx: &mut ReadTx<S>, person: PersonId) -> Result<Self> {
        let rules = SignInRules::of_person(tx, person).await?;
        let mut old = Vec::new();
        if rules.history > 0 {
            // The password they have now is the last one they had.
            let row = tx.opt("SELECT password_hash FROM person WHERE id = ?1", params![person]).await?;
            old.extend(row.map(|mut row| row.take::<String>()).transpose()?);
            let sql = "SELECT hash FROM old_password WHERE person_id = ?1 ORDER BY until DESC, id DESC LIMIT ?2";
            let rows = tx.rows(sql, params![person, i64::from(rules.history) - 1]).await?;
            old.extend(rows.into_iter().map(|mut row| row.take()).collect::<Result<Vec<String>, StoreError>>()?);
        }
        Ok(Self { rules, about: about(tx, person).await?, old })
    }

    /// Of somebody who comes to a place with a new account.
    ///
    /// # Errors
    /// As the store's.
    pub(crate) async fn of_newcomer(tx: &mut ReadTx<scope::Public>, place: RuledBy, about: Vec<String>) -> Result<Self> {
        Ok(Self { rules: SignInRules::of_place(tx, place).await?, about, old: Vec::new() })
    }

    /// Of the first person of all: there is no place yet that could ask for more.
    pub(crate) fn of_the_first(about: Vec<String>) -> Self {
        Self { rules: SignInRules::default(), about, old: Vec::new() }
    }

    /// Says at `field` what is wrong with a new password, if something is. Answers whether it will do.
    ///
    /// # Errors
    /// `Unavailable` when the pool is busy for too long.
    pub(crate) async fn check(&self, hub: &Hub, field: &str, password: &Secret, check: &mut Check) -> Result<bool> {
        let text = password.expose();
        let (length, length_min) =
            (text.chars().count(), LENGTH_MIN.max(usize::try_from(self.rules.length_min).unwrap_or(LENGTH_MAX)));
        if length < length_min {
            check.fail(field, "too_short", format!("needs at least {length_min} characters, this has {length}"));
            return Ok(false);
        }
        let (kinds, kinds_min) = (classes(text), self.rules.classes_min);
        if kinds < kinds_min {
            let message = format!(
                "needs characters of at least {kinds_min} of these kinds: small letters, capital letters, digits, others; this has {kinds}"
            );
            check.fail(field, "too_few_classes", message);
            return Ok(false);
        }
        let pool = hub.port::<Pool>();
        let judged = pool.judge(password.clone(), self.about.clone()).await?;
        judged.tell(field, check);
        if !judged.is_good() {
            return Ok(false);
        }
        if pool.is_any_of(password.clone(), self.old.clone()).await? {
            let message = format!("was your password before: the last {} may not come back; choose another", self.rules.history);
            check.fail(field, "used_before", message);
            return Ok(false);
        }
        Ok(true)
    }
}

/// Of how many kinds a text has characters: small letters, capital letters, digits, others. Letters without case are small ones.
fn classes(text: &str) -> u32 {
    let mut kinds = [false; 4];
    for c in text.chars() {
        let kind = match c {
            _ if c.is_uppercase() => 1,
            _ if c.is_alphabetic() => 0,
            _ if c.is_numeric() => 2,
            _ => 3,
        };
        kinds[kind] = true;
    }
    kinds.iter().map(|there| u32::from(*there)).sum()
}

/// Puts another hash in the place of the one that was there. That one is kept as long as a place of the person's wants it not to come
/// back, and no longer.
///
/// # Errors
/// `Changed` when it was no longer the stored one.
pub(crate) async fn set<S: scope::Control>(tx: &mut WriteTx<S>, person: PersonId, old: &str, new: &str) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .execute(
            "UPDATE person SET password_hash = ?3, password_set_at = ?4, version = version + 1 WHERE id = ?1 AND password_hash = ?2",
            params![person, old, new, now],
        )
        .await?;
    if changed != 1 {
        return Err(kernel::Error::Changed);
    }
    let kept = i64::from(SignInRules::of_person(tx, person).await?.history) - 1;
    if kept > 0 && !old.is_empty() {
        let sql = "INSERT INTO old_password (id, person_id, hash, until) VALUES (?1, ?2, ?3, ?4)";
        tx.execute(sql, params![kernel::ids::uuid_at(now), person, old, now]).await?;
    }
    tx.execute(
        "DELETE FROM old_password WHERE person_id = ?1 AND id NOT IN
           (SELECT o.id FROM old_password o WHERE o.person_id = ?1 ORDER BY o.until DESC, o.id DESC LIMIT ?2)",
        params![person, kept.max(0)],
    )
    .await?;
    Ok(())
}

/// Address, name and organisations: what somebody who guesses knows as well.
async fn about<S: scope::Control>(tx: &mut ReadTx<S>, person: PersonId) -> Result<Vec<String>> {
    let row = tx.opt("SELECT email, name FROM person WHERE id = ?1", params![person]).await?;
    let mut row = row.ok_or(kernel::Error::NotSignedIn)?;
    let mut about: Vec<String> = vec![row.take()?, row.take()?];
    let rows = tx
        .rows(
            "SELECT v.name FROM staff s JOIN provider v ON v.id = s.provider_id WHERE s.person_id = ?1
             UNION SELECT t.name FROM member m JOIN tenant t ON t.id = m.tenant_id WHERE m.person_id = ?1 LIMIT 20",
            params![person],
        )
        .await?;
    for mut row in rows {
        about.push(row.take()?);
    }
    Ok(about)
}

#[cfg(test)]
mod tests {
    use super::classes;

    #[test]
    fn kinds_of_characters_are_counted_in_every_script() {
        for (text, kinds) in [("", 0), ("abc", 1), ("aB", 2), ("aB1", 3), ("aB1 ", 4), ("密码", 1), ("Éé٣!", 4), ("123", 1)] {
            assert_eq!(classes(text), kinds, "{text}");
        }
    }
}
