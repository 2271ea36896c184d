//! The cast: two providers (one with a sub-provider), their tenants, and a person for every right there is.
//!
//! | who | what they are |
//! |---|---|
//! | `priya` | provider admin of Northwind IT |
//! | `t0` `t1` `t2` `t3` | technicians of Northwind with an assignment of that tier on Acme (and Sable, Frost), full mask, all modules |
//! | `tech_none` | technician of Northwind without any assignment |
//! | `tech_expired` | technician of Northwind whose T3 assignment on Acme is over |
//! | `tech_view` | technician of Northwind with T3 on Acme but a mask of view only |
//! | `harriet` | provider admin of Harbor, sub-provider of Northwind; its tenant is Birch |
//! | `carla` | provider admin of Contoso, another MSP; its tenant is Zeta |
//! | `admin` `operator` `auditor` `viewer` | members of Acme |
//! | `other_admin` | admin of Zeta |
//! | `disabled` | admin of Acme whose membership is disabled |
//!
//! Acme: T3, plan Complete. Sable: suspended. Frost: its relationship is frozen. Plain: a plan without the compliance module.

use access::{Mask, Module, Modules};
use kernel::clock::DAY_US;
use kernel::store::Value;
use kernel::{Hub, PersonId, ProviderId, TenantId, WriteTx, params, scope};
use uuid::Uuid;

use crate::START;

/// Slug of the MSP.
pub const NORTHWIND: &str = "northwind";
/// Slug of its sub-provider.
pub const HARBOR: &str = "harbor";
/// Slug of another MSP.
pub const CONTOSO: &str = "contoso";
/// Slug of a tenant of Northwind, T3.
pub const ACME: &str = "acme";
/// Slug of a suspended tenant of Northwind.
pub const SABLE: &str = "sable";
/// Slug of a tenant of Northwind whose relationship is frozen.
pub const FROST: &str = "frost";
/// Slug of a tenant of Northwind whose plan lacks compliance.
pub const PLAIN: &str = "plain";
/// Slug of Harbor's tenant.
pub const BIRCH: &str = "birch";
/// Slug of Contoso's tenant.
pub const ZETA: &str = "zeta";

const PEOPLE: &[&str] = &[
    "priya",
    "t0",
    "t1",
    "t2",
    "t3",
    "tech_none",
    "tech_expired",
    "tech_view",
    "harriet",
    "carla",
    "admin",
    "operator",
    "auditor",
    "viewer",
    "other_admin",
    "disabled",
];

/// A name's id, the same in every test.
fn id_of(kind: &str, name: &str) -> Uuid {
    let hash =
        name.bytes().chain(kind.bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut bytes = [0_u8; 16];
    bytes[..6].copy_from_slice(&(START.0.unsigned_abs() / 1_000).to_be_bytes()[2..]);
    bytes[6] = 0x70;
    bytes[8..].copy_from_slice(&hash.to_be_bytes());
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    Uuid::from_bytes(bytes)
}

/// Id of a member of the cast.
pub fn person(name: &str) -> PersonId {
    PersonId::from_uuid(id_of("person", name))
}

/// Id of a tenant of the cast, by slug.
pub fn tenant(slug: &str) -> TenantId {
    TenantId::from_uuid(id_of("tenant", slug))
}

fn provider(slug: &str) -> ProviderId {
    ProviderId::from_uuid(id_of("provider", slug))
}

/// The session token of a member of the cast.
pub fn token(name: &str) -> String {
    format!("token-of-{name}")
}

type Tx = WriteTx<scope::Public>;

/// Lets the cast enter an empty hub.
pub(crate) async fn enter(hub: &Hub) {
    let mut keys = Vec::new();
    for slug in [ACME, SABLE, FROST, PLAIN, BIRCH, ZETA] {
        keys.push(hub.create_tenant_store(tenant(slug)).await.expect("a tenant's store"));
    }
    let mut keys = keys.into_iter();
    let mut tx = hub.system_write("test.cast", "the cast enters").await.expect("a write");
    for (slug, parent, name) in
        [(NORTHWIND, None, "Northwind IT"), (HARBOR, Some(NORTHWIND), "Harbor Services"), (CONTOSO, None, "Contoso Managed")]
    {
        let tenants_max = (slug == NORTHWIND).then_some(50_i64);
        run(
            &mut tx,
            "INSERT INTO provider (id, parent_id, slug, name, state, sub_providers, tenants_max, created_at)
             VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?6, ?7)",
            params![provider(slug), parent.map(provider), slug, name, slug == NORTHWIND, tenants_max, START],
        )
        .await;
        for (plan, modules, seats) in
            [("Complete", Modules::ALL, None), ("Basic", modules_of(&[Module::Discovery, Module::Finops]), Some(3_i64))]
        {
            run(
                &mut tx,
                "INSERT INTO plan (id, provider_id, name, modules, seats_max, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![id_of("plan", &format!("{slug}/{plan}")), provider(slug), plan, i64::from(modules.bits()), seats, START],
            )
            .await;
            run(
                &mut tx,
                "INSERT INTO plan_version (plan_id, number, name, modules, seats_max, created_at) VALUES (?1, 1, ?2, ?3, ?4, ?5)",
                params![id_of("plan", &format!("{slug}/{plan}")), plan, i64::from(modules.bits()), seats, START],
            )
            .await;
        }
    }
    for name in PEOPLE {
        enter_person(&mut tx, name).await;
    }
    for (slug, name, holder, state, plan) in [
        (ACME, "Acme Dental Group", NORTHWIND, "active", "Complete"),
        (SABLE, "Sable Shipping", NORTHWIND, "suspended", "Complete"),
        (FROST, "Frost Foods", NORTHWIND, "active", "Complete"),
        (PLAIN, "Plain Paper Co", NORTHWIND, "active", "Basic"),
        (BIRCH, "Birch & Sons", HARBOR, "active", "Complete"),
        (ZETA, "Zeta Labs", CONTOSO, "active", "Complete"),
    ] {
        run(
            &mut tx,
            "INSERT INTO tenant (id, provider_id, slug, name, industry, state, plan_id, wrapped_key, created_at)
             VALUES (?1, ?2, ?3, ?4, 'Testing', ?5, ?6, ?7, ?8)",
            params![
                tenant(slug),
                provider(holder),
                slug,
                name,
                state,
                id_of("plan", &format!("{holder}/{plan}")),
                keys.next().expect("a key for each"),
                START
            ],
        )
        .await;
    }
    for (holder, slug, tier, state) in [
        (NORTHWIND, ACME, 3, "active"),
        (NORTHWIND, SABLE, 3, "active"),
        (NORTHWIND, FROST, 3, "frozen"),
        (NORTHWIND, PLAIN, 3, "active"),
        (NORTHWIND, BIRCH, 2, "active"),
        (HARBOR, BIRCH, 3, "active"),
        (CONTOSO, ZETA, 3, "active"),
    ] {
        run(
            &mut tx,
            "INSERT INTO relationship (id, provider_id, tenant_id, tier, state, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![id_of("relationship", &format!("{holder}/{slug}")), provider(holder), tenant(slug), tier, state, START],
        )
        .await;
    }
    enter_staff(&mut tx).await;
    enter_members(&mut tx).await;
    tx.commit().await.expect("the cast is in");
}

