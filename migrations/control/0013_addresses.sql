-- Whether clients of a provider have an address of their own below the base domain.
ALTER TABLE provider ADD COLUMN address_subdomains boolean NOT NULL DEFAULT true;
