-- The installation's licence, standalone installations, and the last part of a tenant's life: archive window, holds, purges by two.

-- standalone: holds the tenant of an installation that has no provider; without staff or relationship, so that nobody reaches through it.
ALTER TABLE provider ADD COLUMN kind text NOT NULL DEFAULT 'msp' CHECK (kind IN ('msp', 'standalone'));
ALTER TABLE provider ADD COLUMN archive_days bigint NOT NULL DEFAULT 30;          -- days that an archived tenant is kept at least
ALTER TABLE provider ADD COLUMN immediate_purge boolean NOT NULL DEFAULT false;   -- no such wait

ALTER TABLE tenant ADD COLUMN held_at bigint;                                     -- legal hold: nothing of it is deleted
ALTER TABLE tenant ADD COLUMN held_by uuid REFERENCES person (id);
ALTER TABLE tenant ADD COLUMN held_reason text NOT NULL DEFAULT '';
ALTER TABLE tenant ADD COLUMN onboarding_skipped bigint NOT NULL DEFAULT 0;       -- bits of the steps that were skipped

-- Licences that were activated; the highest number counts. The file is checked again whenever it is used.
CREATE TABLE msp_licence (
    number bigint PRIMARY KEY,
    licence text NOT NULL,                   -- its id, lic_…
    file text NOT NULL,                      -- exactly as it was given
    activated_at bigint NOT NULL,
    activated_by uuid REFERENCES person (id), -- NULL: the operator
    warned_days bigint                       -- the last warning given of its end: 30, 7, 1 or 0 days before
);

-- Who asked for a tenant's purge. Another person carries it out.
CREATE TABLE purge_request (
    tenant_id uuid PRIMARY KEY REFERENCES tenant (id),
    side text NOT NULL CHECK (side IN ('provider', 'tenant')),
    person_id uuid NOT NULL REFERENCES person (id),
    at bigint NOT NULL,
    reason text NOT NULL
);

-- Something that everybody in a tenant is told once.
CREATE TABLE tenant_notice (
    tenant_id uuid NOT NULL REFERENCES tenant (id),
    kind text NOT NULL CHECK (kind IN ('licence_activated')),
    at bigint NOT NULL,
    facts text NOT NULL DEFAULT '{}',        -- JSON
    PRIMARY KEY (tenant_id, kind)
);