async fn enter_person(tx: &mut Tx, name: &str) {
    run(
        tx,
        "INSERT INTO person (id, email, name, state, password_hash, created_at) VALUES (?1, ?2, ?3, 'active', 'none', ?4)",
        params![person(name), format!("{name}@cast.example"), name, START],
    )
    .await;
    run(
        tx,
        "INSERT INTO session (id, token_hash, person_id, state, created_at, last_seen_at, idle_expires_at, expires_at, address, user_agent)
         VALUES (?1, ?2, ?3, 'full', ?4, ?4, ?5, ?5, '', 'testkit')",
        params![
            id_of("session", name),
            kernel::secrets::token_hash(&token(name)),
            person(name),
            START,
            START.plus_days(10_000)
        ],
    )
    .await;
}

async fn enter_staff(tx: &mut Tx) {
    for (name, holder, role) in [
        ("priya", NORTHWIND, "provider_admin"),
        ("t0", NORTHWIND, "technician"),
        ("t1", NORTHWIND, "technician"),
        ("t2", NORTHWIND, "technician"),
        ("t3", NORTHWIND, "technician"),
        ("tech_none", NORTHWIND, "technician"),
        ("tech_expired", NORTHWIND, "technician"),
        ("tech_view", NORTHWIND, "technician"),
        ("harriet", HARBOR, "provider_admin"),
        ("carla", CONTOSO, "provider_admin"),
    ] {
        run(
            tx,
            "INSERT INTO staff (id, provider_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5)",
            params![id_of("staff", name), provider(holder), person(name), role, START],
        )
        .await;
    }
    for (name, slug, tier, mask, ends_at) in [
        ("t0", ACME, 0, Mask::ALL, None),
        ("t1", ACME, 1, Mask::ALL, None),
        ("t2", ACME, 2, Mask::ALL, None),
        ("t3", ACME, 3, Mask::ALL, None),
        ("t3", SABLE, 3, Mask::ALL, None),
        ("t3", FROST, 3, Mask::ALL, None),
        ("t3", PLAIN, 3, Mask::ALL, None),
        ("tech_expired", ACME, 3, Mask::ALL, Some(START.0 - DAY_US)),
        ("tech_view", ACME, 3, Mask::VIEW, None),
    ] {
        run(
            tx,
            "INSERT INTO assignment (id, provider_id, tenant_id, person_id, tier, mask, modules, starts_at, ends_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8)",
            params![
                id_of("assignment", &format!("{name}/{slug}")),
                provider(NORTHWIND),
                tenant(slug),
                person(name),
                tier,
                i64::from(mask.bits()),
                i64::from(Modules::ALL.bits()),
                START.plus_days(-30),
                ends_at,
            ],
        )
        .await;
    }
}

async fn enter_members(tx: &mut Tx) {
    for (name, slug, role, state) in [
        ("admin", ACME, "admin", "active"),
        ("operator", ACME, "operator", "active"),
        ("auditor", ACME, "auditor", "active"),
        ("viewer", ACME, "viewer", "active"),
        ("disabled", ACME, "admin", "disabled"),
        ("other_admin", ZETA, "admin", "active"),
    ] {
        run(
            tx,
            "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![id_of("member", name), tenant(slug), person(name), role, state, START],
        )
        .await;
    }
}

fn modules_of(list: &[Module]) -> Modules {
    let mut modules = Modules::NONE;
    for module in list {
        modules.insert(*module);
    }
    modules
}

async fn run(tx: &mut Tx, sql: &str, params: &[Value]) {
    tx.execute(sql, params).await.expect("a row of the cast");
}
