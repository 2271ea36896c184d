//! The licence's file: one JSON text that says what was bought, signed by whoever sold it. README.md beside this file specifies it.

use kernel::{Error, Timestamp};
use ledger::SigningKey;
use ledger::hex;
use ledger::keys::{SignatureBytes, key_id, verify_fields};
use serde::{Deserialize, Serialize};

use super::LicenceId;

const FORMAT: &str = "tenantry-licence";
const VERSION: u32 = 1;
/// What is signed begins with this, so that no other signature of the same key can be taken for a licence.
const DOMAIN: &str = "tenantry licence v1";
/// Issuers that every hub trusts.
const EMBEDDED: &str = include_str!("issuers.txt");
/// Longest file that is looked at, in bytes.
const FILE_MAX: usize = 16 * 1024;

/// What was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The licence's id.
    pub id: LicenceId,
    /// Who bought it.
    pub customer: String,
    /// Tenants that may exist, over all providers of the installation; `null`: any number.
    pub tenants_max: Option<i64>,
    /// When it was issued, and from when it counts.
    pub issued_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// Days after that in which new tenants may still be made.
    pub grace_days: i64,
}

/// Where a licence stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LicenceState {
    /// It counts.
    Valid,
    /// It is over; new tenants may be made for a few days yet.
    Grace,
    /// It is over: no new tenants. What runs goes on.
    Expired,
}

impl Terms {
    /// When the days after its end are over too.
    pub fn grace_until(&self) -> Timestamp {
        self.expires_at.plus_days(self.grace_days)
    }

    /// Where it stands at that instant.
    pub fn state_at(&self, now: Timestamp) -> LicenceState {
        if now < self.expires_at {
            LicenceState::Valid
        } else if now < self.grace_until() {
            LicenceState::Grace
        } else {
            LicenceState::Expired
        }
    }

    fn signed_by(&self, key: &[u8; 32]) -> [String; 7] {
        [
            self.id.to_string(),
            self.customer.clone(),
            self.tenants_max.map(|max| max.to_string()).unwrap_or_default(),
            self.issued_at.to_string(),
            self.expires_at.to_string(),
            self.grace_days.to_string(),
            hex::encode(key),
        ]
    }

    fn is_sound(&self) -> bool {
        let named = (1..=200).contains(&self.customer.chars().count()) && !self.customer.contains(char::is_control);
        let counted = self.tenants_max.is_none_or(|max| (0..=10_000_000).contains(&max));
        named && counted && (0..=366).contains(&self.grace_days) && self.issued_at < self.expires_at
    }
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceFile {
    /// `tenantry-licence`.
    format: String,
    /// 1.
    version: u32,
    /// What was bought.
    pub licence: Terms,
    /// The issuer's public key (Ed25519), 64 hexadecimal digits.
    issuer: String,
    /// 128 hexadecimal digits.
    signature: String,
}

/// Why a licence is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LicenceProblem {
    /// It is no licence.
    #[error("is not a licence file: {0}")]
    Unreadable(String),
    /// Nobody here trusts its issuer.
    #[error(
        "is signed by {0}, whom this installation does not trust. Get it from your vendor, or have the operator name the issuer (licence_issuers)"
    )]
    Foreign(String),
    /// The signature does not fit.
    #[error("was changed after it was signed, or is damaged. Use the file exactly as you got it")]
    Tampered,
    /// It begins later.
    #[error("counts from {0} only. Activate it then, or correct the machine's clock")]
    NotYet(Timestamp),
    /// It is over.
    #[error("has expired on {0}. Ask your vendor for a new one")]
    Expired(Timestamp),
}

impl LicenceProblem {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "not_a_licence",
            Self::Foreign(_) => "unknown_issuer",
            Self::Tampered => "bad_signature",
            Self::NotYet(_) => "not_yet_valid",
            Self::Expired(_) => "expired",
        }
    }
}

impl From<LicenceProblem> for Error {
    fn from(problem: LicenceProblem) -> Self {
        Self::field("licence", problem.code(), problem.to_string())
    }
}

impl LicenceFile {
    /// Signs terms.
    ///
    /// # Errors
    /// `Invalid` when a term is out of its range.
    pub fn issue(key: &SigningKey, licence: Terms) -> Result<Self, Error> {
        if !licence.is_sound() {
            let text =
                "a customer of 1 to 200 characters, 0 to 10000000 tenants, 0 to 366 days of grace, and an end after its beginning";
            return Err(Error::field("licence", "out_of_range", format!("needs {text}")));
        }
        let public = key.public_key();
        let fields = licence.signed_by(&public);
        let signature = key.sign_fields(DOMAIN, &fields.each_ref().map(String::as_str));
        let (issuer, signature) = (hex::encode(&public), hex::encode(&signature));
        Ok(Self { format: FORMAT.into(), version: VERSION, licence, issuer, signature })
    }

