-- What providers decide for themselves and their clients, and tenants for themselves: each key, its kind and its values are in msp::settings.

-- One decision. What is not here is inherited: from the preset, from the provider above, at last from the registry's default.
CREATE TABLE setting (
    scope_id uuid NOT NULL,                  -- of the provider, the relationship (client) or the tenant
    scope_kind text NOT NULL CHECK (scope_kind IN ('preset', 'provider', 'client', 'tenant')), -- preset: a provider's, as it was when it was applied
    key text NOT NULL,
    value text NOT NULL,                     -- a word, a whole number, or true/false
    PRIMARY KEY (scope_id, scope_kind, key)
);
-- What was decided before there was such a table.
INSERT INTO setting (scope_id, scope_kind, key, value)
    SELECT id, 'provider', 'access_mode', access_mode FROM provider WHERE access_mode <> 'tiered';
INSERT INTO setting (scope_id, scope_kind, key, value)
    SELECT id, 'provider', 'staff_shown', staff_shown FROM provider WHERE staff_shown <> 'by_name';
ALTER TABLE provider ADD COLUMN preset text; -- name of the one that was applied last

-- A grant that the access mode implicit_owner gives every admin; what it stands in the place of comes back when it goes.
ALTER TABLE assignment ADD COLUMN by_mode boolean NOT NULL DEFAULT false;
ALTER TABLE assignment ADD COLUMN stood text; -- JSON of the assignment that stood before; NULL: none did

-- How old a password is, and those of before, as long as somebody wants them not to come back.
ALTER TABLE person ADD COLUMN password_set_at bigint;    -- NULL: when the person was made
CREATE TABLE old_password (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    hash text NOT NULL,                      -- PHC string, as it stood in person
    until bigint NOT NULL
);
CREATE INDEX old_password_person ON old_password (person_id, until);

-- Staff's way into a tenant that wants them to prove themselves first: what they proved by, and when.
ALTER TABLE session ADD COLUMN password_at bigint;       -- when the password was last given
CREATE TABLE tenant_entry (
    session_id uuid NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    how text NOT NULL CHECK (how IN ('step_up', 'reauth')),
    at bigint NOT NULL,
    PRIMARY KEY (session_id, tenant_id)
);
CREATE INDEX tenant_entry_tenant ON tenant_entry (tenant_id);
