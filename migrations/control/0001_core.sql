-- The control database: who is who, who may reach whom, and what tenants look like from outside.
-- One SQL for SQLite and PostgreSQL. Instants: microseconds since the epoch. Ids: UUIDv7.

CREATE TABLE person (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,              -- lower case
    name text NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'disabled')),
    password_hash text NOT NULL,             -- PHC string, argon2id with its parameters
    locale text NOT NULL DEFAULT 'en',
    preferences text NOT NULL DEFAULT '{}',  -- JSON
    totp_secret bytea,                       -- sealed with the installation's key; NULL: no second factor
    totp_pending bytea,                      -- sealed; waiting for its first code
    totp_last_step bigint NOT NULL DEFAULT 0, -- RFC 6238 step of the last code taken: none is taken twice
    created_at bigint NOT NULL,
    last_seen_at bigint,
    version bigint NOT NULL DEFAULT 1
);

CREATE TABLE recovery_code (
    person_id uuid NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    hash bytea NOT NULL,                     -- BLAKE3 of the code
    used_at bigint,
    PRIMARY KEY (person_id, hash)
);

CREATE TABLE session (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,        -- BLAKE3 of the opaque token
    person_id uuid NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    state text NOT NULL CHECK (state IN ('half', 'full')), -- half: the second factor is missing
    created_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    idle_expires_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    second_factor_at bigint,
    address text NOT NULL,
    user_agent text NOT NULL
);
CREATE INDEX session_person ON session (person_id);


CREATE TABLE provider (
    id uuid PRIMARY KEY,
    parent_id uuid REFERENCES provider (id),
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'suspended')),
    ceiling bigint NOT NULL DEFAULT 3 CHECK (ceiling BETWEEN 0 AND 3), -- a sub-provider's highest tier
    access_mode text NOT NULL DEFAULT 'tiered' CHECK (access_mode IN ('tiered', 'explicit')),
    sub_providers boolean NOT NULL DEFAULT false,
    staff_shown text NOT NULL DEFAULT 'by_name' CHECK (staff_shown IN ('by_name', 'by_role')),
    tenants_max bigint,                      -- NULL: unlimited
    created_at bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1
);
CREATE INDEX provider_parent ON provider (parent_id);

CREATE TABLE plan (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider (id),
    name text NOT NULL,
    modules bigint NOT NULL,                 -- bits of access::Modules
    seats_max bigint,                        -- NULL: unlimited, 0: none
    created_at bigint NOT NULL,
    UNIQUE (provider_id, name)
);

CREATE TABLE tenant (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider (id), -- the provider that holds it directly
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    industry text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('active', 'suspended', 'archived', 'purged')),
    state_reason text,
    plan_id uuid NOT NULL REFERENCES plan (id),
    seats_max bigint,                        -- NULL: the plan's
    wrapped_key bytea,                       -- the tenant's data key under the installation's; NULL once destroyed
    scan_interval_days bigint NOT NULL DEFAULT 7,
    comments_from_t1 boolean NOT NULL DEFAULT false,
    settings_version bigint NOT NULL DEFAULT 1,
    created_at bigint NOT NULL,
    archived_at bigint,
    purge_after bigint,
    version bigint NOT NULL DEFAULT 1
);
CREATE INDEX tenant_provider ON tenant (provider_id);

-- The contract provider - tenant. A tenant of a sub-provider has one for the parent too, whose tier is the ceiling.
CREATE TABLE relationship (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider (id),
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    tier bigint NOT NULL CHECK (tier BETWEEN 0 AND 3),
    state text NOT NULL CHECK (state IN ('requested', 'active', 'frozen', 'ended')), -- expiring and expired follow from ends_at
    ends_at bigint,
    created_at bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    UNIQUE (provider_id, tenant_id)
);
CREATE INDEX relationship_tenant ON relationship (tenant_id);

