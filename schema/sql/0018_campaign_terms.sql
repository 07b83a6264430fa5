-- On what terms a campaign is sent: they are fixed when it begins, so that its mail keeps its bytes.
ALTER TABLE campaigns
	ADD COLUMN footer   text,                            -- NULL until it begins; '' is none
	ADD COLUMN own_path boolean,                         -- NULL until it begins; the sender's domain takes bounces
	ADD COLUMN paused_by smallint NOT NULL DEFAULT 0;    -- 0 a member or nobody, 1 its domain degraded

-- Those that are being sent go on as they began.
ALTER TABLE campaigns NO FORCE ROW LEVEL SECURITY;
UPDATE campaigns SET footer = '', own_path = true WHERE started_at IS NOT NULL;
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;

ALTER TABLE orgs ADD COLUMN postal_address text NOT NULL DEFAULT '';

ALTER TABLE domains ADD COLUMN degraded_at timestamptz; -- NULL: it is not degraded
ALTER TABLE domains NO FORCE ROW LEVEL SECURITY;
UPDATE domains SET degraded_at = now() WHERE status = 3;
ALTER TABLE domains FORCE ROW LEVEL SECURITY;
GRANT SELECT ON domains TO cp_ingest;
