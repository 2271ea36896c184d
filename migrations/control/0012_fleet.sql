-- Groups of tenants, grants over many of them, and changes to many of them.

CREATE TABLE tenant_group (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider (id),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    kind text NOT NULL CHECK (kind IN ('static', 'dynamic')),
    name_contains text,                      -- dynamic: as it was typed; NULL: any name
    name_pattern text,                       -- the same as a LIKE pattern
    created_at bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    UNIQUE (provider_id, name)
);

-- Who is in a static group.
CREATE TABLE tenant_group_member (
    group_id uuid NOT NULL REFERENCES tenant_group (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    PRIMARY KEY (group_id, tenant_id)
);
CREATE INDEX tenant_group_member_tenant ON tenant_group_member (tenant_id);

-- What a dynamic group asks of a tenant: one of the values of every field that has any.
CREATE TABLE tenant_group_value (
    group_id uuid NOT NULL REFERENCES tenant_group (id) ON DELETE CASCADE,
    field text NOT NULL CHECK (field IN ('tier', 'state', 'industry')), -- tier: 0 to 3
    value text NOT NULL,
    PRIMARY KEY (group_id, field, value)
);
CREATE TABLE tenant_group_plan (
    group_id uuid NOT NULL REFERENCES tenant_group (id) ON DELETE CASCADE,
    plan_id uuid NOT NULL REFERENCES plan (id),
    PRIMARY KEY (group_id, plan_id)
);

-- Who is in which group now. Only clients of the group's provider; a dynamic group that asks for nothing has nobody in it.
CREATE VIEW tenant_in_group AS
SELECT g.id AS group_id, g.provider_id AS provider_id, r.tenant_id AS tenant_id
FROM tenant_group g
JOIN relationship r ON r.provider_id = g.provider_id AND r.state <> 'ended'
JOIN tenant t ON t.id = r.tenant_id AND t.state <> 'purged'
WHERE (g.kind = 'static' AND EXISTS (SELECT 1 FROM tenant_group_member m WHERE m.group_id = g.id AND m.tenant_id = t.id))
   OR (g.kind = 'dynamic'
       AND (g.name_pattern IS NOT NULL
            OR EXISTS (SELECT 1 FROM tenant_group_value v WHERE v.group_id = g.id)
            OR EXISTS (SELECT 1 FROM tenant_group_plan p WHERE p.group_id = g.id))
       AND (g.name_pattern IS NULL OR lower(t.name) LIKE lower(g.name_pattern) ESCAPE '\')
       AND (NOT EXISTS (SELECT 1 FROM tenant_group_plan p WHERE p.group_id = g.id)
            OR EXISTS (SELECT 1 FROM tenant_group_plan p WHERE p.group_id = g.id AND p.plan_id = t.plan_id))
       AND (NOT EXISTS (SELECT 1 FROM tenant_group_value v WHERE v.group_id = g.id AND v.field = 'tier')
            OR EXISTS (SELECT 1 FROM tenant_group_value v WHERE v.group_id = g.id AND v.field = 'tier' AND v.value = CAST(r.tier AS text)))
       AND (NOT EXISTS (SELECT 1 FROM tenant_group_value v WHERE v.group_id = g.id AND v.field = 'state')
            OR EXISTS (SELECT 1 FROM tenant_group_value v WHERE v.group_id = g.id AND v.field = 'state' AND v.value = t.state))
       AND (NOT EXISTS (SELECT 1 FROM tenant_group_value v WHERE v.group_id = g.id AND v.field = 'industry')
            OR EXISTS (SELECT 1 FROM tenant_group_value v WHERE v.group_id = g.id AND v.field = 'industry' AND lower(v.value) = lower(t.industry))));

-- What somebody may do on many tenants at once: those of a group, all, or all but some, as they are at the moment that is asked about.
CREATE TABLE group_grant (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider (id),
    person_id uuid NOT NULL REFERENCES person (id),
    reach text NOT NULL CHECK (reach IN ('group', 'all', 'all_except')),
    group_id uuid REFERENCES tenant_group (id), -- of a group only
    tier bigint NOT NULL CHECK (tier BETWEEN 0 AND 3),
    mask bigint NOT NULL CHECK (mask BETWEEN 0 AND 15), -- bits of access::Mask
    modules bigint NOT NULL,                 -- bits of access::Modules; 0: none
    starts_at bigint NOT NULL,
    ends_at bigint,
    created_at bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    CHECK ((reach = 'group') = (group_id IS NOT NULL))
);
CREATE INDEX group_grant_person ON group_grant (person_id);
CREATE INDEX group_grant_provider ON group_grant (provider_id);
CREATE INDEX group_grant_group ON group_grant (group_id);
CREATE TABLE group_grant_except (
    grant_id uuid NOT NULL REFERENCES group_grant (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    PRIMARY KEY (grant_id, tenant_id)
);
CREATE INDEX group_grant_except_tenant ON group_grant_except (tenant_id);

-- Everything that acts as an assignment: the stored ones, and wide grants on each tenant they cover. Where the tenant wants to be asked
-- about assignments, or removed the person, no wide grant goes round it.
CREATE VIEW reach_assignment AS
SELECT 'assignment' AS source, a.id AS id, a.provider_id AS provider_id, a.tenant_id AS tenant_id, a.person_id AS person_id,
       a.tier AS tier, a.mask AS mask, a.modules AS modules, a.starts_at AS starts_at, a.ends_at AS ends_at
FROM assignment a
UNION ALL
SELECT 'group_grant' AS source, g.id AS id, g.provider_id AS provider_id, r.tenant_id AS tenant_id, g.person_id AS person_id,
       g.tier AS tier, g.mask AS mask, g.modules AS modules, g.starts_at AS starts_at, g.ends_at AS ends_at
FROM group_grant g
JOIN relationship r ON r.provider_id = g.provider_id AND r.state <> 'ended' AND r.assign_by <> 'tenant_consent'
WHERE NOT EXISTS (SELECT 1 FROM bar b WHERE b.tenant_id = r.tenant_id AND b.person_id = g.person_id)
  AND (g.reach = 'all'
       OR (g.reach = 'all_except'
           AND NOT EXISTS (SELECT 1 FROM group_grant_except e WHERE e.grant_id = g.id AND e.tenant_id = r.tenant_id))
       OR (g.reach = 'group'
           AND EXISTS (SELECT 1 FROM tenant_in_group i WHERE i.group_id = g.group_id AND i.tenant_id = r.tenant_id)));

-- One change to many tenants: drafted, approved, applied one by one, and undone if need be.
CREATE TABLE fleet_change (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider (id),
    kind text NOT NULL CHECK (kind IN ('plan', 'tier', 'setting', 'assignment', 'suspend', 'resume')),
    what text NOT NULL,                      -- JSON, kind by kind
    reach text NOT NULL,                     -- JSON: over which tenants, as it was asked for
    reason text NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'approved', 'running', 'stopped', 'done', 'undoing', 'undone', 'cancelled')),
    detail text NOT NULL DEFAULT '',         -- why it stopped
    failed_percent bigint NOT NULL CHECK (failed_percent BETWEEN 0 AND 100),
    created_by uuid NOT NULL REFERENCES person (id),
    created_at bigint NOT NULL,
    approved_by uuid REFERENCES person (id),
    approved_at bigint,
    acts_as uuid REFERENCES person (id),     -- whose rights it is applied or undone with: who approved, resumed or undid it
    lease_by uuid,                           -- the hub that works on it
    lease_until bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 1
);
CREATE INDEX fleet_change_provider ON fleet_change (provider_id, created_at);
CREATE INDEX fleet_change_state ON fleet_change (state);

-- What is to become of each tenant, and what became of it; set in the commit that did it.
CREATE TABLE fleet_item (
    change_id uuid NOT NULL REFERENCES fleet_change (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    position bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'skipped', 'done', 'failed', 'undone', 'undo_failed')),
    before text NOT NULL DEFAULT 'null',     -- JSON
    after text NOT NULL DEFAULT 'null',      -- JSON
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (change_id, tenant_id)
);
CREATE INDEX fleet_item_state ON fleet_item (change_id, state, position);
CREATE INDEX fleet_item_tenant ON fleet_item (tenant_id);
