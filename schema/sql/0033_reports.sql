-- What others report about sending domains: DMARC aggregate reports and TLS reports.

-- From which addresses the engines sent on which days.  Not of one organisation: whose an address is does not depend
-- on who sent from it.
CREATE TABLE sending_days (
	ip  inet NOT NULL,
	day date NOT NULL,
	PRIMARY KEY (ip, day)
);
GRANT SELECT, INSERT ON sending_days TO cp_ingest;

-- One row a report and domain.  identity: 16 bytes of SHA-256 of who made it and the name that they gave it.  A report
-- about names of several organisations is one row for each, with its own rows only.
CREATE TABLE dmarc_reports (
	org_id      int NOT NULL,
	id          bigint GENERATED ALWAYS AS IDENTITY,
	domain_id   bigint NOT NULL,
	identity    bytea NOT NULL,
	reporter    text NOT NULL,
	email       text NOT NULL,
	report_id   text NOT NULL,
	about       text NOT NULL,                       -- the domain whose policy was applied
	begin_at    timestamptz,
	end_at      timestamptz,
	policy      text NOT NULL,                       -- as published: "p=none sp=... adkim=r"
	messages    bigint NOT NULL,                     -- of these rows
	ours        bigint NOT NULL,
	forwarded   bigint NOT NULL,
	strangers   bigint NOT NULL,
	partial     boolean NOT NULL,                    -- rows were left out for want of room
	received_at timestamptz NOT NULL,
	received_ip text NOT NULL,                       -- who brought it: nobody has proved the rest
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, domain_id, identity),
	FOREIGN KEY (org_id, domain_id) REFERENCES domains (org_id, id) ON DELETE CASCADE
);
CREATE INDEX dmarc_reports_domain ON dmarc_reports (org_id, domain_id, id);
CREATE INDEX dmarc_reports_age ON dmarc_reports (received_at);
SELECT tenant_table('dmarc_reports', 'SELECT, DELETE');
GRANT SELECT, INSERT ON dmarc_reports TO cp_ingest;

CREATE TABLE dmarc_rows (
	org_id        int NOT NULL,
	report        bigint NOT NULL,
	nth           int NOT NULL,
	ip            inet,
	n             bigint NOT NULL,
	whose         smallint NOT NULL,                 -- 1 ours, 2 ours through a forwarder, 3 a stranger's
	disposition   text NOT NULL,
	dkim          text NOT NULL,                     -- aligned: pass or fail
	spf           text NOT NULL,
	header_from   text NOT NULL,
	envelope_from text NOT NULL,
	reason        text NOT NULL,
	signers       text NOT NULL,                     -- "domain selector result, ..."
	PRIMARY KEY (org_id, report, nth),
	FOREIGN KEY (org_id, report) REFERENCES dmarc_reports (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('dmarc_rows', 'SELECT, DELETE');
GRANT SELECT, INSERT ON dmarc_rows TO cp_ingest;

-- One row a report and policy in it.
CREATE TABLE tls_reports (
	org_id      int NOT NULL,
	id          bigint GENERATED ALWAYS AS IDENTITY,
	domain_id   bigint NOT NULL,
	identity    bytea NOT NULL,
	nth         int NOT NULL,                        -- of the policies in the report
	reporter    text NOT NULL,
	contact     text NOT NULL,
	report_id   text NOT NULL,
	begin_at    timestamptz,
	end_at      timestamptz,
	policy      text NOT NULL,                       -- sts, tlsa, no-policy-found
	about       text NOT NULL,
	success     bigint NOT NULL,
	failure     bigint NOT NULL,
	partial     boolean NOT NULL,
	received_at timestamptz NOT NULL,
	received_ip text NOT NULL,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, domain_id, identity, nth),
	FOREIGN KEY (org_id, domain_id) REFERENCES domains (org_id, id) ON DELETE CASCADE
);
CREATE INDEX tls_reports_domain ON tls_reports (org_id, domain_id, id);
CREATE INDEX tls_reports_age ON tls_reports (received_at);
SELECT tenant_table('tls_reports', 'SELECT, DELETE');
GRANT SELECT, INSERT ON tls_reports TO cp_ingest;

CREATE TABLE tls_failures (
	org_id   int NOT NULL,
	report   bigint NOT NULL,
	nth      int NOT NULL,
	result   text NOT NULL,
	sessions bigint NOT NULL,
	ip       inet,                                   -- of the sending host
	ours     boolean NOT NULL,
	host     text NOT NULL,                          -- of the receiving host
	host_ip  inet,
	reason   text NOT NULL,
	PRIMARY KEY (org_id, report, nth),
	FOREIGN KEY (org_id, report) REFERENCES tls_reports (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('tls_failures', 'SELECT, DELETE');
GRANT SELECT, INSERT ON tls_failures TO cp_ingest;

-- Whose a name is: the nearest verified domain at or above it.
CREATE FUNCTION domain_owner(name text) RETURNS TABLE (org_id int, domain_id bigint)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
	SELECT d.org_id, d.id FROM domains d
	WHERE d.status <> 1 AND d.name IN (
		SELECT array_to_string(p.labels[i:], '.')
		FROM (SELECT string_to_array(lower(rtrim(domain_owner.name, '.')), '.') AS labels) p,
			generate_subscripts(p.labels, 1) i
	)
	ORDER BY length(d.name) DESC LIMIT 1
$$;
REVOKE ALL ON FUNCTION domain_owner(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION domain_owner(text) TO cp_ingest;

-- Reports are kept for 400 days.
CREATE FUNCTION sweep_reports(most int) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH dmarc AS (
		DELETE FROM dmarc_reports WHERE (org_id, id) IN (SELECT org_id, id FROM dmarc_reports
			WHERE received_at < now() - interval '400 days' LIMIT most FOR UPDATE SKIP LOCKED) RETURNING 1
	), tls AS (
		DELETE FROM tls_reports WHERE (org_id, id) IN (SELECT org_id, id FROM tls_reports
			WHERE received_at < now() - interval '400 days' LIMIT most FOR UPDATE SKIP LOCKED) RETURNING 1
	), sent AS (
		DELETE FROM sending_days WHERE (ip, day) IN (SELECT ip, day FROM sending_days
			WHERE day < now() - interval '400 days' LIMIT most) RETURNING 1
	)
	SELECT (SELECT count(*) FROM dmarc) + (SELECT count(*) FROM tls) + (SELECT count(*) FROM sent)
$$;
GRANT SELECT, UPDATE, DELETE ON dmarc_reports, tls_reports, dmarc_rows, tls_failures TO cp_lookup;
GRANT SELECT, DELETE ON sending_days TO cp_lookup;
ALTER FUNCTION sweep_reports(int) OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION sweep_reports(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sweep_reports(int) TO cp_ingest;
