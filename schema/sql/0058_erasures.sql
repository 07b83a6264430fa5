-- What came back, page by page and by address; and erasing those who were written to.

ALTER TABLE returns ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX returns_id ON returns (org_id, id);
CREATE INDEX returns_kind ON returns (org_id, kind, id);
CREATE INDEX returns_rcpt ON returns (org_id, lower(rcpt)) WHERE rcpt <> '';
-- Of submitted mail alone: rows of campaigns have no address.
CREATE INDEX events_rcpt ON events (org_id, rcpt) WHERE rcpt <> '';
CREATE INDEX import_errors_value ON import_errors (org_id, left(lower(btrim(value)), 320)) WHERE value <> '';

-- Contacts that were erased.  email: until nothing of it is left.  Rows stay as long as a return path is good (180 days),
-- so that what comes later about mail that was under way keeps the address out.
CREATE TABLE erasures (
	org_id     int NOT NULL REFERENCES orgs,
	contact_id bigint NOT NULL,
	email_hash bytea NOT NULL,                       -- as suppressions.email_hash
	email      text NOT NULL,
	due_at     timestamptz NOT NULL DEFAULT now(),
	asked_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, contact_id)
);
CREATE INDEX erasures_due ON erasures (due_at) WHERE email <> '';
CREATE INDEX erasures_hash ON erasures (org_id, email_hash);
CREATE INDEX erasures_age ON erasures (asked_at);
SELECT tenant_table('erasures', 'SELECT, INSERT');

