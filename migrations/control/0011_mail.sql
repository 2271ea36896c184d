-- E-mails on their way and as a log; alerts and what people were told of them; people's own channels; lost passwords.

-- An e-mail. Its content is there as long as it may still be sent.
CREATE TABLE mail (
    id uuid PRIMARY KEY,
    provider_id uuid,                        -- whose log it stands in; NULL: the installation's
    tenant_id uuid,                          -- which tenant it is about, if it is about one
    person_id uuid,                          -- whom it reaches, when they have an account
    recipient text NOT NULL,
    template text NOT NULL,
    subject text NOT NULL,
    body bytea,                              -- JSON: from, text, html; sealed with the installation's key, since links are secrets
    needs text NOT NULL DEFAULT '[]',        -- JSON: places that the person must still see alerts of when it is sent
    state text NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'withheld')),
    attempts bigint NOT NULL DEFAULT 0,
    next_at bigint,                          -- when it is tried next
    leased_until bigint,                     -- until then somebody is sending it
    sent_at bigint,
    error text,
    created_at bigint NOT NULL
);
CREATE INDEX mail_due ON mail (state, next_at);
CREATE INDEX mail_provider ON mail (provider_id, created_at);
CREATE INDEX mail_tenant ON mail (tenant_id);

-- Something that was noticed. Its identity is (whose, rule, subject), never a time.
CREATE TABLE alert (
    id uuid PRIMARY KEY,
    whose uuid NOT NULL,                     -- the provider or tenant in whose inbox it stands
    provider_id uuid,
    tenant_id uuid,
    rule text NOT NULL,
    subject text NOT NULL,
    label text NOT NULL,
    urgency bigint NOT NULL CHECK (urgency BETWEEN 1 AND 3), -- info, warning, critical
    facts text NOT NULL,                     -- JSON
    state text NOT NULL CHECK (state IN ('open', 'acknowledged', 'snoozed', 'resolved')),
    raised_at bigint NOT NULL,               -- when it last opened
    last_at bigint NOT NULL,                 -- when it was last noticed
    count bigint NOT NULL DEFAULT 1,         -- times it opened
    turn bigint NOT NULL DEFAULT 1,          -- times people were told
    acknowledged_by uuid,
    acknowledged_at bigint,
    snoozed_until bigint,
    resolved_by uuid,
    resolved_at bigint,
    reason text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 1,
    UNIQUE (whose, rule, subject),
    CHECK ((provider_id IS NULL) <> (tenant_id IS NULL))
);
CREATE INDEX alert_tenant ON alert (tenant_id, state);
CREATE INDEX alert_provider ON alert (provider_id, state);
CREATE INDEX alert_snoozed ON alert (state, snoozed_until);

-- Alerts that people are still to be told of, person by person.
CREATE TABLE alert_telling (
    alert_id uuid NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    turn bigint NOT NULL,
    after_person uuid,                       -- the last one who was told
    created_at bigint NOT NULL,
    PRIMARY KEY (alert_id, turn)
);

-- What a person was told in the console.
CREATE TABLE notification (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    alert_id uuid,                           -- NULL: about one of their channels
    turn bigint NOT NULL DEFAULT 0,
    provider_id uuid,
    tenant_id uuid,
    rule text NOT NULL,
    label text NOT NULL,
    urgency bigint NOT NULL,
    facts text NOT NULL,
    at bigint NOT NULL,
    read_at bigint,
    UNIQUE (person_id, alert_id, turn)
);
CREATE INDEX notification_person ON notification (person_id, at);
CREATE INDEX notification_tenant ON notification (tenant_id);

-- What a person wants to be told, and how; what is not here is as we think best.
CREATE TABLE notification_rule (
    person_id uuid NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    rule text NOT NULL,
    urgency_min bigint NOT NULL,
    channels text NOT NULL,                  -- JSON: in_app, email, ids of channels
    PRIMARY KEY (person_id, rule)
);
CREATE TABLE notification_digest (
    person_id uuid PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    digest text NOT NULL CHECK (digest IN ('daily', 'weekly')),
    since bigint NOT NULL,                   -- what came later was in no digest yet
    next_at bigint NOT NULL
);
CREATE INDEX notification_digest_due ON notification_digest (next_at);

-- A person's webhook.
CREATE TABLE channel (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('webhook')),
    name text NOT NULL,
    address bytea NOT NULL,                  -- JSON: url and secret, sealed with the installation's key
    state text NOT NULL CHECK (state IN ('active', 'failing', 'disabled')),
    failures bigint NOT NULL DEFAULT 0,      -- deliveries given up, one after the other
    last_at bigint,
    last_status text,
    created_at bigint NOT NULL
);
CREATE INDEX channel_person ON channel (person_id);

CREATE TABLE channel_delivery (
    id uuid PRIMARY KEY,
    channel_id uuid NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
    alert_id uuid,
    turn bigint NOT NULL DEFAULT 0,
    provider_id uuid,
    tenant_id uuid,
    event text NOT NULL,
    payload text NOT NULL,                   -- JSON, the very bytes that are signed and sent
    status text NOT NULL CHECK (status IN ('waiting', 'delivered', 'failed', 'withheld')),
    attempts bigint NOT NULL DEFAULT 0,
    code bigint,                             -- the last answer's HTTP status
    error text,
    at bigint NOT NULL,                      -- last tried, or made
    next_at bigint,
    leased_until bigint,
    created_at bigint NOT NULL,
    UNIQUE (channel_id, alert_id, turn)
);
CREATE INDEX channel_delivery_due ON channel_delivery (status, next_at);
CREATE INDEX channel_delivery_channel ON channel_delivery (channel_id, created_at);
CREATE INDEX channel_delivery_tenant ON channel_delivery (tenant_id);

-- Links by which a lost password is replaced: an hour, one use.
CREATE TABLE password_reset (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,        -- BLAKE3 of the token in the link
    person_id uuid REFERENCES person (id) ON DELETE CASCADE, -- NULL: somebody asked for an address that has no account
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint
);
CREATE INDEX password_reset_person ON password_reset (person_id);
CREATE INDEX password_reset_end ON password_reset (expires_at);
