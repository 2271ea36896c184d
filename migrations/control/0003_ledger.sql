-- Signed ledgers: the keys that sign, the heads that were signed, and certificates of what was destroyed.

-- Number 1 was made with the store; each further key is certified by the one before it.
CREATE TABLE signing_key (
    number bigint PRIMARY KEY,
    key_id text NOT NULL UNIQUE,
    public_key bytea NOT NULL,
    secret bytea NOT NULL,                   -- sealed with the installation's key
    starts_at bigint,                        -- signs from then on; NULL for the first
    signature bytea,                         -- of the key before it; NULL for the first
    created_at bigint NOT NULL
);

-- Signed heads of the chains in this database.
CREATE TABLE checkpoint (
    chain uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    at bigint NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL,
    id uuid NOT NULL,                        -- tells pages of a list apart
    PRIMARY KEY (chain, seq, hash)
);

-- The newest signed head of each tenant's own chain, beside that tenant's database: one that was put back to an older state is noticed.
CREATE TABLE tenant_checkpoint (
    tenant_id uuid PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    at bigint NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL
);

-- Certificates of destruction. Drafted in the commit of the purge, signed when the database is gone.
CREATE TABLE certificate (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL UNIQUE,
    provider_id uuid NOT NULL REFERENCES provider (id), -- who purged
    holder_id uuid NOT NULL REFERENCES provider (id),   -- who held it directly
    name text NOT NULL,
    statement text NOT NULL,                 -- JSON
    purged_at bigint NOT NULL,
    completed_at bigint,                     -- NULL: the database is not gone yet, nothing is signed
    key_id text,
    signature bytea
);
CREATE INDEX certificate_provider ON certificate (provider_id, purged_at);
CREATE INDEX certificate_holder ON certificate (holder_id, purged_at);
