//! The cast of the tests, the one engine, and a stream of random questions.
#![allow(dead_code, clippy::unwrap_used)]

pub mod pinned;
pub mod rule;

use std::sync::LazyLock;

use access::{
    AccessMode, Act, Assignment, Elevation, Engine, Grant, Key, KeyPlace, Mask, Membership, Modules, Person, Place, Plane,
    ProviderFacts, ProviderState, Question, Relationship, RelationshipState, Staff, StaffRole, Subject, TenantFacts, TenantRole,
    TenantState, Tier, Verdict,
};
use uuid::Uuid;

pub static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().unwrap());

pub const NOW: i64 = 100;
pub const ME: Uuid = Uuid::from_u128(0x11);
pub const SOMEBODY: Uuid = Uuid::from_u128(0x12);
pub const PROVIDER: Uuid = Uuid::from_u128(0x21);
pub const OTHER_PROVIDER: Uuid = Uuid::from_u128(0x22);
pub const TENANT: Uuid = Uuid::from_u128(0x31);
pub const OTHER_TENANT: Uuid = Uuid::from_u128(0x32);

/// A question that owns what it is made of.
#[derive(Clone, Debug)]
pub struct Ask {
    pub act: Act,
    pub person: Option<Person>,
    pub grant: Grant,
    pub key: Option<Key>,
    pub place: Place,
    pub subject: Subject,
    pub now: i64,
    pub step_up: bool,
}

impl Ask {
    /// Me, through this grant, where the action is done, with everything in order.
    pub fn new(act: Act, grant: Grant) -> Self {
        Self { act, person: Some(me()), grant, key: None, place: place_of(act), subject: Subject::Any, now: NOW, step_up: true }
    }

    pub fn question(&self) -> Question<'_> {
        let Self { act, person, grant, key, place, subject, now, step_up } = self;
        let key = key.as_ref();
        Question { act: *act, person: person.as_ref(), grant, key, place, subject: *subject, now: *now, step_up: *step_up }
    }

    pub fn verdict(&self) -> Verdict {
        ENGINE.decide(&self.question())
    }

    pub fn allowed(&self) -> bool {
        self.verdict().allowed
    }

    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        self.subject = subject;
        self
    }

    #[must_use]
    pub fn at(mut self, now: i64) -> Self {
        self.now = now;
        self
    }

    #[must_use]
    pub fn tenant(mut self, change: impl FnOnce(&mut TenantFacts)) -> Self {
        let Place::Tenant(tenant) = &mut self.place else { panic!("{} is not done in a tenant", self.act) };
        change(tenant);
        self
    }

    #[must_use]
    pub fn provider(mut self, change: impl FnOnce(&mut ProviderFacts)) -> Self {
        let Place::Provider(provider) = &mut self.place else { panic!("{} is not done at a provider", self.act) };
        change(provider);
        self
    }

    #[must_use]
    pub fn person(mut self, change: impl FnOnce(&mut Person)) -> Self {
        change(self.person.as_mut().unwrap());
        self
    }

    #[must_use]
    pub fn staff(mut self, change: impl FnOnce(&mut Staff)) -> Self {
        let (Grant::Staff { staff, .. } | Grant::Reach { staff, .. }) = &mut self.grant else { panic!("no staff here") };
        change(staff);
        self
    }

    #[must_use]
    pub fn staff_provider(mut self, change: impl FnOnce(&mut ProviderFacts)) -> Self {
        let (Grant::Staff { provider, .. } | Grant::Reach { provider, .. }) = &mut self.grant else { panic!("no staff here") };
        change(provider);
        self
    }

    #[must_use]
    pub fn relationship(mut self, change: impl FnOnce(&mut Relationship)) -> Self {
        let Grant::Reach { relationship, .. } = &mut self.grant else { panic!("no relationship here") };
        change(relationship);
        self
    }

    #[must_use]
    pub fn assignment(mut self, change: impl FnOnce(&mut Assignment)) -> Self {
        let Grant::Reach { assignment: Some(assignment), .. } = &mut self.grant else { panic!("no assignment here") };
        change(assignment);
        self
    }

    #[must_use]
    pub fn elevation(mut self, change: impl FnOnce(&mut Elevation)) -> Self {
        let Grant::Reach { elevation: Some(elevation), .. } = &mut self.grant else { panic!("no elevation here") };
        change(elevation);
        self
    }

    #[must_use]
    pub fn barred(mut self) -> Self {
        let Grant::Reach { barred, .. } = &mut self.grant else { panic!("no reach here") };
        *barred = true;
        self
    }

    /// Through an API key that names the action, here.
    #[must_use]
    pub fn by_key(mut self, change: impl FnOnce(&mut Key)) -> Self {
        let place = match (&self.place, &self.grant) {
            (Place::Provider(provider), _) => KeyPlace::Provider(provider.id),
            (_, Grant::Reach { staff, .. }) => KeyPlace::Provider(staff.provider),
            _ => KeyPlace::Tenant(TENANT),
        };
        let mut key = Key { id: Uuid::from_u128(0x51), person: ME, place, actions: vec![self.act], ends_at: NOW + 50 };
        change(&mut key);
        self.key = Some(key);
        self
    }

    #[must_use]
    pub fn without_step_up(mut self) -> Self {
        self.step_up = false;
        self
    }

    #[must_use]
    pub fn membership(mut self, change: impl FnOnce(&mut Membership)) -> Self {
        let Grant::Membership(membership) = &mut self.grant else { panic!("no membership here") };
        change(membership);
        self
    }
}