CREATE TABLE staff (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider (id),
    person_id uuid NOT NULL REFERENCES person (id),
    role text NOT NULL CHECK (role IN ('provider_admin', 'technician')),
    state text NOT NULL CHECK (state IN ('active', 'disabled')),
    created_at bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    UNIQUE (provider_id, person_id)
);
CREATE INDEX staff_person ON staff (person_id);

CREATE TABLE member (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    person_id uuid NOT NULL REFERENCES person (id),
    role text NOT NULL CHECK (role IN ('admin', 'operator', 'auditor', 'viewer')),
    state text NOT NULL CHECK (state IN ('active', 'disabled')),
    created_at bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    UNIQUE (tenant_id, person_id)
);
CREATE INDEX member_person ON member (person_id);

CREATE TABLE assignment (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider (id),
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    person_id uuid NOT NULL REFERENCES person (id),
    tier bigint NOT NULL CHECK (tier BETWEEN 0 AND 3),
    mask bigint NOT NULL CHECK (mask BETWEEN 0 AND 15), -- bits of access::Mask
    modules bigint NOT NULL,                 -- bits of access::Modules; 0: none
    starts_at bigint NOT NULL,
    ends_at bigint,
    created_at bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    UNIQUE (provider_id, tenant_id, person_id)
);
CREATE INDEX assignment_person ON assignment (person_id, tenant_id);
CREATE INDEX assignment_tenant ON assignment (tenant_id);

CREATE TABLE invitation (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,        -- BLAKE3 of the token in the link
    provider_id uuid REFERENCES provider (id),
    tenant_id uuid REFERENCES tenant (id),
    email text NOT NULL,
    name text NOT NULL DEFAULT '',
    role text NOT NULL,
    invited_by uuid NOT NULL REFERENCES person (id),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    accepted_at bigint,
    revoked_at bigint,
    CHECK ((provider_id IS NULL) <> (tenant_id IS NULL))
);
CREATE INDEX invitation_provider ON invitation (provider_id);
CREATE INDEX invitation_tenant ON invitation (tenant_id);

-- The provider's allow-listed projection of a tenant; refreshed by the tenant's own writes. Nothing else of a tenant is here.
CREATE TABLE summary (
    tenant_id uuid PRIMARY KEY REFERENCES tenant (id),
    revision bigint NOT NULL,                -- of the tenant's write that made it: an older one never replaces a newer
    score_bp bigint,                         -- hundredths of a percent; NULL: no complete scan yet
    passed bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    overridden bigint NOT NULL DEFAULT 0,
    critical bigint NOT NULL DEFAULT 0,
    high bigint NOT NULL DEFAULT 0,
    scans bigint NOT NULL DEFAULT 0,
    findings_open bigint NOT NULL DEFAULT 0,
    scan_at bigint,
    trend text NOT NULL DEFAULT '[]',        -- JSON: [[day number, score_bp], ...] of the last 90 days
    frameworks text NOT NULL DEFAULT '[]',   -- JSON
    decisions text NOT NULL DEFAULT '[]',    -- JSON
    recheck_at bigint,                       -- when time alone will change it (an override expires)
    updated_at bigint NOT NULL
);

-- Chains of what was done outside any tenant: one per provider, and the installation's own (nil).
CREATE TABLE ledger_head (
    chain uuid PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE ledger (
    chain uuid NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL UNIQUE,
    at bigint NOT NULL,
    actor_id uuid,
    actor text NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    tenant_id uuid,
    body text NOT NULL,                      -- the entry as JSON, exactly the bytes that were hashed
    hash bytea NOT NULL,
    PRIMARY KEY (chain, seq)
);

-- Entries on their way into a tenant's own ledger, put there in the same commit as the act.
CREATE TABLE ledger_outbox (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    body text NOT NULL
);
CREATE INDEX ledger_outbox_tenant ON ledger_outbox (tenant_id);

-- The installation's own facts: key check value, first-run code.
CREATE TABLE installation (
    name text PRIMARY KEY,
    value bytea NOT NULL
);