    /// Reads a file, without believing it.
    ///
    /// # Errors
    /// It is no licence.
    pub fn read(text: &str) -> Result<Self, LicenceProblem> {
        let unreadable = |why: &str| LicenceProblem::Unreadable(why.into());
        if text.len() > FILE_MAX {
            return Err(unreadable("it is too long"));
        }
        let file: Self = serde_json::from_str(text.trim()).map_err(|error| LicenceProblem::Unreadable(error.to_string()))?;
        if file.format != FORMAT || file.version != VERSION {
            return Err(LicenceProblem::Unreadable(format!(
                "its format is {} {}, not {FORMAT} {VERSION}",
                file.format, file.version
            )));
        }
        if !file.licence.is_sound() {
            return Err(unreadable("a term is out of its range"));
        }
        Ok(file)
    }

    /// Who of the trusted signed it.
    ///
    /// # Errors
    /// Nobody of them, or it was changed.
    pub fn issuer<'a>(&self, issuers: &'a Issuers) -> Result<&'a Issuer, LicenceProblem> {
        let unreadable = |what: &str| LicenceProblem::Unreadable(format!("its {what} is not in lower-case hexadecimal digits"));
        let key: [u8; 32] = hex::decode(&self.issuer).ok_or_else(|| unreadable("issuer"))?;
        let signature: SignatureBytes = hex::decode(&self.signature).ok_or_else(|| unreadable("signature"))?;
        let issuer = issuers.find(&key).ok_or_else(|| LicenceProblem::Foreign(key_id(&key)))?;
        let fields = self.licence.signed_by(&key);
        verify_fields(&key, DOMAIN, &fields.each_ref().map(String::as_str), &signature).map_err(|_| LicenceProblem::Tampered)?;
        Ok(issuer)
    }

    /// The id of the key that it says it is signed with.
    pub fn issuer_id(&self) -> String {
        hex::decode(&self.issuer).map_or_else(|| "an unreadable key".into(), |key| key_id(&key))
    }

    /// The file's text.
    ///
    /// # Errors
    /// `Internal`: never, it is plain data.
    pub fn text(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(Error::internal)
    }
}

/// Reads a file that is to count now.
///
/// # Errors
/// It is no licence, not from a trusted issuer, changed, not valid yet, or over.
pub fn check(text: &str, issuers: &Issuers, now: Timestamp) -> Result<LicenceFile, LicenceProblem> {
    let file = LicenceFile::read(text)?;
    file.issuer(issuers)?;
    let Terms { issued_at, expires_at, .. } = file.licence;
    if now < issued_at {
        return Err(LicenceProblem::NotYet(issued_at));
    }
    if expires_at <= now {
        return Err(LicenceProblem::Expired(expires_at));
    }
    Ok(file)
}

/// Somebody whose licences count here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    key: [u8; 32],
    /// Who it is; the key's id where nobody gave a name.
    pub name: String,
}

impl Issuer {
    /// The id of its key, `lgk_…`.
    pub fn key_id(&self) -> String {
        key_id(&self.key)
    }
}

/// Whose licences count here: the embedded issuers, and those that the operator named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Issuers(Vec<Issuer>);

impl Issuers {
    /// The issuers that every hub trusts.
    ///
    /// # Panics
    /// The file in the source is broken, which its test would have said.
    pub fn embedded() -> Self {
        Self::default().and(EMBEDDED.lines()).expect("the embedded file is tested")
    }

