-- Plans in versions with limits and prices; what tenants were on since when, what they used each day, what they owe; their limits.
-- In *_max: NULL unlimited in a plan, the plan's in a tenant; 0 none; -1 in a tenant: unlimited, whatever the plan says.

ALTER TABLE plan ADD COLUMN description text NOT NULL DEFAULT '';
ALTER TABLE plan ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'retired'));
ALTER TABLE plan ADD COLUMN number bigint NOT NULL DEFAULT 1;      -- its newest version; modules and seats_max stand here as that one has them
ALTER TABLE plan ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE plan ADD COLUMN updated_at bigint;                     -- NULL: never since it was made

-- What a plan says under a number. Never changes: a tenant keeps its number until it is moved.
CREATE TABLE plan_version (
    plan_id uuid NOT NULL REFERENCES plan (id),
    number bigint NOT NULL,
    name text NOT NULL,                      -- the plan's name then
    modules bigint NOT NULL,                 -- bits of access::Modules
    seats_max bigint,
    automations_max bigint,
    resources_max bigint,
    api_keys_max bigint,
    month_micros bigint NOT NULL DEFAULT 0,  -- millionths of the currency, per month
    seat_micros bigint NOT NULL DEFAULT 0,   -- per seat and month
    currency text NOT NULL DEFAULT 'EUR',    -- ISO 4217
    trial_days bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    created_by uuid,                         -- NULL: the hub, or from before there were versions
    PRIMARY KEY (plan_id, number)
);
INSERT INTO plan_version (plan_id, number, name, modules, seats_max, created_at)
    SELECT id, 1, name, modules, seats_max, created_at FROM plan;

ALTER TABLE tenant ADD COLUMN plan_number bigint NOT NULL DEFAULT 1;
ALTER TABLE tenant ADD COLUMN automations_max bigint;
ALTER TABLE tenant ADD COLUMN resources_max bigint;
ALTER TABLE tenant ADD COLUMN api_keys_max bigint;
ALTER TABLE tenant ADD COLUMN licence_type text NOT NULL DEFAULT 'per_user_all_features'
    CHECK (licence_type IN ('per_user_all_features', 'custom'));
CREATE INDEX tenant_plan ON tenant (plan_id, plan_number);

-- A module that left a tenant's plan: closed at once, its data kept until then.
CREATE TABLE module_closed (
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    module text NOT NULL,
    closed_at bigint NOT NULL,
    kept_until bigint NOT NULL,
    emptying_at bigint,                      -- its data is being deleted since then
    emptied_at bigint,                       -- it is gone
    PRIMARY KEY (tenant_id, module)
);
CREATE INDEX module_closed_due ON module_closed (kept_until);

-- How limits are enforced: a provider's defaults, and what is otherwise for one of its tenants. NULL: inherited.
CREATE TABLE limit_policy (
    provider_id uuid NOT NULL REFERENCES provider (id),
    name text NOT NULL CHECK (name IN ('seats', 'automations', 'resources', 'api_keys')),
    enforcement text CHECK (enforcement IN ('inform', 'warn', 'block_new')),
    also_blocks text,                        -- names, comma separated
    PRIMARY KEY (provider_id, name)
);
CREATE TABLE tenant_limit (
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    name text NOT NULL CHECK (name IN ('seats', 'automations', 'resources', 'api_keys')),
    enforcement text CHECK (enforcement IN ('inform', 'warn', 'block_new')),
    also_blocks text,
    crossed_at bigint,                       -- an alert stands since then; NULL: none does
    PRIMARY KEY (tenant_id, name)
);

-- From which day on a tenant was on which plan, until the next row's. plan_id NULL: on none, it is archived. Days since 1970, UTC.
CREATE TABLE plan_period (
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    from_day bigint NOT NULL,
    plan_id uuid,
    plan_number bigint,
    trial_until_day bigint,                  -- the first day that costs something; NULL: no trial
    PRIMARY KEY (tenant_id, from_day)
);

-- What a tenant used, looked at once a day.
CREATE TABLE usage_day (
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    day bigint NOT NULL,
    seats bigint NOT NULL,
    capacity bigint,                         -- NULL: unlimited
    api_keys bigint NOT NULL,
    resources bigint NOT NULL,
    PRIMARY KEY (tenant_id, day)
);
CREATE INDEX usage_day_day ON usage_day (day);

-- Bills of months that are over. Written once.
CREATE TABLE bill (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    provider_id uuid NOT NULL REFERENCES provider (id),
    month bigint NOT NULL,                   -- year * 12 + month - 1
    currency text NOT NULL,
    plan_name text NOT NULL,                 -- the last one of the month in this currency
    plan_number bigint NOT NULL,
    seats bigint NOT NULL,                   -- the most of any stretch
    lines text NOT NULL,                     -- JSON
    total_micros bigint NOT NULL,
    closed_at bigint NOT NULL,
    UNIQUE (tenant_id, month, currency)
);
CREATE INDEX bill_provider ON bill (provider_id, month);

-- Months whose bills are all written.
CREATE TABLE billed_month (
    month bigint PRIMARY KEY,
    closed_at bigint NOT NULL
);

ALTER TABLE summary ADD COLUMN resources bigint NOT NULL DEFAULT 0;  -- distinct resources that its scans know
