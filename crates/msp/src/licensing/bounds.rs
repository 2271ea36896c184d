//! What a tenant may have how much of, what happens at the bound, and how much it has: the facts, and the rule on them.

use std::collections::HashMap;

use kernel::limits::{Limit, LimitReached};
use kernel::store::{Query, Row, StoreError};
use kernel::{Error, ProviderId, ReadTx, Result, TenantId, scope};
use serde::{Deserialize, Serialize};

use crate::plans::PlanLimits;

/// What happens when there is as much as there may be. Nothing that runs is stopped, nothing is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Whoever looks after it hears of it.
    Inform,
    /// Whoever makes one more is told too.
    Warn,
    /// Nobody makes one more.
    BlockNew,
}

impl Enforcement {
    /// What happens unless anybody said otherwise (product.md section 3).
    pub fn default_of(limit: Limit) -> Self {
        if limit == Limit::Automations { Self::BlockNew } else { Self::Inform }
    }

    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inform => "inform",
            Self::Warn => "warn",
            Self::BlockNew => "block_new",
        }
    }
}

impl std::str::FromStr for Enforcement {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Inform, Self::Warn, Self::BlockNew].into_iter().find(|one| one.as_str() == text).ok_or(())
    }
}

/// How much a tenant has of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Members that are not disabled.
    pub seats: i64,
    /// Seats that open invitations keep free.
    pub reserved: i64,
    /// Automations.
    pub automations: i64,
    /// Distinct resources that its scans know.
    pub resources: i64,
    /// API keys of its own that work.
    pub api_keys: i64,
}

impl Usage {
    /// Of one thing.
    pub fn of(&self, limit: Limit) -> i64 {
        match limit {
            Limit::Seats => self.seats,
            Limit::Automations => self.automations,
            Limit::Resources => self.resources,
            Limit::ApiKeys => self.api_keys,
        }
    }

    /// As it will be with so many more of one thing.
    #[must_use]
    pub fn with(mut self, limit: Limit, more: i64) -> Self {
        match limit {
            Limit::Seats => self.seats += more,
            Limit::Automations => self.automations += more,
            Limit::Resources => self.resources += more,
            Limit::ApiKeys => self.api_keys += more,
        }
        self
    }
}

/// The bound of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// How much there may be; none: unlimited.
    pub max: Option<i64>,
    /// The tenant's own, not its plan's.
    pub own: bool,
    /// What happens at it.
    pub enforcement: Enforcement,
    /// What else is not made while it is reached.
    pub also_blocks: Vec<Limit>,
    /// An alert stands because of it.
    pub is_raised: bool,
}

impl Bound {
    /// It is reached, as far as its enforcement cares: with `inform` only what is beyond it matters.
    pub fn is_crossed(&self, used: i64) -> bool {
        self.max.is_some_and(|max| if self.enforcement == Enforcement::Inform { used > max } else { used >= max && used > 0 })
    }
}

/// A limit that is exceeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Over {
    /// Which.
    pub limit: Limit,
    /// How many there are.
    pub used: i64,
    /// How many there may be.
    pub max: i64,
}

/// All bounds of a tenant.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The provider that holds it.
    pub holder: ProviderId,
    bounds: [Bound; 4],
}

/// What a claim on something comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be made.
    Free,
    /// It may be made; this is to be told.
    Told(LimitReached),
    /// It may not be made.
    Refused(LimitReached),
}

impl Bounds {
    /// The bound of one thing.
    pub fn of(&self, limit: Limit) -> &Bound {
        &self.bounds[limit as usize]
    }

    /// Nothing is bounded, and no alert stands.
    pub fn are_none(&self) -> bool {
        self.bounds.iter().all(|bound| bound.max.is_none() && !bound.is_raised)
    }

