-- Backups, restores, keys: what the operator's work needs to remember.

-- Data keys that a tenant had before: they open what was sealed with them, in older backups and until it is sealed anew.
CREATE TABLE tenant_key (
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    name text NOT NULL,                      -- of the key: 16 hexadecimal digits
    wrapped_key bytea NOT NULL,              -- under the installation's, as tenant.wrapped_key
    retired_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

-- Every place that ever got a backup, and so has a keyring. A purge removes the tenant from all of them.
CREATE TABLE backup_place (
    url text PRIMARY KEY,
    used_at bigint NOT NULL
);

-- Backups that the schedule made or tried to make.
CREATE TABLE backup_run (
    id uuid PRIMARY KEY,
    place text NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint,                         -- NULL: it runs, or was interrupted
    outcome text CHECK (outcome IN ('done', 'failed')),
    detail text NOT NULL DEFAULT '',
    bytes bigint NOT NULL DEFAULT 0
);
CREATE INDEX backup_run_started ON backup_run (started_at);

-- Tenants whose database is being filled from a backup and that are not registered yet: an interruption leaves nothing behind.
CREATE TABLE tenant_arriving (
    tenant_id uuid PRIMARY KEY,
    began_at bigint NOT NULL
);

-- What the operator asks of a hub that runs. No secrets in here.
CREATE TABLE operator_job (
    id uuid PRIMARY KEY,
    body text NOT NULL,                      -- JSON: what to do
    asked_by text NOT NULL,                  -- the account at the machine
    asked_at bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('asked', 'running', 'done', 'failed')),
    progress text NOT NULL DEFAULT '',
    result text NOT NULL DEFAULT '',         -- JSON when done, words when failed
    lease_until bigint NOT NULL DEFAULT 0    -- whoever runs it keeps this ahead of the clock
);
CREATE INDEX operator_job_state ON operator_job (state, asked_at);
