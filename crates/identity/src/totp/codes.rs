//! Codes and what they are made of.

use kernel::ids::random;
use kernel::secrets::token_hash;
use kernel::{Error, PersonId, Result, Timestamp};
use qrcode::QrCode;
use qrcode::render::svg;
use zeroize::Zeroizing;

use super::TotpBegun;
use crate::Secret;

const ISSUER: &str = "Tenantry";
/// Crockford's: no letter that looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new secret of 160 bits.
pub(super) fn new_secret() -> Zeroizing<[u8; 20]> {
    Zeroizing::new(random())
}

/// The time step that a code is of, if it is one of this moment: now, the step before or the one after.
pub(super) fn step_of(secret: &[u8], code: &Secret, now: Timestamp) -> Option<i64> {
    let code = code.expose().trim();
    if !is_code(code) {
        return None;
    }
    let totp = totp_rs::Builder::new().with_secret(secret).build().ok()?;
    let seconds = u64::try_from(now.0 / 1_000_000).ok()?;
    totp.check(code, seconds).and_then(|step| i64::try_from(step).ok())
}

/// Six digits.
pub(super) fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit())
}

/// A secret as an authenticator app takes it.
pub(super) fn begun(secret: &[u8], email: &str) -> Result<TotpBegun> {
    let secret = totp_rs::Secret::from(secret).to_base32();
    let account = escaped(email);
    let uri = format!("otpauth://totp/{ISSUER}:{account}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30");
    let code = QrCode::new(&uri).map_err(Error::internal)?;
    let qr_svg = code.render::<svg::Color<'_>>().min_dimensions(196, 196).build();
    Ok(TotpBegun { secret, uri, qr_svg })
}

/// A new recovery code of 60 bits: `xxxx-xxxx-xxxx`.
pub(super) fn new_recovery_code() -> String {
    readable(&random::<12>())
}

/// Letters and digits in groups of four, five bits of each byte.
pub(crate) fn readable(bytes: &[u8]) -> String {
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte & 31)]);
    let groups: Vec<String> = bytes.chunks(4).map(|group| group.iter().map(letter).collect()).collect();
    groups.join("-")
}

/// What somebody typed of a readable code, as it was made: case, spaces and hyphens do not matter.
pub(crate) fn as_made(code: &str) -> String {
    code.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What is stored of a person's recovery code: bound to the person, so that the same code of two people is not the same hash.
pub(super) fn hash_of(person: PersonId, code: &str) -> Vec<u8> {
    token_hash(&format!("recovery code of {person}: {}", as_made(code)))
}

/// Percent-encoded, but for what RFC 3986 calls unreserved.
fn escaped(text: &str) -> String {
    let escape = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1, the last six of its eight digits.
        let secret = b"12345678901234567890";
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")] {
            let now = Timestamp(seconds * 1_000_000);
            assert_eq!(step_of(secret, &Secret::from(code.to_owned()), now), Some(seconds / 30), "{code}");
        }
    }

    #[test]
    fn a_code_is_good_for_one_step_of_grace_either_way() {
        let secret = b"12345678901234567890";
        let code = Secret::from("081804".to_owned());
        let at = |seconds: i64| step_of(secret, &code, Timestamp(seconds * 1_000_000));
        let step = 1_111_111_109 / 30;
        for (offset, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            assert_eq!(at((step + offset) * 30).is_some(), good, "{offset}");
        }
    }

    #[test]
    fn what_is_no_code_is_no_code() {
        for text in ["", "12345", "1234567", "12345a", "１２３４５６", "-12345", "+12345"] {
            assert_eq!(step_of(b"12345678901234567890", &Secret::from(text.to_owned()), Timestamp(0)), None, "{text}");
        }
    }

    #[test]
    fn a_recovery_code_may_be_typed_as_people_type() {
        let code = new_recovery_code();
        assert_eq!(code.len(), 14);
        let person = PersonId::new(Timestamp(0));
        let typed = code.to_uppercase().replace('-', " ");
        assert_eq!(hash_of(person, &code), hash_of(person, &typed));
        assert_ne!(hash_of(person, &code), hash_of(PersonId::new(Timestamp(0)), &code));
    }

    #[test]
    fn the_address_of_a_secret_is_escaped() {
        let begun = begun(b"12345678901234567890", "a+b@c.example").expect("made");
        assert!(
            begun
                .uri
                .starts_with("otpauth://totp/Tenantry:a%2Bb%40c.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tenantry")
        );
        assert!(begun.qr_svg.contains("<svg"));
    }
}
