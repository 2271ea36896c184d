//! The action catalogue: `actions.tsv` as Rust. The enum, its table and the action types are made by `build.rs`.
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::words::{Module, StaffRole, TenantRole, Tier, UnknownWord};

/// Where an action takes place, and so which kind of grant reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plane {
    /// The tenant's own database.
    Data,
    /// Control records of one tenant: members, settings, its summary.
    Records,
    /// A provider's own records.
    Provider,
    /// A provider's records about one tenant of its own: lifecycle, relationship.
    Client,
    /// The signed-in person's own things.
    Own,
    /// Nobody needs to be signed in.
    Public,
}

impl Plane {
    /// Whether the action lies inside a tenant, where tiers, roles, masks and modules count.
    pub fn is_inside(self) -> bool {
        matches!(self, Plane::Data | Plane::Records)
    }
}

/// Whether an action opens a reader or a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// Opens a reader only.
    Read,
    /// Opens a writer, and leaves a ledger entry.
    Write,
}

/// The kind of operation: what an assignment's mask is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Look.
    View,
    /// Add.
    Create,
    /// Change.
    Update,
    /// Remove.
    Delete,
}

impl Op {
    /// As in the catalogue.
    pub fn as_str(self) -> &'static str {
        match self {
            Op::View => "view",
            Op::Create => "create",
            Op::Update => "update",
            Op::Delete => "delete",
        }
    }
}

/// The exceptions a line of the catalogue may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `sus`: also while the tenant is suspended.
    pub suspended: bool,
    /// `arch`: also while the tenant is archived.
    pub archived: bool,
    /// `t1s`: T1 too when the tenant's setting says so.
    pub tier1_by_setting: bool,
    /// `subs`: only when the provider may have sub-providers.
    pub sub_providers: bool,
    /// `step`: only with a fresh second factor.
    pub step_up: bool,
    /// `person`: never through an API key.
    pub person: bool,
    /// `chief`: of a provider's staff, provider admins only.
    pub chief: bool,
    /// `e3s`: an elevation may open it to T3, where the tenant's setting allows it.
    pub elevated_at_tier3: bool,
}

/// One line of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// The action.
    pub act: Act,
    /// Its name everywhere: Cedar action, ledger event, tracing span, OpenAPI operation id.
    pub name: &'static str,
    /// Where it takes place.
    pub plane: Plane,
    /// What it opens.
    pub door: Door,
    /// What kind of operation it is.
    pub op: Op,
    /// The lowest tier that reaches it; `None`: no tier does.
    pub tier: Option<Tier>,
    /// The tenant roles that include it.
    pub roles: &'static [TenantRole],
    /// The staff roles that include it, on the provider and client planes.
    pub staff: &'static [StaffRole],
    /// The module that must be in the tenant's plan.
    pub module: Option<Module>,
    /// Its exceptions.
    pub flags: Flags,
}

/// An action as a type. Sealed: only the catalogue makes them.
pub trait Action: sealed::Sealed + Send + Sync + 'static {
    /// The same action as a value.
    const ACT: Act;
    /// Where it takes place: one of [`plane`].
    type Plane;
    /// What it opens: one of [`door`].
    type Door;
}

mod sealed {
    pub trait Sealed {}
}

/// The planes as types, see [`Plane`].
pub mod plane {
    /// The tenant's own database.
    pub struct Data;
    /// Control records of one tenant.
    pub struct Records;
    /// A provider's own records.
    pub struct Provider;
    /// A provider's records about one tenant of its own.
    pub struct Client;
    /// The signed-in person's own things.
    pub struct Own;
    /// Nobody needs to be signed in.
    pub struct Public;
}

/// The doors as types, see [`Door`].
pub mod door {
    /// Opens a reader only.
    pub struct Read;
    /// Opens a writer.
    pub struct Write;
}

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

impl Act {
    /// The action's line in the catalogue.
    pub fn info(self) -> &'static Info {
        &CATALOGUE[self as usize]
    }

    /// The action's name: `finding.assign`.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Act> {
        CATALOGUE.iter().find(|info| info.name == name).map(|info| info.act)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Act {
    type Err = UnknownWord;
    fn from_str(name: &str) -> Result<Self, UnknownWord> {
        Act::from_name(name).ok_or_else(|| UnknownWord::new("action", name))
    }
}

impl Serialize for Act {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Act {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}
