-- What a tenant can limit: consent, freezes, removals of single persons, elevations, API keys; and fresh second factors.

-- Who may raise the tier, assign more power to staff, and renew: the tenant's own people, the provider alone, or the operator.
ALTER TABLE relationship ADD COLUMN raise_by text NOT NULL DEFAULT 'tenant_consent'
    CHECK (raise_by IN ('tenant_consent', 'provider', 'operator'));
ALTER TABLE relationship ADD COLUMN assign_by text NOT NULL DEFAULT 'provider' CHECK (assign_by IN ('tenant_consent', 'provider'));
ALTER TABLE relationship ADD COLUMN renew_by text NOT NULL DEFAULT 'provider' CHECK (renew_by IN ('tenant_consent', 'provider'));
ALTER TABLE relationship ADD COLUMN warned_days bigint; -- the last warning given of its end: 30, 7 or 1
ALTER TABLE tenant ADD COLUMN staff_may_name_admins boolean NOT NULL DEFAULT false;
ALTER TABLE session ADD COLUMN stepped_up_at bigint;    -- when the person last proved again that it is them

-- A relationship is frozen while one of these stands.
CREATE TABLE access_freeze (
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    provider_id uuid NOT NULL REFERENCES provider (id),
    side text NOT NULL CHECK (side IN ('tenant', 'provider')),
    person_id uuid NOT NULL REFERENCES person (id),
    at bigint NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (tenant_id, provider_id, side)
);

-- Staff whom the tenant removed: they reach it no more, and come back only with its consent.
CREATE TABLE bar (
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    person_id uuid NOT NULL REFERENCES person (id),
    by_id uuid NOT NULL REFERENCES person (id),
    at bigint NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (tenant_id, person_id)
);

-- When staff last used their access to a tenant, to some minutes.
CREATE TABLE reach_use (
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    person_id uuid NOT NULL REFERENCES person (id),
    at bigint NOT NULL,
    PRIMARY KEY (tenant_id, person_id)
);

-- What waits for the tenant's word, and what became of it.
CREATE TABLE consent (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    provider_id uuid NOT NULL REFERENCES provider (id),
    kind text NOT NULL CHECK (kind IN ('tier', 'renewal', 'assignment')),
    target text NOT NULL,                    -- JSON: what would be, kind by kind
    label text NOT NULL,                     -- the same for people
    reason text NOT NULL DEFAULT '',
    asked_by uuid NOT NULL REFERENCES person (id),
    asked_at bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'withdrawn', 'overtaken')),
    decided_by uuid REFERENCES person (id),
    decided_at bigint,
    decision_reason text NOT NULL DEFAULT ''
);
CREATE INDEX consent_tenant ON consent (tenant_id, state);
CREATE INDEX consent_provider ON consent (provider_id, state);

CREATE TABLE elevation_template (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider (id),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    tier bigint NOT NULL CHECK (tier BETWEEN 0 AND 3), -- 0: only the named actions
    actions text NOT NULL DEFAULT '[]',      -- JSON: names of actions
    modules bigint NOT NULL,                 -- bits of access::Modules
    minutes_max bigint NOT NULL CHECK (minutes_max BETWEEN 1 AND 1440),
    approver text NOT NULL CHECK (approver IN ('provider', 'tenant', 'both')),
    ticket boolean NOT NULL DEFAULT false,
    step_up boolean NOT NULL DEFAULT false,
    state text NOT NULL CHECK (state IN ('active', 'retired')),
    created_at bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    UNIQUE (provider_id, name)
);

-- A request and what became of it. An approved one is a grant from starts_at until ends_at; nothing has to happen for it to end.
CREATE TABLE elevation (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES provider (id),
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    person_id uuid NOT NULL REFERENCES person (id),
    template_id uuid REFERENCES elevation_template (id), -- NULL: opened by the operator
    template_name text NOT NULL,
    tier bigint NOT NULL CHECK (tier BETWEEN 0 AND 3),
    actions text NOT NULL DEFAULT '[]',
    modules bigint NOT NULL,
    minutes bigint NOT NULL,
    approver text NOT NULL CHECK (approver IN ('provider', 'tenant', 'both', 'operator')),
    reason text NOT NULL,
    ticket text NOT NULL DEFAULT '',
    break_glass boolean NOT NULL DEFAULT false,
    state text NOT NULL CHECK (state IN ('requested', 'approved', 'denied', 'cancelled')),
    requested_at bigint NOT NULL,
    lapses_at bigint NOT NULL,               -- a request that nobody answered until then is over
    provider_by uuid REFERENCES person (id), -- who approved for the provider
    provider_at bigint,
    tenant_by uuid REFERENCES person (id),   -- who approved for the tenant
    tenant_at bigint,
    starts_at bigint,
    ends_at bigint,                          -- brought forward when it is ended early
    closed_by uuid REFERENCES person (id),   -- who denied, cancelled or ended it early
    closed_at bigint,
    decision_reason text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1
);
CREATE INDEX elevation_grant ON elevation (tenant_id, person_id, state, ends_at);
CREATE INDEX elevation_provider ON elevation (provider_id, requested_at);
CREATE INDEX elevation_person ON elevation (person_id, requested_at);

CREATE TABLE api_key (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,        -- BLAKE3 of the token
    hint text NOT NULL,                      -- its first characters, to tell keys apart
    name text NOT NULL,
    tenant_id uuid REFERENCES tenant (id),
    provider_id uuid REFERENCES provider (id),
    person_id uuid NOT NULL REFERENCES person (id), -- who made it: it never exceeds them
    actions text NOT NULL,                   -- JSON: names of actions
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    last_used_at bigint,
    last_address text NOT NULL DEFAULT '',
    revoked_at bigint,
    revoked_by uuid REFERENCES person (id),
    CHECK ((provider_id IS NULL) <> (tenant_id IS NULL))
);
CREATE INDEX api_key_tenant ON api_key (tenant_id);
CREATE INDEX api_key_provider ON api_key (provider_id);