    /// Whether one more of something may be made. `counted` is how much there is of it, with what is kept free for others.
    pub fn judge(&self, limit: Limit, counted: i64, usage: &Usage) -> Verdict {
        for other in Limit::ALL.into_iter().filter(|other| *other != limit) {
            let bound = self.of(other);
            if let (true, true, Some(max)) = (bound.also_blocks.contains(&limit), bound.is_crossed(usage.of(other)), bound.max) {
                let used = usage.of(other);
                let detail = format!(
                    "No new {} while the limit of {} is reached ({used} of {max}). {}",
                    limit.words(),
                    other.words(),
                    what_to_do(other)
                );
                return Verdict::Refused(LimitReached { limit: other, used, max, detail });
            }
        }
        let bound = self.of(limit);
        let Some(max) = bound.max else { return Verdict::Free };
        match bound.enforcement {
            Enforcement::BlockNew if counted >= max => Verdict::Refused(LimitReached {
                limit,
                used: counted,
                max,
                detail: refusal(limit, counted, max, counted - usage.of(limit)),
            }),
            Enforcement::Warn if counted + 1 >= max => Verdict::Told(LimitReached {
                limit,
                used: counted + 1,
                max,
                detail: format!("{} of {max} {} are used with this one. {}", counted + 1, limit.words(), what_to_do(limit)),
            }),
            _ => Verdict::Free,
        }
    }

    /// Limits that would be exceeded if the plan said this.
    pub fn over_with(&self, plan: &PlanLimits, usage: &Usage) -> Vec<Over> {
        let of_plan = |limit| match limit {
            Limit::Seats => plan.seats,
            Limit::Automations => plan.automations,
            Limit::Resources => plan.resources,
            Limit::ApiKeys => plan.api_keys,
        };
        let over = Limit::ALL.into_iter().filter_map(|limit| {
            let bound = self.of(limit);
            let (max, used) = (if bound.own { bound.max } else { of_plan(limit) }?, usage.of(limit));
            (used > max).then_some(Over { limit, used, max })
        });
        over.collect()
    }

