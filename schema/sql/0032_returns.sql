-- What came back as mail about a recipient who had ended: a second fact beside the state, which it never changes.

-- later: bits of what came back, as control/campaigns/codes.h names them (1: returned).
ALTER TABLE campaign_recipients ADD COLUMN later smallint NOT NULL DEFAULT 0;
-- Of the recipients in this state, those that were returned.  Guarantee: never more than n; written in the
-- transaction that writes the ledger.
ALTER TABLE campaign_counts ADD COLUMN returned bigint NOT NULL DEFAULT 0;

-- One row a recipient and kind of event, however many notices said so: the first that came, or the first that
-- said that the address is at fault for good.  campaign_id 0: seq is the id of a single message.
CREATE TABLE returns (
	org_id      int NOT NULL REFERENCES orgs,
	campaign_id bigint NOT NULL,
	seq         bigint NOT NULL,
	kind        smallint NOT NULL,                   -- enum link_event_kind: 32 returned, 33 delay, 34 complaint, ...
	at          timestamptz NOT NULL,                -- when the first mail came
	last_at     timestamptz NOT NULL,
	n           int NOT NULL,                        -- how many facts of this kind
	hard        boolean NOT NULL,
	code        smallint NOT NULL,
	dsn         text NOT NULL,
	class       text NOT NULL,
	rule        text NOT NULL,
	host        text NOT NULL,                       -- who reports
	ip          text NOT NULL,                       -- from where the mail came
	source      text NOT NULL,                       -- the address that it came to
	rcpt        text NOT NULL,                       -- the recipient, as the mail names it: nobody proved that
	evidence    text NOT NULL,                       -- an excerpt of the mail
	PRIMARY KEY (org_id, campaign_id, seq, kind)
);
SELECT tenant_table('returns', 'SELECT');
GRANT UPDATE (rcpt, evidence, source) ON returns TO cp_api;
GRANT SELECT, INSERT, UPDATE ON returns TO cp_ingest;

-- As before (0005_sending.sql), and a recipient that was returned takes that along to its new state.
CREATE OR REPLACE FUNCTION ledger_move(org int, campaign bigint, seqs bigint[], states smallint[],
	codes smallint[], attempts_made smallint[], reasons smallint[]) RETURNS bigint
LANGUAGE sql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
	WITH wanted AS MATERIALIZED (
		SELECT DISTINCT ON (seq) org AS org_id, campaign AS campaign_id, seq, state, code, attempts, reason
		FROM unnest(seqs, states, codes, attempts_made, reasons) WITH ORDINALITY
			AS u(seq, state, code, attempts, reason, nth)
		ORDER BY seq, nth DESC
	), old AS MATERIALIZED (
		SELECT w.*, r.state AS was, r.later & 1 AS back FROM wanted w JOIN campaign_recipients r
			ON r.org_id = w.org_id AND r.campaign_id = w.campaign_id AND r.seq = w.seq
		WHERE r.state < 4
		ORDER BY w.seq FOR UPDATE OF r
	), moved AS (
		UPDATE campaign_recipients r
		SET state = old.state, code = old.code, attempts = greatest(r.attempts, old.attempts),
			reason = old.reason, changed_at = now()
		FROM old
		WHERE r.org_id = old.org_id AND r.campaign_id = old.campaign_id AND r.seq = old.seq
		RETURNING old.was, r.state AS became, old.back
	), difference AS (
		SELECT s.state, sum(s.d) AS d, sum(s.d * back) AS back FROM moved,
			LATERAL (VALUES (was, -1), (became, 1)) AS s(state, d) GROUP BY s.state
	), summed AS (
		UPDATE campaign_counts c SET n = c.n + difference.d, returned = c.returned + difference.back
		FROM difference
		WHERE c.org_id = org AND c.campaign_id = campaign AND c.state = difference.state
			AND (difference.d <> 0 OR difference.back <> 0)
		RETURNING 1
	)
	SELECT count(*) FROM moved, (SELECT count(*) FROM summed) AS _;
$$;