CREATE FUNCTION erased_hash(address text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$ SELECT substring(sha256(convert_to(address, 'UTF8')) for 16) $$;
-- Stands where the address of an erased person stood.  No address looks like that: it has no "@".  Whoever complains
-- later can still be suppressed, and whoever asks with the address finds it.
CREATE FUNCTION erased_mark(address text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$ SELECT '#' || encode(erased_hash(address), 'hex') $$;
-- What a host said, without the address.
CREATE FUNCTION erased_text(said text, address text) RETURNS text LANGUAGE sql IMMUTABLE AS
	$$ SELECT regexp_replace(said, regexp_replace(address, '([^[:alnum:]@])', '\\\1', 'g'), '(erased)', 'gi') $$;

-- Is this an address that was erased, and is nobody's now?
CREATE FUNCTION erased_is(org int, address text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT EXISTS (SELECT FROM erasures x WHERE x.org_id = org AND x.email_hash = erased_hash(address))
		AND NOT EXISTS (SELECT FROM contacts c WHERE c.org_id = org AND c.email_norm = address)
$$;
-- Was the recipient of this submitted mail erased?
CREATE FUNCTION erased_recipient(org int, submitted bigint, nth int) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT EXISTS (SELECT FROM events e WHERE e.org_id = org AND e.campaign_id = 0 AND e.seq = submitted
		AND (e.rcpt_row = nth OR nth = 65535) AND e.rcpt LIKE '#%')
$$;

-- As before (0032_returns.sql), and the rest follows soon (erase_some).
CREATE OR REPLACE FUNCTION contacts_forgotten() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	UPDATE returns b SET rcpt = '', evidence = '', source = ''
	FROM gone g JOIN campaign_recipients r ON r.contact_id = g.id AND r.org_id = g.org_id AND r.later <> 0
	WHERE b.org_id = r.org_id AND b.campaign_id = r.campaign_id AND b.seq = r.seq;
	INSERT INTO erasures (org_id, contact_id, email_hash, email)
	SELECT org_id, id, erased_hash(email_norm), email_norm FROM gone ON CONFLICT DO NOTHING;
	RETURN NULL;
END $$;

-- Takes addresses of erased contacts out of what is kept of their mail; numbers, states and sums stay.  Gives how many
-- contacts it worked on.  Mail that is under way has its say first: until it ended, the contact stays due.
CREATE FUNCTION erase_some(most int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
	x record;
	mark text;
	mails bigint[];
	left_over boolean;
	n int := 0;
BEGIN
	FOR x IN SELECT * FROM erasures WHERE email <> '' AND due_at <= now() ORDER BY due_at LIMIT most
		FOR UPDATE SKIP LOCKED
	LOOP
		n := n + 1;
		mark := erased_mark(x.email);
		mails := ARRAY(SELECT DISTINCT e.seq FROM events e WHERE e.org_id = x.org_id AND e.campaign_id = 0
			AND e.rcpt = x.email LIMIT 200);
		UPDATE returns b SET rcpt = '', evidence = '', source = ''
		FROM (SELECT DISTINCT e.seq, e.rcpt_row FROM events e WHERE e.org_id = x.org_id AND e.campaign_id = 0
			AND e.seq = ANY (mails) AND e.rcpt = x.email) m
		WHERE b.org_id = x.org_id AND b.campaign_id = 0 AND b.seq = m.seq
			AND (b.rcpt_row = m.rcpt_row OR b.rcpt_row = 65535);
		UPDATE diagnostics d SET text = erased_text(d.text, x.email)
		FROM events e
		WHERE e.org_id = x.org_id AND e.campaign_id = 0 AND e.seq = ANY (mails) AND e.rcpt = x.email
			AND d.org_id = x.org_id AND d.id = e.diagnostic_id AND position(x.email in lower(d.text)) > 0;
		UPDATE events e SET rcpt = mark
		WHERE e.org_id = x.org_id AND e.campaign_id = 0 AND e.seq = ANY (mails) AND e.rcpt = x.email;
		left_over := cardinality(mails) = 200;
		CONTINUE WHEN left_over; -- it is due still

		UPDATE returns b SET rcpt = '', evidence = '', source = ''
		WHERE b.org_id = x.org_id AND lower(b.rcpt) = x.email AND b.rcpt <> '';
		UPDATE diagnostics d SET text = erased_text(d.text, x.email)
		FROM campaign_recipients r JOIN events e ON e.org_id = r.org_id AND e.campaign_id = r.campaign_id
			AND e.seq = r.seq
		WHERE r.contact_id = x.contact_id AND r.org_id = x.org_id
			AND d.org_id = x.org_id AND d.id = e.diagnostic_id AND position(x.email in lower(d.text)) > 0;
		UPDATE import_errors i SET value = ''
		WHERE i.org_id = x.org_id AND left(lower(btrim(i.value)), 320) = x.email AND i.value <> '';
		UPDATE suppressions s SET email = ''
		WHERE s.org_id = x.org_id AND s.email_hash = x.email_hash AND s.email <> '' AND NOT EXISTS (
			SELECT FROM contacts c WHERE c.org_id = x.org_id AND c.email_norm = x.email);
		-- Its last outcome may still come, and quote it.
		left_over := EXISTS (SELECT FROM campaign_recipients r
			WHERE r.contact_id = x.contact_id AND r.org_id = x.org_id AND r.state < 4);
		UPDATE erasures o SET email = CASE WHEN left_over THEN o.email ELSE '' END,
			due_at = now() + interval '10 seconds'
		WHERE o.org_id = x.org_id AND o.contact_id = x.contact_id;
	END LOOP;
	DELETE FROM erasures WHERE (org_id, contact_id) IN (SELECT org_id, contact_id FROM erasures
		WHERE email = '' AND asked_at < now() - interval '200 days' LIMIT most FOR UPDATE SKIP LOCKED);
	RETURN n;
END $$;

-- As before (0043_submitted_returns.sql), and who was erased since is suppressed by the hash alone.
CREATE OR REPLACE FUNCTION returns_act_submitted(orgs int[], seqs bigint[], rcpt_rows int[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
	p record;
	address text;
	erased boolean;
	n bigint := 0;
	one bigint;
BEGIN
	FOR p IN
		SELECT r.org_id, r.seq, r.rcpt_row, r.last_at, w.reason, w.source
		FROM (SELECT DISTINCT * FROM unnest(orgs, seqs, rcpt_rows)) AS u(org_id, seq, rcpt_row)
		JOIN returns r ON r.org_id = u.org_id AND r.campaign_id = 0 AND r.seq = u.seq AND r.rcpt_row = u.rcpt_row
		JOIN (VALUES (34, 4, 'feedback_report', 1), (36, 2, 'unsubscribe_mail', 2), (32, 3, 'bounce_mail', 3))
			AS w(kind, reason, source, nth) ON w.kind = r.kind
		WHERE u.seq < 0 AND (r.kind <> 32 OR r.hard)
		ORDER BY r.org_id, r.seq, r.rcpt_row, w.nth
	LOOP
		SELECT e.rcpt INTO address FROM events e
		WHERE e.org_id = p.org_id AND e.campaign_id = 0 AND e.seq = p.seq AND e.rcpt_row = p.rcpt_row
			AND e.rcpt <> '' AND e.at > p.last_at - interval '200 days'
		LIMIT 1;
		CONTINUE WHEN NOT FOUND;
		erased := address LIKE '#%';
		INSERT INTO suppressions AS s (org_id, email_hash, email, reason, source, hard)
		VALUES (p.org_id, CASE WHEN erased THEN decode(substr(address, 2), 'hex') ELSE erased_hash(address) END,
			CASE WHEN erased THEN '' ELSE address END, p.reason, p.source, p.reason <> 2)
		ON CONFLICT (org_id, email_hash) DO UPDATE SET
			reason = CASE WHEN s.reason NOT IN (2, 4) AND excluded.reason IN (2, 4)
				THEN excluded.reason ELSE s.reason END,
			source = CASE WHEN s.reason NOT IN (2, 4) AND excluded.reason IN (2, 4)
				THEN excluded.source ELSE s.source END,
			campaign_id = CASE WHEN s.reason NOT IN (2, 4) AND excluded.reason IN (2, 4)
				THEN NULL ELSE s.campaign_id END,
			seq = CASE WHEN s.reason NOT IN (2, 4) AND excluded.reason IN (2, 4) THEN NULL ELSE s.seq END,
			hard = s.hard OR excluded.hard
		WHERE s.reason NOT IN (2, 4) AND excluded.reason IN (2, 4) OR excluded.hard AND NOT s.hard;
		GET DIAGNOSTICS one = ROW_COUNT;
		n := n + one;
		UPDATE contacts c SET status = p.reason, updated_at = now(), version = c.version + 1
		WHERE c.org_id = p.org_id AND c.email_norm = address AND (c.status = 1
			OR c.status = 3 AND p.reason <> 3 OR c.status = 2 AND p.reason = 4);
	END LOOP;
	RETURN n;
END $$;

GRANT SELECT (org_id, email_norm) ON contacts TO cp_lookup;
GRANT SELECT, UPDATE, DELETE ON erasures TO cp_lookup;
GRANT SELECT, UPDATE ON events, returns, diagnostics, import_errors, suppressions TO cp_lookup;
DO $$
DECLARE
	f text;
BEGIN
	FOREACH f IN ARRAY ARRAY['erased_is(int, text)', 'erased_recipient(int, bigint, int)', 'erase_some(int)'] LOOP
		EXECUTE format('ALTER FUNCTION %s OWNER TO cp_lookup', f);
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO cp_ingest', f);
	END LOOP;
END $$;