    /// The bounds of a tenant, and what it has.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn load<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<(Self, Usage)> {
        Self::load_many(tx, &[tenant]).await?.remove(&tenant).ok_or(Error::NotFound)
    }

    /// The bounds of several tenants, and what they have. Those that are not there are left out.
    ///
    /// # Errors
    /// As the store's.
    pub async fn load_many<S: scope::Control>(
        tx: &mut ReadTx<S>,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, (Self, Usage)>> {
        let now = tx.now();
        let mut query = Query::new(
            "SELECT t.id, t.provider_id, NULLIF(COALESCE(t.seats_max, w.seats_max), -1), t.seats_max IS NOT NULL,
                    NULLIF(COALESCE(t.automations_max, w.automations_max), -1), t.automations_max IS NOT NULL,
                    NULLIF(COALESCE(t.resources_max, w.resources_max), -1), t.resources_max IS NOT NULL,
                    NULLIF(COALESCE(t.api_keys_max, w.api_keys_max), -1), t.api_keys_max IS NOT NULL,
                    (SELECT COUNT(*) FROM member m WHERE m.tenant_id = t.id AND m.state <> 'disabled'),
                    (SELECT COUNT(*) FROM invitation i WHERE i.tenant_id = t.id AND i.accepted_at IS NULL AND i.revoked_at IS NULL
                        AND i.expires_at > ",
        );
        query.bind(now).push(
            "), COALESCE((SELECT s.resources FROM summary s WHERE s.tenant_id = t.id), 0),
                    (SELECT COUNT(*) FROM api_key k WHERE k.tenant_id = t.id AND k.revoked_at IS NULL AND k.expires_at > ",
        );
        query.bind(now).push(
            ") FROM tenant t JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number
             WHERE t.state <> 'purged' AND t.id IN (",
        );
        query.bind_all(tenants.iter().copied()).push(")");
        let mut found = HashMap::with_capacity(tenants.len());
        for row in tx.query(&query).await? {
            let (tenant, bounds, usage) = read(row)?;
            found.insert(tenant, (bounds, usage));
        }
        apply_policies(tx, &mut found).await?;
        Ok(found)
    }
}

fn read(mut row: Row) -> Result<(TenantId, Bounds, Usage), StoreError> {
    let (tenant, holder) = (row.take()?, row.take()?);
    let mut bound = |limit| {
        let enforcement = Enforcement::default_of(limit);
        Ok::<_, StoreError>(Bound { max: row.take()?, own: row.take()?, enforcement, also_blocks: Vec::new(), is_raised: false })
    };
    let bounds = [bound(Limit::Seats)?, bound(Limit::Automations)?, bound(Limit::Resources)?, bound(Limit::ApiKeys)?];
    let (seats, reserved) = (row.take()?, row.take()?);
    // There are no automations in the product, so nobody has any.
    let usage = Usage { seats, reserved, automations: 0, resources: row.take()?, api_keys: row.take()? };
    Ok((tenant, Bounds { holder, bounds }, usage))
}

/// First what holds for all of a provider, then what is otherwise for a tenant.
async fn apply_policies<S: scope::Control>(
    tx: &mut ReadTx<S>,
    found: &mut HashMap<TenantId, (Bounds, Usage)>,
) -> Result<(), StoreError> {
    if found.is_empty() {
        return Ok(());
    }
    let mut holders: Vec<ProviderId> = found.values().map(|(bounds, _)| bounds.holder).collect();
    holders.sort_unstable();
    holders.dedup();
    let mut query = Query::new(
        "SELECT CAST(0 AS bigint), provider_id, name, enforcement, also_blocks, CAST(NULL AS bigint) FROM limit_policy WHERE provider_id IN (",
    );
    query.bind_all(holders).push(
        ") UNION ALL SELECT CAST(1 AS bigint), tenant_id, name, enforcement, also_blocks, crossed_at FROM tenant_limit WHERE tenant_id IN (",
    );
    query.bind_all(found.keys().copied()).push(") ORDER BY 1");
    for mut row in tx.query(&query).await? {
        let (is_own, whose): (i64, uuid::Uuid) = (row.take()?, row.take()?);
        let limit: Limit = row.parse()?;
        let (enforcement, also_blocks): (Option<String>, Option<String>) = (row.take()?, row.take()?);
        let is_raised = row.take::<Option<i64>>()?.is_some();
        let touched = found.iter_mut().filter(
            |(tenant, (bounds, _))| {
                if is_own == 1 { tenant.uuid() == whose } else { bounds.holder.uuid() == whose }
            },
        );
        for (_, (bounds, _)) in touched {
            let bound = &mut bounds.bounds[limit as usize];
            if let Some(enforcement) = enforcement.as_deref().and_then(|text| text.parse().ok()) {
                bound.enforcement = enforcement;
            }
            if let Some(names) = also_blocks.as_deref() {
                bound.also_blocks = names_of(names);
            }
            bound.is_raised |= is_raised;
        }
    }
    Ok(())
}

/// From names, comma separated; what is no limit is dropped.
pub(super) fn names_of(list: &str) -> Vec<Limit> {
    list.split(',').filter_map(|name| name.parse().ok()).collect()
}

fn what_to_do(limit: Limit) -> &'static str {
    match limit {
        Limit::Seats => "Disable a member who left, or ask your provider for more seats.",
        Limit::Automations => "Delete one that is not needed, or ask your provider for more.",
        Limit::Resources => "Ask your provider for more.",
        Limit::ApiKeys => "Revoke one that is not needed, or ask your provider for more.",
    }
}

fn refusal(limit: Limit, counted: i64, max: i64, reserved: i64) -> String {
    let words = limit.words();
    let taken = match (max, counted > max, reserved) {
        (0, ..) => format!("This organisation has no {words}."),
        (_, true, _) => format!("{counted} {words} are taken, and there may be {max}."),
        (_, false, 0) => format!("All {max} {words} are taken."),
        (_, false, 1) => format!("All {max} {words} are taken, one of them by an open invitation."),
        (_, false, _) => format!("All {max} {words} are taken, {reserved} of them by open invitations."),
    };
    format!("{taken} {}", what_to_do(limit))
}
