-- Scans and what they found: sources, scans, controls, findings, overrides, comments, scores.
-- `key` columns are the first 16 bytes of a BLAKE3 of what a thing is recognised by: short enough for any index.

-- A stream of scans: one tool on one target with one profile.
CREATE TABLE source (
    {tenant_id},
    id uuid NOT NULL,
    key uuid NOT NULL,
    tool text NOT NULL,
    target text NOT NULL,                    -- '' when the files do not say
    profile text NOT NULL,                   -- '' for none
    scan_id uuid,                            -- its latest complete scan; NULL: none yet
    scan_at bigint,                          -- when that was observed
    created_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, key)
);

CREATE TABLE scan (
    {tenant_id},
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    format text NOT NULL,
    tool text NOT NULL,
    tool_version text,
    target text NOT NULL,
    file text NOT NULL,
    bytes bigint NOT NULL,
    sha text NOT NULL,                       -- BLAKE3 of the raw bytes, hexadecimal: the same file is imported once
    observed_at bigint NOT NULL,
    imported_at bigint NOT NULL,
    imported_by text NOT NULL,               -- JSON: id, name, as, staff
    complete boolean NOT NULL,               -- false: a part of its target; fixes nothing and is not scored
    applied boolean NOT NULL,                -- false: older than what its source already had; history only
    findings bigint NOT NULL DEFAULT 0,
    passed bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    manual bigint NOT NULL DEFAULT 0,
    added bigint NOT NULL DEFAULT 0,
    fixed bigint NOT NULL DEFAULT 0,
    returned bigint NOT NULL DEFAULT 0,
    recurring bigint NOT NULL DEFAULT 0,
    merged bigint NOT NULL DEFAULT 0,
    score_bp bigint,
    unknown_classes text NOT NULL DEFAULT '{}', -- JSON: name to count
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, sha)
);
CREATE INDEX scan_observed ON scan (tenant_id, observed_at, id);
CREATE INDEX scan_source ON scan (tenant_id, source_id, observed_at);

CREATE TABLE control (
    {tenant_id},
    id uuid NOT NULL,
    key uuid NOT NULL,                       -- of tool and uid
    tool text NOT NULL,
    uid text NOT NULL,
    title text NOT NULL,
    description text,
    remediation text,
    url text,
    severity text NOT NULL,
    severity_rank bigint NOT NULL,           -- 0 critical … 5 unknown
    content uuid NOT NULL,                   -- of everything above and the frameworks: unchanged ones are not written again
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, key)
);

CREATE TABLE control_framework (
    {tenant_id},
    control_id uuid NOT NULL,
    framework text NOT NULL,
    requirement text NOT NULL,
    PRIMARY KEY (tenant_id, control_id, framework, requirement)
);
CREATE INDEX control_framework_name ON control_framework (tenant_id, framework, control_id);

-- What a complete scan said of each control: findings by result. Scores of any day are made of these.
CREATE TABLE scan_control (
    {tenant_id},
    scan_id uuid NOT NULL,
    control_id uuid NOT NULL,
    passing bigint NOT NULL,
    failing bigint NOT NULL,
    manual bigint NOT NULL,
    overridden bigint NOT NULL,              -- failing ones that an override of their own covered when it was imported
    PRIMARY KEY (tenant_id, scan_id, control_id)
);

CREATE TABLE finding (
    {tenant_id},
    id uuid NOT NULL,
    key uuid NOT NULL,                       -- of source, control and subject; never of a time
    source_id uuid NOT NULL,
    control_id uuid NOT NULL,
    title text NOT NULL,
    severity text NOT NULL,
    severity_order bigint NOT NULL,          -- rank * 10^17 + first_seen_at: worst first, then oldest
    result text NOT NULL CHECK (result IN ('pass', 'fail', 'manual', 'not_applicable', 'error')),
    lifecycle text NOT NULL CHECK (lifecycle IN ('new', 'recurring', 'fixed', 'returned')),
    has_failed boolean NOT NULL,
    gone boolean NOT NULL DEFAULT false,     -- never failed, and its source's latest complete scan has it no more
    first_seen_at bigint NOT NULL,           -- of one that has failed: when it first did
    last_seen_at bigint NOT NULL,
    last_scan_id uuid NOT NULL,
    scored_scan_id uuid,                     -- the last complete scan it was in, and what that said
    scored_result text,
    changes bigint NOT NULL,                 -- rows of finding_history ever written
    message text,
    location text,
    resource_uid text NOT NULL,
    resource_name text,
    resource_kind text,
    resource_region text,
    resource_account text,
    assignee_id uuid,
    assignee text,                           -- JSON: id, name, as, staff
    comments bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 1,       -- of what people change
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, key)
);
CREATE INDEX finding_severity ON finding (tenant_id, severity_order, id);
CREATE INDEX finding_control ON finding (tenant_id, control_id);

CREATE TABLE finding_evidence (
    {tenant_id},
    finding_id uuid NOT NULL,
    sealed bytea NOT NULL,                   -- JSON, sealed with the tenant's key
    PRIMARY KEY (tenant_id, finding_id)
);

-- Turns in a finding's life; scans that found it as it was before leave no row. The last 50 are kept.
CREATE TABLE finding_history (
    {tenant_id},
    finding_id uuid NOT NULL,
    n bigint NOT NULL,
    scan_id uuid NOT NULL,
    at bigint NOT NULL,
    outcome text NOT NULL,
    PRIMARY KEY (tenant_id, finding_id, n)
);
CREATE INDEX finding_history_scan ON finding_history (tenant_id, scan_id);

CREATE TABLE override_item (
    {tenant_id},
    id uuid NOT NULL,
    finding_id uuid,                         -- NULL: the whole control
    control_id uuid NOT NULL,
    reason text NOT NULL,
    expires_at bigint NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL,                -- JSON: id, name, as, staff
    revoked_at bigint,
    revoked_by text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX override_finding ON override_item (tenant_id, finding_id);
CREATE INDEX override_control ON override_item (tenant_id, control_id);

CREATE TABLE comment (
    {tenant_id},
    id uuid NOT NULL,
    finding_id uuid NOT NULL,
    n bigint NOT NULL,                       -- 1 is the finding's first
    author text NOT NULL,                    -- JSON: id, name, as, staff
    body text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX comment_finding ON comment (tenant_id, finding_id, n);

-- Whoever changes what is scored holds this row until the commit, so that no two compute the score at once without each other's
-- change.
CREATE TABLE score_head (
    {tenant_id},
    n bigint NOT NULL,
    PRIMARY KEY (tenant_id)
);

CREATE TABLE score_point (
    {tenant_id},
    n bigint NOT NULL,                       -- in the order in which they were made
    at bigint NOT NULL,
    score_bp bigint,                         -- hundredths of a percent; NULL: no control was judged
    passed bigint NOT NULL,                  -- with the overridden ones
    failed bigint NOT NULL,
    overridden bigint NOT NULL,
    critical bigint NOT NULL,
    high bigint NOT NULL,
    scan_id uuid,                            -- NULL: an override began or ended
    PRIMARY KEY (tenant_id, n)
);
CREATE INDEX score_point_at ON score_point (tenant_id, at, n);
