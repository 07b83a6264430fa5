-- Why recipients of a campaign bounced, waited or expired, summed as it comes: reading it back from the events took as
-- long as the campaign was large.
CREATE TABLE reasons (
	org_id        int NOT NULL,
	campaign_id   bigint NOT NULL,
	kind          smallint NOT NULL,                 -- enum outcome_kind: bounced, expired, deferred
	code          smallint NOT NULL,
	dsn           text NOT NULL,
	diagnostic_id bigint NOT NULL,                   -- 0: no text
	n             bigint NOT NULL,
	PRIMARY KEY (org_id, campaign_id, kind, code, dsn, diagnostic_id)
);
CREATE INDEX reasons_most ON reasons (org_id, campaign_id, n DESC);
SELECT tenant_table('reasons', 'SELECT');
GRANT SELECT, INSERT, UPDATE ON reasons TO cp_ingest;

INSERT INTO reasons (org_id, campaign_id, kind, code, dsn, diagnostic_id, n)
SELECT org_id, campaign_id, kind, code, dsn, coalesce(diagnostic_id, 0), count(*)
FROM events WHERE campaign_id <> 0 AND kind IN (2, 3, 5) GROUP BY 1, 2, 3, 4, 5, 6;
