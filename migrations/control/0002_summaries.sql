-- The dashboard counts seats per tenant without reading member rows; the worker finds what time has changed.
CREATE INDEX member_seats ON member (tenant_id, state);
CREATE INDEX summary_recheck ON summary (recheck_at);
