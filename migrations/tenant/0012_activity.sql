-- What was done lately, by time: for pages over many tenants, which have no common numbers.
CREATE INDEX ledger_at ON ledger (tenant_id, at, id);