pub fn me() -> Person {
    Person { id: ME, enabled: true }
}

pub fn tenant() -> TenantFacts {
    TenantFacts {
        id: TENANT,
        state: TenantState::Active,
        modules: Modules::ALL,
        t1_may_comment: false,
        staff_may_name_admins: false,
    }
}

pub fn provider() -> ProviderFacts {
    ProviderFacts { id: PROVIDER, state: ProviderState::Active, sub_providers: false, access_mode: AccessMode::Tiered }
}

pub fn place_of(act: Act) -> Place {
    match act.info().plane {
        Plane::Data | Plane::Records | Plane::Client => Place::Tenant(tenant()),
        Plane::Provider => Place::Provider(provider()),
        Plane::Own => Place::Own(ME),
        Plane::Public => Place::Public,
    }
}

pub fn member(role: TenantRole) -> Grant {
    Grant::Membership(Membership { id: Uuid::from_u128(0x41), person: ME, tenant: TENANT, role, enabled: true })
}

fn staff_row(role: StaffRole) -> Staff {
    Staff { id: Uuid::from_u128(0x42), person: ME, provider: PROVIDER, role, enabled: true }
}

pub fn staff(role: StaffRole) -> Grant {
    Grant::Staff { staff: staff_row(role), provider: provider() }
}

fn relationship(tier: Tier) -> Relationship {
    Relationship {
        id: Uuid::from_u128(0x43),
        provider: PROVIDER,
        tenant: TENANT,
        tier,
        state: RelationshipState::Active,
        ends_at: None,
        chain_live: true,
    }
}

/// An assignment that takes nothing away.
fn full_assignment(tier: Tier) -> Assignment {
    Assignment {
        id: Uuid::from_u128(0x44),
        person: ME,
        provider: PROVIDER,
        tenant: TENANT,
        tier,
        mask: Mask::ALL,
        modules: Modules::ALL,
        starts_at: 0,
        ends_at: None,
    }
}

/// A provider admin without an assignment.
pub fn provider_admin(tier: Tier) -> Grant {
    Grant::Reach {
        staff: staff_row(StaffRole::ProviderAdmin),
        provider: provider(),
        relationship: relationship(tier),
        assignment: None,
        elevation: None,
        barred: false,
    }
}

/// An elevation to this tier that the provider approved and that takes nothing away.
pub fn full_elevation(tier: Tier) -> Elevation {
    Elevation {
        id: Uuid::from_u128(0x45),
        person: ME,
        provider: PROVIDER,
        tenant: TENANT,
        tier,
        actions: Vec::new(),
        modules: Modules::ALL,
        starts_at: NOW - 10,
        ends_at: NOW + 10,
        approvers: vec![SOMEBODY],
        by_tenant: false,
        break_glass: false,
    }
}

/// The same grant with an elevation beside it.
pub fn elevated(grant: Grant, with: Elevation) -> Grant {
    let Grant::Reach { staff, provider, relationship, assignment, barred, .. } = grant else { panic!("no reach here") };
    Grant::Reach { staff, provider, relationship, assignment, elevation: Some(with), barred }
}

/// A technician with an assignment that takes nothing away.
pub fn technician(tier: Tier) -> Grant {
    assigned(StaffRole::Technician, tier)
}

pub fn assigned(role: StaffRole, tier: Tier) -> Grant {
    Grant::Reach {
        staff: staff_row(role),
        provider: provider(),
        relationship: relationship(tier),
        assignment: Some(full_assignment(tier)),
        elevation: None,
        barred: false,
    }
}