    /// Adds issuers, each `HEX` or `HEX NAME`. Empty lines and those after `#` say nothing.
    ///
    /// # Errors
    /// The line that is none.
    pub fn and<'a>(mut self, lines: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        for line in lines.into_iter().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (digits, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let key: [u8; 32] = hex::decode(&digits.to_ascii_lowercase())
                .ok_or_else(|| format!("{digits:?} is not a public key: 64 hexadecimal digits"))?;
            let name = Some(name.trim()).filter(|name| !name.is_empty()).map_or_else(|| key_id(&key), str::to_owned);
            if self.find(&key).is_none() {
                self.0.push(Issuer { key, name });
            }
        }
        Ok(self)
    }

    fn find(&self, key: &[u8; 32]) -> Option<&Issuer> {
        self.0.iter().find(|issuer| issuer.key == *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        let issued_at = testkit::START.plus_days(-1);
        let id = LicenceId::new(issued_at);
        Terms {
            id,
            customer: "Northwind IT".into(),
            tenants_max: Some(25),
            issued_at,
            expires_at: issued_at.plus_days(365),
            grace_days: 14,
        }
    }

    fn key(n: u8) -> SigningKey {
        SigningKey::from_secret(&[n; 32])
    }

    fn trusting(n: u8) -> Issuers {
        Issuers::default().and([format!("{} Test issuer", hex::encode(&key(n).public_key())).as_str()]).unwrap()
    }

    #[test]
    fn a_licence_counts_where_its_issuer_is_trusted() {
        let terms = terms();
        let text = LicenceFile::issue(&key(7), terms.clone()).unwrap().text().unwrap();
        let file = check(&text, &trusting(7), testkit::START).unwrap();
        assert_eq!(file.licence, terms);
        assert_eq!(file.issuer(&trusting(7)).unwrap().name, "Test issuer");
        assert!(matches!(check(&text, &trusting(8), testkit::START), Err(LicenceProblem::Foreign(_))));
        assert!(matches!(check(&text, &Issuers::embedded(), testkit::START), Err(LicenceProblem::Foreign(_))));
    }

    #[test]
    fn whatever_is_changed_is_found_out() {
        let text = LicenceFile::issue(&key(7), terms()).unwrap().text().unwrap();
        for (from, to) in [
            ("Northwind", "Southwind"),
            ("25,", "250,"),
            ("25,", "null,"),
            ("2027-11-20", "2037-11-20"),
            ("\"grace_days\": 14", "\"grace_days\": 140"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert_eq!(check(&changed, &trusting(7), testkit::START).unwrap_err(), LicenceProblem::Tampered, "{from}");
        }
        // Signed anew by somebody else who claims to be the issuer.
        let mut forged = LicenceFile::issue(&key(9), terms()).unwrap();
        forged.issuer = hex::encode(&key(7).public_key());
        assert_eq!(check(&forged.text().unwrap(), &trusting(7), testkit::START).unwrap_err(), LicenceProblem::Tampered);
    }

    #[test]
    fn what_is_no_licence_is_said_to_be_none() {
        let sound = LicenceFile::issue(&key(7), terms()).unwrap().text().unwrap();
        let endless = "x".repeat(FILE_MAX + 1);
        for text in ["", "{}", "[1]", &sound[..sound.len() / 2], &sound.replace("tenantry-licence", "other"), &endless] {
            assert!(matches!(check(text, &trusting(7), testkit::START), Err(LicenceProblem::Unreadable(_))), "{text}");
        }
    }

    #[test]
    fn it_counts_from_its_beginning_to_its_end_and_a_little_longer() {
        let terms = terms();
        let text = LicenceFile::issue(&key(7), terms.clone()).unwrap().text().unwrap();
        let at = |now| check(&text, &trusting(7), now).err();
        assert_eq!(at(Timestamp(terms.issued_at.0 - 1)), Some(LicenceProblem::NotYet(terms.issued_at)));
        assert_eq!(at(terms.issued_at), None);
        assert_eq!(at(terms.expires_at), Some(LicenceProblem::Expired(terms.expires_at)));
        assert_eq!(terms.state_at(Timestamp(terms.expires_at.0 - 1)), LicenceState::Valid);
        assert_eq!(terms.state_at(terms.expires_at), LicenceState::Grace);
        assert_eq!(terms.state_at(terms.grace_until()), LicenceState::Expired);
    }

    #[test]
    fn terms_out_of_range_are_not_issued() {
        for change in [
            |terms: &mut Terms| terms.customer = String::new(),
            |terms: &mut Terms| terms.tenants_max = Some(-1),
            |terms: &mut Terms| terms.grace_days = 1_000,
            |terms: &mut Terms| terms.expires_at = terms.issued_at,
        ] {
            let mut terms = terms();
            change(&mut terms);
            assert!(LicenceFile::issue(&key(7), terms).is_err());
        }
    }

    #[test]
    fn the_embedded_issuers_are_sound() {
        assert_eq!(Issuers::embedded().0.len(), 1);
        assert!(Issuers::default().and(["abc"]).is_err());
    }
}
