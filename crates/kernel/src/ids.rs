//! Identities and chance. An id is a UUIDv7 (RFC 9562) that knows what it names; as text it carries a prefix, `fnd_0199…`.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::clock::Timestamp;

/// A kind of thing that has ids: its prefix in text, and how an error calls it.
pub trait Kind: Send + Sync + 'static {
    /// Three letters before the underscore.
    const PREFIX: &'static str;
}

/// The id of one thing of kind `K`. 16 bytes, ordered by time of birth.
pub struct Id<K: Kind>(Uuid, std::marker::PhantomData<fn() -> K>);

impl<K: Kind> Id<K> {
    /// A new id, born at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self::from_uuid(uuid_at(now))
    }

    /// The id that these bytes are.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, std::marker::PhantomData)
    }

    /// Its bytes.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<K: Kind> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: Kind> Copy for Id<K> {}
impl<K: Kind> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K: Kind> Eq for Id<K> {}
impl<K: Kind> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: Kind> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K: Kind> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.0.simple())
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an id of this kind.
#[derive(Debug, thiserror::Error)]
#[error("expected an id like {0}_01…")]
pub struct NotAnId(&'static str);

impl<K: Kind> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        text.strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .filter(|hex| hex.len() == 32)
            .and_then(|hex| Uuid::try_parse(hex).ok())
            .map(Self::from_uuid)
            .ok_or(NotAnId(K::PREFIX))
    }
}
impl<K: Kind> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: Kind> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
impl<K: Kind> utoipa::PartialSchema for Id<K> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^{}_[0-9a-f]{{32}}$", K::PREFIX))).into()
    }
}
impl<K: Kind> utoipa::ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("Id_{}", K::PREFIX).into()
    }
}

/// Declares kinds of ids: `kinds! { /// doc\n Finding FindingId "fnd" }`.
#[macro_export]
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $id:ident $prefix:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $kind {}
        impl $crate::ids::Kind for $kind { const PREFIX: &'static str = $prefix; }
        $(#[$doc])*
        pub type $id = $crate::ids::Id<$kind>;
    )* };
}

kinds! {
    /// A client organisation: the isolation boundary.
    Tenant TenantId "ten";
    /// An MSP organisation.
    Provider ProviderId "prv";
    /// One human identity.
    Person PersonId "per";
    /// A signed-in browser or script.
    Session SessionId "ses";
    /// One entry of a ledger.
    Entry EntryId "led";
    /// A key for programs.
    ApiKey ApiKeyId "key";
    /// One request to the API; also the id in its response, its log lines and its ledger entries.
    Request RequestId "req";
}

/// A UUIDv7 whose time part is `now`: 48 bits of milliseconds, 12 bits of the microseconds within, 62 random bits.
pub fn uuid_at(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.0.max(0) / 1_000).unwrap_or(0);
    let mut bytes = [0_u8; 16];
    fill_random(&mut bytes);
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    let fraction = u16::try_from((now.0.max(0) % 1_000) * 4096 / 1_000).unwrap_or(0);
    bytes[6] = 0x70 | (fraction >> 8) as u8;
    bytes[7] = (fraction & 0xff) as u8;
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    Uuid::from_bytes(bytes)
}

/// `N` bytes from the operating system's random number generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}

fn fill_random(bytes: &mut [u8]) {
    #[expect(clippy::disallowed_methods, reason = "the one place that takes random bytes")]
    getrandom::fill(bytes).expect("the operating system gives random bytes; without them nothing here is safe to run");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = TenantId::new(Timestamp(1_795_229_269_123_456));
        assert_eq!(id, id.to_string().parse().expect("own text parses"));
        assert!("per_".parse::<TenantId>().is_err());
        assert!(id.to_string().replace("ten_", "per_").parse::<TenantId>().is_err());
        assert_eq!(id.uuid().get_version_num(), 7);
    }

    #[test]
    fn ids_are_ordered_by_time() {
        let ids: Vec<_> = (0..1000).map(|n| TenantId::new(Timestamp(1_795_229_269_000_000 + n))).collect();
        assert!(ids.windows(2).all(|pair| pair[0].uuid().as_bytes()[..7] <= pair[1].uuid().as_bytes()[..7]));
    }
}
