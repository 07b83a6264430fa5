-- What came back from the engine: events by day, sums by minute, and how far each engine was read.

CREATE TABLE engines (
	id         smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name       text NOT NULL UNIQUE,                 -- the engine's own id, from WELCOME
	cursor     numeric(20) NOT NULL DEFAULT 0,       -- everything before it is in these tables
	updated_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON engines TO cp_ingest;

-- Texts of remote servers, each kept once an organisation (they may quote an address).
CREATE TABLE diagnostics (
	org_id int NOT NULL,
	id     bigint GENERATED ALWAYS AS IDENTITY,
	hash   bytea NOT NULL,
	text   text NOT NULL,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, hash)
);
SELECT tenant_table('diagnostics', 'SELECT');
GRANT SELECT, INSERT ON diagnostics TO cp_ingest;

CREATE TABLE events (
	at            timestamptz NOT NULL,
	org_id        int NOT NULL,
	engine        smallint NOT NULL,
	lsn           numeric(20) NOT NULL,
	kind          smallint NOT NULL,                 -- enum outcome_kind, or EVENT_ACCEPTED
	campaign_id   bigint NOT NULL DEFAULT 0,
	seq           bigint NOT NULL DEFAULT 0,         -- of the ledger; for messages their id
	attempt       smallint NOT NULL DEFAULT 0,
	code          smallint NOT NULL DEFAULT 0,
	dsn           text NOT NULL DEFAULT '',
	flags         int NOT NULL DEFAULT 0,
	next_at       timestamptz,
	rcpt_domain   text NOT NULL DEFAULT '',
	host          text NOT NULL DEFAULT '',
	ip            text NOT NULL DEFAULT '',
	source        text NOT NULL DEFAULT '',
	diagnostic_id bigint
) PARTITION BY RANGE (at);
CREATE INDEX events_at ON events USING brin (at);
CREATE INDEX events_recipient ON events (org_id, campaign_id, seq);
SELECT tenant_table('events', 'SELECT');
GRANT SELECT, INSERT ON events TO cp_ingest;
CREATE TABLE events_other PARTITION OF events DEFAULT;
GRANT INSERT ON events_other TO cp_ingest;

-- Makes the partitions of a day ahead of need; harmless when they exist.
CREATE FUNCTION events_make_day(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	EXECUTE format('CREATE TABLE IF NOT EXISTS events_%s PARTITION OF events '
		'FOR VALUES FROM (%L) TO (%L)', to_char(day, 'YYYYMMDD'),
		day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
END $$;
REVOKE ALL ON FUNCTION events_make_day(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events_make_day(date) TO cp_ingest;

CREATE TABLE stats (
	org_id      int NOT NULL,
	bucket      timestamptz NOT NULL,                -- start of the minute
	campaign_id bigint NOT NULL DEFAULT 0,
	kind        smallint NOT NULL,
	n           bigint NOT NULL,
	PRIMARY KEY (org_id, bucket, campaign_id, kind)
);
CREATE INDEX stats_campaign ON stats (org_id, campaign_id, bucket);
SELECT tenant_table('stats', 'SELECT');
GRANT SELECT, INSERT, UPDATE ON stats TO cp_ingest;

CREATE TABLE unsubscribes (
	org_id      int NOT NULL REFERENCES orgs,
	campaign_id bigint NOT NULL,
	seq         bigint NOT NULL,
	at          timestamptz NOT NULL DEFAULT now(),
	one_click   boolean NOT NULL,
	PRIMARY KEY (org_id, campaign_id, seq)
);
SELECT tenant_table('unsubscribes', 'SELECT, INSERT');
