//! Facts as Cedar values. The schema in `policies/head.cedarschema` is their description; the test
//! `the_short_way_answers_as_the_long_way` holds the two together, so that a decision needs no validation of its own.
use std::collections::HashSet;

use cedar_policy::{Context, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression as Value};
use uuid::Uuid;

use crate::catalogue::{Act, Plane};
use crate::engine::Error;
use crate::facts::{
    Assignment, Elevation, Grant, Key, KeyPlace, Membership, Person, Place, ProviderFacts, Question, Relationship, Staff, Subject,
    TenantFacts,
};
use crate::words::{AccessMode, Module, Modules, ProviderState, RelationshipState, StaffRole, TenantRole, TenantState};

type Field = (String, Value);

/// The names the facts are built with, made once.
pub(crate) struct Names {
    person: EntityTypeName,
    provider: EntityTypeName,
    tenant: EntityTypeName,
    nobody: EntityUid,
    installation: EntityUid,
    tenant_role: Vec<Value>,
    staff_role: Vec<Value>,
    module: Vec<Value>,
    tenant_state: Vec<Value>,
    provider_state: Vec<Value>,
    relationship_state: Vec<Value>,
    access_mode: Vec<Value>,
}

impl Names {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self {
            person: type_name("Person")?,
            provider: type_name("Provider")?,
            tenant: type_name("Tenant")?,
            nobody: uid(&type_name("Nobody")?, "nobody"),
            installation: uid(&type_name("Installation")?, "installation"),
            tenant_role: words("TenantRole", TenantRole::ALL, TenantRole::as_str)?,
            staff_role: words("StaffRole", StaffRole::ALL, StaffRole::as_str)?,
            module: words("Module", Module::ALL, Module::as_str)?,
            tenant_state: words("TenantState", TenantState::ALL, TenantState::as_str)?,
            provider_state: words("ProviderState", ProviderState::ALL, ProviderState::as_str)?,
            relationship_state: words("RelationshipState", RelationshipState::ALL, RelationshipState::as_str)?,
            access_mode: words("AccessMode", AccessMode::ALL, AccessMode::as_str)?,
        })
    }

    pub(crate) fn principal(&self, person: Option<&Person>) -> Result<(EntityUid, Option<Entity>), Error> {
        let Some(person) = person else { return Ok((self.nobody.clone(), None)) };
        let uid = id(&self.person, person.id);
        let entity = entity(uid.clone(), [field("enabled", bool(person.enabled))])?;
        Ok((uid, Some(entity)))
    }

    pub(crate) fn resource(&self, place: &Place) -> Result<(EntityUid, Option<Entity>), Error> {
        match place {
            Place::Public => Ok((self.installation.clone(), None)),
            Place::Own(person) => Ok((id(&self.person, *person), None)),
            Place::Provider(provider) => self.provider_entity(provider),
            Place::Tenant(tenant) => self.tenant_entity(tenant),
        }
    }

    fn provider_entity(&self, provider: &ProviderFacts) -> Result<(EntityUid, Option<Entity>), Error> {
        let uid = id(&self.provider, provider.id);
        let fields = [
            field("state", self.provider_state[provider.state as usize].clone()),
            field("sub_providers", bool(provider.sub_providers)),
        ];
        Ok((uid.clone(), Some(entity(uid, fields)?)))
    }

    fn tenant_entity(&self, tenant: &TenantFacts) -> Result<(EntityUid, Option<Entity>), Error> {
        let uid = id(&self.tenant, tenant.id);
        let fields = [
            field("state", self.tenant_state[tenant.state as usize].clone()),
            field("modules", self.modules(tenant.modules)),
            field("t1_may_comment", bool(tenant.t1_may_comment)),
            field("staff_may_name_admins", bool(tenant.staff_may_name_admins)),
        ];
        Ok((uid.clone(), Some(entity(uid, fields)?)))
    }

    /// The facts of the question that the action's plane knows. A grant that does not belong to the plane is no evidence there.
    pub(crate) fn context(&self, q: &Question<'_>) -> Result<Context, Error> {
        let info = q.act.info();
        let mut facts = Vec::with_capacity(6);
        facts.push(field("now", Value::new_long(q.now)));
        facts.push(field("step_up", bool(q.step_up)));
        if let Some(key) = q.key.filter(|_| info.plane != Plane::Public) {
            facts.push(field("key", self.key(key, q.act)?));
        }
        match info.plane {
            Plane::Data | Plane::Records | Plane::Client => {
                if let Some(module) = info.module {
                    facts.push(field("module", self.module[module as usize].clone()));
                }
                self.tenant_facts(q, &mut facts)?;
            }
            Plane::Provider => self.provider_facts(q, &mut facts)?,
            Plane::Own | Plane::Public => {}
        }
        Context::from_pairs(facts).map_err(Error::facts)
    }

    fn tenant_facts(&self, q: &Question<'_>, facts: &mut Vec<Field>) -> Result<(), Error> {
        match q.grant {
            Grant::Membership(membership) => facts.push(field("membership", self.membership(membership)?)),
            Grant::Reach { staff, provider, relationship, assignment, elevation, barred } => {
                let mut reach = Vec::with_capacity(6);
                reach.push(field("staff", self.staff(staff)?));
                reach.push(field("provider", self.staff_provider(provider)?));
                reach.push(field("relationship", self.relationship(relationship)?));
                reach.push(field("barred", bool(*barred)));
                if let Some(assignment) = assignment {
                    reach.push(field("assignment", self.assignment(assignment)?));
                }
                if let Some(elevation) = elevation {
                    reach.push(field("elevation", self.elevation(elevation, q.act)?));
                }
                facts.push(field("reach", record(reach)?));
            }
            Grant::Nobody | Grant::SelfOnly | Grant::Staff { .. } => {}
        }
        match q.subject {
            Subject::Member { role, last_admin } => {
                let row = [field("role", self.tenant_role[role as usize].clone()), field("last_admin", bool(last_admin))];
                facts.push(field("member", record(row)?));
            }
            Subject::Request { is_self } => facts.push(request_row(is_self)?),
            Subject::Any | Subject::Staff { .. } | Subject::Assignment { .. } => {}
        }
        Ok(())
    }

    fn provider_facts(&self, q: &Question<'_>, facts: &mut Vec<Field>) -> Result<(), Error> {
        if let Grant::Staff { staff, provider } = q.grant {
            facts.push(field("staff", self.staff(staff)?));
            facts.push(field("provider", Value::new_entity_uid(id(&self.provider, provider.id))));
        }
        match q.subject {
            Subject::Staff { role, last_admin, is_self } => {
                let row = [
                    field("role", self.staff_role[role as usize].clone()),
                    field("last_admin", bool(last_admin)),
                    field("is_self", bool(is_self)),
                ];
                facts.push(field("staff_row", record(row)?));
            }
            Subject::Assignment { person_is_self } => {
                facts.push(field("assignment_row", record([field("person_is_self", bool(person_is_self))])?));
            }
            Subject::Request { is_self } => facts.push(request_row(is_self)?),
            Subject::Any | Subject::Member { .. } => {}
        }
        Ok(())
    }

    fn membership(&self, m: &Membership) -> Result<Value, Error> {
        record([
            field("person", Value::new_entity_uid(id(&self.person, m.person))),
            field("tenant", Value::new_entity_uid(id(&self.tenant, m.tenant))),
            field("role", self.tenant_role[m.role as usize].clone()),
            field("enabled", bool(m.enabled)),
        ])
    }

    fn staff(&self, s: &Staff) -> Result<Value, Error> {
        record([
            field("person", Value::new_entity_uid(id(&self.person, s.person))),
            field("provider", Value::new_entity_uid(id(&self.provider, s.provider))),
            field("role", self.staff_role[s.role as usize].clone()),
            field("enabled", bool(s.enabled)),
        ])
    }

    fn staff_provider(&self, p: &ProviderFacts) -> Result<Value, Error> {
        record([
            field("provider", Value::new_entity_uid(id(&self.provider, p.id))),
            field("state", self.provider_state[p.state as usize].clone()),
            field("access_mode", self.access_mode[p.access_mode as usize].clone()),
        ])
    }

    fn relationship(&self, r: &Relationship) -> Result<Value, Error> {
        let mut row = Vec::with_capacity(6);
        row.push(field("provider", Value::new_entity_uid(id(&self.provider, r.provider))));
        row.push(field("tenant", Value::new_entity_uid(id(&self.tenant, r.tenant))));
        row.push(field("tier", Value::new_long(r.tier.as_i64())));
        row.push(field("state", self.relationship_state[r.state as usize].clone()));
        row.push(field("chain_live", bool(r.chain_live)));
        row.extend(r.ends_at.map(|at| field("ends_at", Value::new_long(at))));
        record(row)
    }

    fn assignment(&self, a: &Assignment) -> Result<Value, Error> {
        let mut row = Vec::with_capacity(11);
        row.push(field("person", Value::new_entity_uid(id(&self.person, a.person))));
        row.push(field("provider", Value::new_entity_uid(id(&self.provider, a.provider))));
        row.push(field("tenant", Value::new_entity_uid(id(&self.tenant, a.tenant))));
        row.push(field("tier", Value::new_long(a.tier.as_i64())));
        row.push(field("view", bool(a.mask.view)));
        row.push(field("create", bool(a.mask.create)));
        row.push(field("update", bool(a.mask.update)));
        row.push(field("delete", bool(a.mask.delete)));
        row.push(field("modules", self.modules(a.modules)));
        row.push(field("starts_at", Value::new_long(a.starts_at)));
        row.extend(a.ends_at.map(|at| field("ends_at", Value::new_long(at))));
        record(row)
    }

    fn elevation(&self, e: &Elevation, act: Act) -> Result<Value, Error> {
        record([
            field("person", Value::new_entity_uid(id(&self.person, e.person))),
            field("provider", Value::new_entity_uid(id(&self.provider, e.provider))),
            field("tenant", Value::new_entity_uid(id(&self.tenant, e.tenant))),
            field("tier", Value::new_long(e.tier.as_i64())),
            field("names_action", bool(e.actions.contains(&act))),
            field("names_admins", bool(e.actions.contains(&Act::MemberGrantAdmin))),
            field("modules", self.modules(e.modules)),
            field("starts_at", Value::new_long(e.starts_at)),
            field("ends_at", Value::new_long(e.ends_at)),
            field("approvers", Value::new_set(e.approvers.iter().map(|p| Value::new_entity_uid(id(&self.person, *p))))),
            field("by_tenant", bool(e.by_tenant)),
            field("break_glass", bool(e.break_glass)),
        ])
    }

    fn key(&self, key: &Key, act: Act) -> Result<Value, Error> {
        let place = match key.place {
            KeyPlace::Tenant(tenant) => field("tenant", Value::new_entity_uid(id(&self.tenant, tenant))),
            KeyPlace::Provider(provider) => field("provider", Value::new_entity_uid(id(&self.provider, provider))),
        };
        record([
            field("person", Value::new_entity_uid(id(&self.person, key.person))),
            place,
            field("names_action", bool(key.actions.contains(&act))),
            field("ends_at", Value::new_long(key.ends_at)),
        ])
    }

    fn modules(&self, modules: Modules) -> Value {
        Value::new_set(modules.iter().map(|m| self.module[m as usize].clone()))
    }
}

