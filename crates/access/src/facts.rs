//! What a question is made of: who, through which grant, where, on which row. The resolver hands over stored rows as they
//! are; that they are about this person and this place is for the policies to check, not for the resolver to promise.
use uuid::Uuid;

use crate::catalogue::Act;
use crate::words::{AccessMode, Mask, Modules, ProviderState, RelationshipState, StaffRole, TenantRole, TenantState, Tier};

/// One human identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Person {
    /// Its id.
    pub id: Uuid,
    /// Whether it may sign in.
    pub enabled: bool,
}

/// What the rule looks at in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TenantFacts {
    /// Its id.
    pub id: Uuid,
    /// Where in its life it is.
    pub state: TenantState,
    /// The modules of its plan.
    pub modules: Modules,
    /// Its setting: provider staff at T1 may comment.
    pub t1_may_comment: bool,
    /// Its setting: provider staff may name admins, through an elevation for it.
    pub staff_may_name_admins: bool,
}

/// What the rule looks at in a provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProviderFacts {
    /// Its id.
    pub id: Uuid,
    /// Where in its life it is.
    pub state: ProviderState,
    /// Its setting: it may have sub-providers.
    pub sub_providers: bool,
    /// What its admins need to act in a tenant (with the tenant's override already applied).
    pub access_mode: AccessMode,
}

/// A person of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Staff {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub person: Uuid,
    /// Of which provider.
    pub provider: Uuid,
    /// As what.
    pub role: StaffRole,
    /// Whether it counts.
    pub enabled: bool,
}

/// A person of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Membership {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub person: Uuid,
    /// Of which tenant.
    pub tenant: Uuid,
    /// As what.
    pub role: TenantRole,
    /// Whether it counts.
    pub enabled: bool,
}

/// The contract between a provider and a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Relationship {
    /// Its id.
    pub id: Uuid,
    /// The provider.
    pub provider: Uuid,
    /// The tenant.
    pub tenant: Uuid,
    /// Effective tier: the minimum along the provider chain.
    pub tier: Tier,
    /// Where in its life it is.
    pub state: RelationshipState,
    /// When it ends, in microseconds since the epoch. At that instant it is over.
    pub ends_at: Option<i64>,
    /// The relationships of the providers above are live too.
    pub chain_live: bool,
}

/// What one person may do for a provider on one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Assignment {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub person: Uuid,
    /// For which provider.
    pub provider: Uuid,
    /// On which tenant.
    pub tenant: Uuid,
    /// Up to which tier; the relationship's counts too.
    pub tier: Tier,
    /// Which operations.
    pub mask: Mask,
    /// Which modules. `NONE` is none: every module is closed.
    pub modules: Modules,
    /// From when, in microseconds since the epoch.
    pub starts_at: i64,
    /// Until when. At that instant it is over.
    pub ends_at: Option<i64>,
}

/// More than a person has, for a while, with somebody else's approval.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Elevation {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub person: Uuid,
    /// For which provider.
    pub provider: Uuid,
    /// On which tenant.
    pub tenant: Uuid,
    /// Up to which tier. T0: only the actions it names.
    pub tier: Tier,
    /// Actions it names.
    pub actions: Vec<Act>,
    /// In which modules.
    pub modules: Modules,
    /// From when, in microseconds since the epoch.
    pub starts_at: i64,
    /// Until when. At that instant it is over.
    pub ends_at: i64,
    /// Who approved it.
    pub approvers: Vec<Uuid>,
    /// One of them did so for the tenant: it may reach above the relationship's tier.
    pub by_tenant: bool,
    /// Given by the operator in an emergency: it passes a freeze.
    pub break_glass: bool,
}

/// What a request that comes with an API key may do at most: a part of what the person may who made the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Its id.
    pub id: Uuid,
    /// Who made it.
    pub person: Uuid,
    /// Where it works.
    pub place: KeyPlace,
    /// What it names.
    pub actions: Vec<Act>,
    /// Until when, in microseconds since the epoch. At that instant it is over.
    pub ends_at: i64,
}

/// Where an API key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPlace {
    /// In this tenant.
    Tenant(Uuid),
    /// At this provider, and in its tenants as far as its staff reach.
    Provider(Uuid),
}

/// One grant, evaluated whole (product.md §2.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "there are one or two of these per question, and most are the large one")]
pub enum Grant {
    /// Not signed in.
    Nobody,
    /// Signed in, with nothing but oneself.
    SelfOnly,
    /// A member in its tenant.
    Membership(Membership),
    /// Staff at their own provider.
    Staff {
        /// The stored row.
        staff: Staff,
        /// The provider it is of.
        provider: ProviderFacts,
    },
    /// Staff of a provider, towards a tenant.
    Reach {
        /// The stored row.
        staff: Staff,
        /// The provider it is of.
        provider: ProviderFacts,
        /// The provider's relationship with the tenant.
        relationship: Relationship,
        /// The person's assignment on the tenant, if there is one, live or not.
        assignment: Option<Assignment>,
        /// One of the person's elevations on the tenant, if there is one, running or not.
        elevation: Option<Elevation>,
        /// The tenant removed this person from the staff who may reach it.
        barred: bool,
    },
}

/// Where it is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The installation, from outside.
    Public,
    /// This person's own things.
    Own(Uuid),
    /// This provider.
    Provider(ProviderFacts),
    /// This tenant.
    Tenant(TenantFacts),
}

/// The row acted on, where a rule depends on it. [`Subject::Any`] asks about the action as such: the protections of single
/// rows are silent then, so whoever changes a protected row must ask again with the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// No particular row.
    Any,
    /// A member, as stored before the change; for an invitation: as it would be.
    Member {
        /// Its role.
        role: TenantRole,
        /// It is the tenant's last enabled admin.
        last_admin: bool,
    },
    /// A staff row, as stored before the change.
    Staff {
        /// Its role.
        role: StaffRole,
        /// It is the provider's last enabled admin.
        last_admin: bool,
        /// It is the asking person's own.
        is_self: bool,
    },
    /// An assignment.
    Assignment {
        /// It is the asking person's own.
        person_is_self: bool,
    },
    /// A request that is decided on.
    Request {
        /// The asking person made it.
        is_self: bool,
    },
}

/// May this person, through this grant, do this here, now?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What.
    pub act: Act,
    /// Who; `None`: not signed in.
    pub person: Option<&'a Person>,
    /// Through what.
    pub grant: &'a Grant,
    /// The API key it comes with, if it does.
    pub key: Option<&'a Key>,
    /// Where.
    pub place: &'a Place,
    /// On which row.
    pub subject: Subject,
    /// When, in microseconds since the epoch.
    pub now: i64,
    /// The person has given a second factor a short while ago.
    pub step_up: bool,
}
