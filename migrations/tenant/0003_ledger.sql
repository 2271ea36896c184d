-- Signed heads of the tenant's own ledger.
CREATE TABLE checkpoint (
    {tenant_id},
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    at bigint NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL,
    id uuid NOT NULL,                        -- tells pages of a list apart
    PRIMARY KEY (tenant_id, seq, hash)
);
