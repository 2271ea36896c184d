//! The closed lists of words of the access rule. Each knows its one spelling; anything else is an [`UnknownWord`].
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A word that is not in its list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is no {what}")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
}

impl UnknownWord {
    pub(crate) fn new(what: &'static str, word: &str) -> Self {
        Self { what, word: word.chars().take(64).collect() }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The one spelling, as stored and sent.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, Type};
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some([$($word),+])).into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord::new($what, word)) }
            }
        }
    };
}

words! {
    /// How far a relationship or an assignment reaches.
    Tier "tier" {
        /// Summaries only.
        T0 = "T0",
        /// Monitor: read everything the modules show, change nothing.
        T1 = "T1",
        /// Operate.
        T2 = "T2",
        /// Manage.
        T3 = "T3",
    }
}

impl Tier {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Tier::T0 => "Summary",
            Tier::T1 => "Monitor",
            Tier::T2 => "Operate",
            Tier::T3 => "Manage",
        }
    }

    /// As stored.
    pub fn as_i64(self) -> i64 {
        self as i64
    }

    /// From what is stored; `None` outside 0 to 3.
    pub fn from_i64(tier: i64) -> Option<Self> {
        usize::try_from(tier).ok().and_then(|i| Self::ALL.get(i)).copied()
    }
}

words! {
    /// What a member is in its tenant.
    TenantRole "tenant role" {
        /// All of its tenant.
        Admin = "admin",
        /// Uses and changes modules; no members, no settings.
        Operator = "operator",
        /// Reads all; overrides, comments, assigns.
        Auditor = "auditor",
        /// Reads compliance and dashboards.
        Viewer = "viewer",
    }
}

words! {
    /// What a staff person is at a provider.
    StaffRole "staff role" {
        /// Runs the provider.
        ProviderAdmin = "provider_admin",
        /// Works on the tenants assigned.
        Technician = "technician",
    }
}

words! {
    /// What a plan may include.
    Module "module" {
        /// Resources and cloud accounts.
        Discovery = "discovery",
        /// Costs and budgets.
        Finops = "finops",
        /// Policies.
        Governance = "governance",
        /// Security operations.
        Secops = "secops",
        /// Automations, agents, vault.
        Orchestration = "orchestration",
        /// Metrics and dashboards.
        Observability = "observability",
        /// Scans, controls, findings, overrides.
        Compliance = "compliance",
        /// Groups, directory, sign-in.
        Identity = "identity",
    }
}

impl Module {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Module::Discovery => "Discovery",
            Module::Finops => "FinOps",
            Module::Governance => "Governance",
            Module::Secops => "SecOps",
            Module::Orchestration => "Orchestration",
            Module::Observability => "Observability",
            Module::Compliance => "Compliance",
            Module::Identity => "Identity",
        }
    }
}

words! {
    /// The life of a tenant.
    TenantState "tenant state" {
        /// In use.
        Active = "active",
        /// Stopped, readable where the catalogue says so.
        Suspended = "suspended",
        /// Closed, its data kept.
        Archived = "archived",
        /// Gone.
        Purged = "purged",
    }
}

words! {
    /// The life of a provider.
    ProviderState "provider state" {
        /// In use.
        Active = "active",
        /// Stopped: its staff see that it is, and nothing else.
        Suspended = "suspended",
    }
}

words! {
    /// The life of a relationship.
    RelationshipState "relationship state" {
        /// Asked for; the tenant has not answered.
        Requested = "requested",
        /// Live.
        Active = "active",
        /// Live, near its end.
        Expiring = "expiring",
        /// Over by time.
        Expired = "expired",
        /// All provider access to the tenant's inside is stopped.
        Frozen = "frozen",
        /// Over.
        Ended = "ended",
    }
}

words! {
    /// What provider admins need besides the relationship.
    AccessMode "access mode" {
        /// Nothing: they act up to its tier.
        Tiered = "tiered",
        /// An assignment, as technicians do.
        Explicit = "explicit",
    }
}

/// A set of modules. Empty means none, never all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Modules(u16);

impl Modules {
    /// Every module there is.
    pub const ALL: Self = Self((1 << Module::ALL.len()) - 1);
    /// None.
    pub const NONE: Self = Self(0);

    /// Whether the module is in the set.
    pub fn contains(self, module: Module) -> bool {
        self.0 & (1 << module as u16) != 0
    }

    /// Adds a module.
    pub fn insert(&mut self, module: Module) {
        self.0 |= 1 << module as u16;
    }

    /// Whether nothing is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// One bit per module, in the order of [`Module::ALL`].
    pub fn bits(self) -> u16 {
        self.0
    }

    /// From stored bits; bits that mean no module are dropped.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// The modules in the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Module> {
        Module::ALL.iter().copied().filter(move |m| self.contains(*m))
    }

    /// From names, as sent.
    pub fn from_names<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Result<Self, UnknownWord> {
        names.into_iter().map(|name| name.as_ref().trim().parse::<Module>()).collect()
    }

    /// The names, as sent.
    pub fn names(self) -> Vec<String> {
        self.iter().map(|m| m.as_str().to_owned()).collect()
    }
}

impl FromIterator<Module> for Modules {
    fn from_iter<I: IntoIterator<Item = Module>>(modules: I) -> Self {
        let mut set = Self::NONE;
        modules.into_iter().for_each(|m| set.insert(m));
        set
    }
}

impl FromStr for Modules {
    type Err = UnknownWord;
    /// A comma list; the empty text is the empty set.
    fn from_str(list: &str) -> Result<Self, UnknownWord> {
        if list.trim().is_empty() { Ok(Self::NONE) } else { Self::from_names(list.split(',')) }
    }
}

impl fmt::Display for Modules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.names().join(","))
    }
}

impl TryFrom<Vec<String>> for Modules {
    type Error = UnknownWord;
    fn try_from(names: Vec<String>) -> Result<Self, UnknownWord> {
        Self::from_names(names)
    }
}

impl utoipa::PartialSchema for Modules {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ArrayBuilder::new().items(Module::schema()).into()
    }
}

impl utoipa::ToSchema for Modules {}

impl Serialize for Modules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Modules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Module>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// The operations an assignment includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// Look. Needed for summaries too.
    pub view: bool,
    /// Add.
    pub create: bool,
    /// Change.
    pub update: bool,
    /// Remove.
    pub delete: bool,
}

impl Mask {
    /// Everything.
    pub const ALL: Self = Self { view: true, create: true, update: true, delete: true };
    /// Look only.
    pub const VIEW: Self = Self { view: true, create: false, update: false, delete: false };
    /// Nothing.
    pub const NONE: Self = Self { view: false, create: false, update: false, delete: false };

    /// As stored: view 1, create 2, update 4, delete 8.
    pub fn bits(self) -> u8 {
        u8::from(self.view) | u8::from(self.create) << 1 | u8::from(self.update) << 2 | u8::from(self.delete) << 3
    }

    /// From what is stored; other bits are dropped.
    pub fn from_bits(bits: u8) -> Self {
        Self { view: bits & 1 != 0, create: bits & 2 != 0, update: bits & 4 != 0, delete: bits & 8 != 0 }
    }
}