-- Marks recipients of one campaign with what came back, and keeps the sums; the state stays.  Gives how many had no
-- such mark.  Runs with the rights of its caller.
CREATE FUNCTION ledger_later(org int, campaign bigint, seqs bigint[], marks smallint[]) RETURNS bigint
LANGUAGE sql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
	WITH wanted AS MATERIALIZED (
		SELECT org AS org_id, campaign AS campaign_id, seq, bit_or(mark) AS mark
		FROM unnest(seqs, marks) AS u(seq, mark) GROUP BY seq
	), old AS MATERIALIZED (
		SELECT w.*, r.state AS state, r.later AS was FROM wanted w JOIN campaign_recipients r
			ON r.org_id = w.org_id AND r.campaign_id = w.campaign_id AND r.seq = w.seq
		WHERE r.later & w.mark <> w.mark
		ORDER BY w.seq FOR UPDATE OF r
	), marked AS (
		UPDATE campaign_recipients r SET later = r.later | old.mark
		FROM old
		WHERE r.org_id = old.org_id AND r.campaign_id = old.campaign_id AND r.seq = old.seq
		RETURNING old.state, (r.later & ~old.was) & 1 AS back
	), summed AS (
		UPDATE campaign_counts c SET returned = c.returned + d.back
		FROM (SELECT m.state, sum(m.back) AS back FROM marked m GROUP BY m.state) d
		WHERE c.org_id = org AND c.campaign_id = campaign AND c.state = d.state AND d.back <> 0
		RETURNING 1
	)
	SELECT count(*) FROM marked, (SELECT count(*) FROM summed) AS _;