pub fn explicit(grant: Grant) -> Grant {
    let Grant::Reach { staff, provider, relationship, assignment, elevation, barred } = grant else {
        panic!("no access mode here")
    };
    let provider = ProviderFacts { access_mode: AccessMode::Explicit, ..provider };
    Grant::Reach { staff, provider, relationship, assignment, elevation, barred }
}

/// SplitMix64: the same questions on every run.
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// The first, nearly always; else one of the rest.
    fn mostly<T: Copy>(&mut self, percent: usize, of: &[T]) -> T {
        if self.percent(percent) { of[0] } else { self.one(&of[1..]) }
    }

    fn instant(&mut self) -> i64 {
        self.one(&[NOW - 50, NOW - 1, NOW, NOW + 1, NOW + 50])
    }

    fn end(&mut self) -> Option<i64> {
        if self.percent(50) {
            None
        } else if self.percent(60) {
            Some(NOW + 50)
        } else {
            Some(self.instant())
        }
    }

    fn modules(&mut self) -> Modules {
        if self.percent(75) { Modules::ALL } else { Modules::from_bits(self.next() as u16) }
    }

    fn mask(&mut self) -> Mask {
        if self.percent(60) { Mask::ALL } else { Mask::from_bits(self.next() as u8) }
    }

    fn provider(&mut self) -> ProviderFacts {
        ProviderFacts {
            id: self.mostly(96, &[PROVIDER, OTHER_PROVIDER]),
            state: self.mostly(93, ProviderState::ALL),
            sub_providers: self.percent(50),
            access_mode: self.mostly(60, AccessMode::ALL),
        }
    }

    fn staff(&mut self) -> Staff {
        Staff {
            id: Uuid::from_u128(0x42),
            person: self.mostly(96, &[ME, SOMEBODY]),
            provider: self.mostly(96, &[PROVIDER, OTHER_PROVIDER]),
            role: self.one(StaffRole::ALL),
            enabled: self.percent(95),
        }
    }

    fn membership(&mut self) -> Membership {
        Membership {
            id: Uuid::from_u128(0x41),
            person: self.mostly(95, &[ME, SOMEBODY]),
            tenant: self.mostly(95, &[TENANT, OTHER_TENANT]),
            role: self.one(TenantRole::ALL),
            enabled: self.percent(93),
        }
    }

    fn relationship(&mut self) -> Relationship {
        use RelationshipState::{Active, Ended, Expired, Expiring, Frozen, Requested};
        Relationship {
            id: Uuid::from_u128(0x43),
            provider: self.mostly(96, &[PROVIDER, OTHER_PROVIDER]),
            tenant: self.mostly(96, &[TENANT, OTHER_TENANT]),
            tier: self.one(&[Tier::T0, Tier::T1, Tier::T2, Tier::T3, Tier::T3, Tier::T3]),
            state: self.mostly(75, &[Active, Requested, Expiring, Expired, Frozen, Ended]),
            ends_at: self.end(),
            chain_live: self.percent(95),
        }
    }

    fn assignment(&mut self) -> Assignment {
        Assignment {
            id: Uuid::from_u128(0x44),
            person: self.mostly(96, &[ME, SOMEBODY]),
            provider: self.mostly(96, &[PROVIDER, OTHER_PROVIDER]),
            tenant: self.mostly(96, &[TENANT, OTHER_TENANT]),
            tier: self.one(&[Tier::T0, Tier::T1, Tier::T2, Tier::T3, Tier::T3, Tier::T3]),
            mask: self.mask(),
            modules: self.modules(),
            starts_at: if self.percent(80) { 0 } else { self.instant() },
            ends_at: self.end(),
        }
    }

    fn grant(&mut self, plane: Plane) -> Grant {
        let plane = if self.percent(94) {
            plane
        } else {
            self.one(&[Plane::Data, Plane::Provider, Plane::Client, Plane::Own, Plane::Public])
        };
        let member = match plane {
            Plane::Data | Plane::Records => self.percent(35),
            Plane::Client => self.percent(5),
            Plane::Provider => return Grant::Staff { staff: self.staff(), provider: self.provider() },
            Plane::Own => return Grant::SelfOnly,
            Plane::Public => return Grant::Nobody,
        };
        if member {
            return Grant::Membership(self.membership());
        }
        let assignment = if self.percent(75) { Some(self.assignment()) } else { None };
        let elevation = if self.percent(40) { Some(self.elevation()) } else { None };
        Grant::Reach {
            staff: self.staff(),
            provider: self.provider(),
            relationship: self.relationship(),
            assignment,
            elevation,
            barred: self.percent(5),
        }
    }

    fn elevation(&mut self) -> Elevation {
        Elevation {
            id: Uuid::from_u128(0x45),
            person: self.mostly(96, &[ME, SOMEBODY]),
            provider: self.mostly(96, &[PROVIDER, OTHER_PROVIDER]),
            tenant: self.mostly(96, &[TENANT, OTHER_TENANT]),
            tier: self.one(Tier::ALL),
            actions: self.actions(),
            modules: self.modules(),
            starts_at: if self.percent(85) { 0 } else { self.instant() },
            ends_at: if self.percent(85) { NOW + 50 } else { self.instant() },
            approvers: self.mostly(90, &[&[SOMEBODY] as &[Uuid], &[ME], &[], &[SOMEBODY, ME]]).to_vec(),
            by_tenant: self.percent(40),
            break_glass: self.percent(20),
        }
    }

    /// A good part of the catalogue, with what rules are special about more often.
    fn actions(&mut self) -> Vec<Act> {
        let percent = self.one(&[0, 30, 60, 100]);
        let special = self.percent(50);
        Act::ALL.iter().copied().filter(|act| self.percent(percent) || (special && *act == Act::MemberGrantAdmin)).collect()
    }

    fn key(&mut self, place: &Place, grant: &Grant) -> Key {
        let here = match (place, grant) {
            (Place::Provider(provider), _) => KeyPlace::Provider(provider.id),
            (Place::Tenant(_), Grant::Reach { staff, .. }) if self.percent(70) => KeyPlace::Provider(staff.provider),
            _ => KeyPlace::Tenant(TENANT),
        };
        let elsewhere = [KeyPlace::Tenant(OTHER_TENANT), KeyPlace::Provider(OTHER_PROVIDER), KeyPlace::Provider(PROVIDER)];
        Key {
            id: Uuid::from_u128(0x51),
            person: self.mostly(95, &[ME, SOMEBODY]),
            place: if self.percent(85) { here } else { self.one(&elsewhere) },
            actions: if self.percent(70) { Act::ALL.to_vec() } else { self.actions() },
            ends_at: if self.percent(90) { NOW + 50 } else { self.instant() },
        }
    }

    fn place(&mut self, plane: Plane) -> Place {
        let plane = if self.percent(98) { plane } else { self.one(&[Plane::Data, Plane::Provider, Plane::Own, Plane::Public]) };
        match plane {
            Plane::Data | Plane::Records | Plane::Client => Place::Tenant(TenantFacts {
                id: self.mostly(97, &[TENANT, OTHER_TENANT]),
                state: self.mostly(75, TenantState::ALL),
                modules: self.modules(),
                t1_may_comment: self.percent(50),
                staff_may_name_admins: self.percent(50),
            }),
            Plane::Provider => Place::Provider(self.provider()),
            Plane::Own => Place::Own(self.mostly(90, &[ME, SOMEBODY])),
            Plane::Public => Place::Public,
        }
    }

    fn subject(&mut self, plane: Plane) -> Subject {
        if self.percent(40) {
            return Subject::Any;
        }
        let plane = if self.percent(92) { plane } else { self.one(&[Plane::Data, Plane::Provider]) };
        match plane {
            _ if self.percent(25) => Subject::Request { is_self: self.percent(40) },
            Plane::Provider if self.percent(30) => Subject::Assignment { person_is_self: self.percent(30) },
            Plane::Provider => {
                Subject::Staff { role: self.one(StaffRole::ALL), last_admin: self.percent(30), is_self: self.percent(30) }
            }
            _ => Subject::Member { role: self.one(TenantRole::ALL), last_admin: self.percent(30) },
        }
    }

    pub fn ask(&mut self) -> Ask {
        // Most rules are about what happens inside a tenant, most actions are not.
        let act = if self.percent(50) { self.one(Act::ALL) } else { self.one(&INSIDE) };
        let plane = act.info().plane;
        let person = Person { id: self.mostly(98, &[ME, SOMEBODY]), enabled: self.percent(95) };
        let (grant, place) = (self.grant(plane), self.place(plane));
        Ask {
            act,
            person: if self.percent(97) { Some(person) } else { None },
            key: if self.percent(20) { Some(self.key(&place, &grant)) } else { None },
            grant,
            place,
            subject: self.subject(plane),
            now: if self.percent(80) { NOW } else { self.instant() },
            step_up: self.percent(60),
        }
    }
}

static INSIDE: LazyLock<Vec<Act>> = LazyLock::new(|| Act::ALL.iter().copied().filter(|act| act.info().plane.is_inside()).collect());

pub fn asks(seed: u64, number: usize) -> impl Iterator<Item = Ask> {
    let mut dice = Dice(seed);
    (0..number).map(move |_| dice.ask())
}
