-- A tenant's own database. Every table begins with the tenant's column, which the door fills and no query names.

CREATE TABLE ledger_head (
    {tenant_id},
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id)
);

CREATE TABLE ledger (
    {tenant_id},
    seq bigint NOT NULL,
    id uuid NOT NULL,
    at bigint NOT NULL,
    actor_id uuid,
    actor text NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    staff boolean NOT NULL,                  -- done by somebody of the provider
    body text NOT NULL,                      -- the entry as JSON, exactly the bytes that were hashed
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, seq),
    UNIQUE (tenant_id, id)
);

-- News for the control database, put here in the same commit as the change and taken from here after it.
CREATE TABLE outbox (
    {tenant_id},
    topic text NOT NULL,
    revision bigint NOT NULL,
    payload text NOT NULL,                   -- JSON
    PRIMARY KEY (tenant_id, topic)
);