pub(crate) fn type_name(name: &str) -> Result<EntityTypeName, Error> {
    name.parse().map_err(Error::facts)
}

pub(crate) fn uid(ty: &EntityTypeName, name: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(ty.clone(), EntityId::new(name))
}

fn id(ty: &EntityTypeName, id: Uuid) -> EntityUid {
    uid(ty, id.simple().encode_lower(&mut Uuid::encode_buffer()))
}

/// A closed list as entities, each at the place of its word in the Rust enum.
fn words<T: Copy>(ty: &str, all: &[T], word: fn(T) -> &'static str) -> Result<Vec<Value>, Error> {
    let ty = type_name(ty)?;
    Ok(all.iter().map(|w| Value::new_entity_uid(uid(&ty, word(*w)))).collect())
}

fn entity<const N: usize>(uid: EntityUid, fields: [Field; N]) -> Result<Entity, Error> {
    Entity::new(uid, fields.into_iter().collect(), HashSet::new()).map_err(Error::facts)
}

fn record(fields: impl IntoIterator<Item = Field>) -> Result<Value, Error> {
    Value::new_record(fields).map_err(Error::facts)
}

fn request_row(is_self: bool) -> Result<Field, Error> {
    Ok(field("request_row", record([field("is_self", bool(is_self))])?))
}

fn field(name: &str, value: Value) -> Field {
    (name.to_owned(), value)
}

fn bool(value: bool) -> Value {
    Value::new_bool(value)
}