$$;
REVOKE ALL ON FUNCTION ledger_later(int, bigint, bigint[], smallint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_later(int, bigint, bigint[], smallint[]) TO cp_ingest;

-- A notice that comes weeks later is about the address that was written to.  The ledger knows the contact alone:
-- whether that has another address since is seen here.
ALTER TABLE contacts ADD COLUMN email_since timestamptz;  -- NULL: since the contact was made
CREATE FUNCTION contacts_address_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.email_since := now();
	RETURN NEW;
END $$;
CREATE TRIGGER address_changed BEFORE UPDATE OF email_norm ON contacts FOR EACH ROW
	WHEN (OLD.email_norm IS DISTINCT FROM NEW.email_norm) EXECUTE FUNCTION contacts_address_changed();

-- Who is erased is not quoted any more.
CREATE FUNCTION contacts_forgotten() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	UPDATE returns b SET rcpt = '', evidence = '', source = ''
	FROM gone g JOIN campaign_recipients r ON r.contact_id = g.id AND r.org_id = g.org_id AND r.later <> 0
	WHERE b.org_id = r.org_id AND b.campaign_id = r.campaign_id AND b.seq = r.seq;
	RETURN NULL;
END $$;
CREATE TRIGGER forgotten AFTER DELETE ON contacts
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION contacts_forgotten();

-- Whom a suppression is about, beside campaign_id.
ALTER TABLE suppressions ADD COLUMN seq bigint;
ALTER TABLE unsubscribes ADD COLUMN by_mail boolean NOT NULL DEFAULT false;

-- The role that takes events sees no contacts: it may ask these two things and call what follows.
-- Whom a notice means whose token stands for all recipients of a piece: the only one, or the one that it names.
CREATE FUNCTION returns_seq(org int, campaign bigint, first bigint, who text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT r.seq FROM campaign_chunks k
	JOIN campaign_recipients r ON r.org_id = k.org_id AND r.campaign_id = k.campaign_id
		AND r.seq BETWEEN k.first_seq AND k.last_seq
	LEFT JOIN contacts c ON c.org_id = k.org_id AND c.id = r.contact_id
	WHERE k.org_id = org AND k.campaign_id = campaign AND k.first_seq = first
		AND (k.first_seq = k.last_seq OR c.email_norm = lower(who))
	ORDER BY r.seq LIMIT 1
$$;
CREATE FUNCTION returns_quotable(org int, contact bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
	$$ SELECT EXISTS (SELECT FROM contacts c WHERE c.org_id = org AND c.id = contact) $$;

-- Suppresses who bounced for good, complained or unsubscribed by mail, and their contacts say so.  Nothing is taken
-- from the notice but whose it is, which a token of ours proves: the address is that of the contact, if it has had it
-- since the campaign began or the notice names it.  reasons: suppressions.reason (2, 3, 4).  Gives how many addresses.
CREATE FUNCTION returns_act(orgs int[], campaigns_of bigint[], seqs bigint[], reasons smallint[], whos text[],
	ats bigint[], sources text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
	p record;
	who_is record;
	began timestamptz;
	contact bigint;
	n bigint := 0;
	one bigint;
BEGIN
	-- One by one, each by its keys: a join over all of them scanned the contacts again and again before the first
	-- ANALYZE.  What the person said is told before what a host said, and a complaint before an unsubscribe.
	FOR p IN
		SELECT * FROM unnest(orgs, campaigns_of, seqs, reasons, whos, ats, sources)
			AS g(org_id, campaign_id, seq, reason, who, at, source)
		ORDER BY g.org_id, g.campaign_id, g.seq, array_position('{4,2,3}'::smallint[], g.reason)
	LOOP
		contact := NULL;
		IF p.campaign_id = 0 THEN
			SELECT m.to_email AS email, lower(m.to_email) AS email_norm INTO who_is FROM messages m
			WHERE m.org_id = p.org_id AND m.id = p.seq;
		ELSE
			SELECT r.contact_id INTO contact FROM campaign_recipients r
			WHERE r.org_id = p.org_id AND r.campaign_id = p.campaign_id AND r.seq = p.seq;
			SELECT k.started_at INTO began FROM campaigns k WHERE k.org_id = p.org_id AND k.id = p.campaign_id;
			SELECT c.email, c.email_norm INTO who_is FROM contacts c
			WHERE c.org_id = p.org_id AND c.id = contact AND (c.email_since IS NULL OR c.email_since < began
				OR c.email_norm = lower(p.who));
		END IF;
		CONTINUE WHEN NOT FOUND;
		IF p.reason = 2 AND p.campaign_id <> 0 THEN
			INSERT INTO unsubscribes (org_id, campaign_id, seq, at, one_click, by_mail)
			VALUES (p.org_id, p.campaign_id, p.seq, from_ms(p.at), false, true) ON CONFLICT DO NOTHING;
		END IF;
		INSERT INTO suppressions AS s (org_id, email_hash, email, reason, source, campaign_id, seq, hard)
		VALUES (p.org_id, substring(sha256(convert_to(who_is.email_norm, 'UTF8')) for 16), who_is.email, p.reason,
			p.source,
			nullif(p.campaign_id, 0), CASE WHEN p.campaign_id <> 0 THEN p.seq END, p.reason <> 2)
		ON CONFLICT (org_id, email_hash) DO UPDATE SET
			reason = CASE WHEN s.reason NOT IN (2, 4) AND excluded.reason IN (2, 4)
				THEN excluded.reason ELSE s.reason END,
			source = CASE WHEN s.reason NOT IN (2, 4) AND excluded.reason IN (2, 4)
				THEN excluded.source ELSE s.source END,
			campaign_id = CASE WHEN s.reason NOT IN (2, 4) AND excluded.reason IN (2, 4)
				THEN excluded.campaign_id ELSE s.campaign_id END,
			seq = CASE WHEN s.reason NOT IN (2, 4) AND excluded.reason IN (2, 4)
				THEN excluded.seq ELSE s.seq END,
			hard = s.hard OR excluded.hard
		WHERE s.reason NOT IN (2, 4) AND excluded.reason IN (2, 4) OR excluded.hard AND NOT s.hard;
		GET DIAGNOSTICS one = ROW_COUNT;
		n := n + one;
		-- What a contact says of itself stays: who unsubscribed does not become bounced.
		UPDATE contacts c SET status = CASE p.reason WHEN 4 THEN 4 WHEN 2 THEN 2 ELSE 3 END, updated_at = now(),
			version = c.version + 1
		WHERE c.org_id = p.org_id AND c.id = contact AND (c.status = 1
			OR c.status = 3 AND p.reason <> 3 OR c.status = 2 AND p.reason = 4);
	END LOOP;
	RETURN n;
END $$;

GRANT SELECT ON campaigns, campaign_recipients, campaign_chunks, messages TO cp_lookup;
GRANT SELECT (id, email, email_since) ON contacts TO cp_lookup;
GRANT SELECT, INSERT ON unsubscribes TO cp_lookup;
GRANT SELECT, INSERT, UPDATE ON suppressions TO cp_lookup;
GRANT INSERT ON sender_changes TO cp_lookup;
DO $$
DECLARE
	f text;
BEGIN
	FOREACH f IN ARRAY ARRAY['returns_seq(int, bigint, bigint, text)', 'returns_quotable(int, bigint)',
		'returns_act(int[], bigint[], bigint[], smallint[], text[], bigint[], text[])'] LOOP
		EXECUTE format('ALTER FUNCTION %s OWNER TO cp_lookup', f);
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO cp_ingest', f);
	END LOOP;
END $$;

-- Numbers under which engines knew a campaign before its open pieces went to another engine: what comes back of the
-- pieces before still names them.
CREATE TABLE campaign_numbers (
	org_id      int NOT NULL,
	number      bigint NOT NULL,
	campaign_id bigint NOT NULL,
	PRIMARY KEY (org_id, number),
	FOREIGN KEY (org_id, campaign_id) REFERENCES campaigns (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('campaign_numbers', 'SELECT, INSERT');
GRANT SELECT, INSERT ON campaign_numbers TO cp_ingest;
CREATE FUNCTION campaign_keeps_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO campaign_numbers (org_id, number, campaign_id)
	VALUES (OLD.org_id, OLD.engine_number, OLD.id) ON CONFLICT DO NOTHING;
	RETURN NULL;
END $$;
CREATE TRIGGER keeps_number AFTER UPDATE OF engine_number ON campaigns FOR EACH ROW
	WHEN (OLD.engine_number IS NOT NULL AND OLD.engine_number IS DISTINCT FROM NEW.engine_number)
	EXECUTE FUNCTION campaign_keeps_number();
