-- How places look: layers of brand, their pictures, and the names that the hub is reached by. All of it is seen before signing in.

-- What those below a provider may do about their brand: set it · set what is left open above them · nothing.
ALTER TABLE provider ADD COLUMN tenant_branding text NOT NULL DEFAULT 'override'
    CHECK (tenant_branding IN ('override', 'inherit', 'locked'));
ALTER TABLE session ADD COLUMN brand_id uuid;          -- the brand that its person signed in under
ALTER TABLE session ADD COLUMN brand_version bigint;

-- One layer: the installation's (neither), a provider's or a tenant's. NULL: as the layer above it.
CREATE TABLE brand (
    id uuid PRIMARY KEY,                     -- follows from whose it is, without saying so
    provider_id uuid REFERENCES provider (id),
    tenant_id uuid REFERENCES tenant (id),
    name text,
    colour text,                             -- #rrggbb
    accent text,                             -- #rrggbb
    logo_light text,                         -- id of a brand_asset
    logo_dark text,
    favicon text,
    support_label text,
    support_url text,                        -- https: or mailto:
    email_footer text,
    sign_in_text text,
    version bigint NOT NULL,
    CHECK (provider_id IS NULL OR tenant_id IS NULL)
);
CREATE INDEX brand_tenant ON brand (tenant_id);

-- Pictures as they are served: decoded and written anew, SVG sanitised.
CREATE TABLE brand_asset (
    id text PRIMARY KEY,                     -- 32 hexadecimal digits: a hash of whose, which kind, and the bytes
    brand_id uuid NOT NULL,
    tenant_id uuid REFERENCES tenant (id),
    kind text NOT NULL CHECK (kind IN ('logo_light', 'logo_dark', 'favicon')),
    media text NOT NULL CHECK (media IN ('image/png', 'image/jpeg', 'image/svg+xml')),
    width bigint NOT NULL,
    height bigint NOT NULL,
    bytes bytea NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX brand_asset_brand ON brand_asset (brand_id, created_at);
CREATE INDEX brand_asset_tenant ON brand_asset (tenant_id);

-- Names of somebody's own that lead here. Lower case; one belongs to one place.
CREATE TABLE host_name (
    id uuid PRIMARY KEY,
    host text NOT NULL UNIQUE,
    provider_id uuid NOT NULL REFERENCES provider (id), -- who keeps it
    tenant_id uuid REFERENCES tenant (id),   -- NULL: the provider's own
    created_at bigint NOT NULL
);
CREATE INDEX host_name_provider ON host_name (provider_id);
CREATE INDEX host_name_tenant ON host_name (tenant_id);
