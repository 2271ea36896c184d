-- Scans that brought new critical findings, as long as one of those is open: then the alert about them is over.
CREATE TABLE critical_watch (
    {tenant_id},
    scan_id uuid NOT NULL,
    source_id uuid NOT NULL,
    first_seen_at bigint NOT NULL,           -- what those findings say of themselves
    label text NOT NULL,
    PRIMARY KEY (tenant_id, scan_id)
);
