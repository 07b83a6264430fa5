-- What comes back about mail that applications submitted over SMTP: there is no contact and no message to ask whom
-- it is about, so the journal keeps whom we wrote to.

-- Of submitted mail alone (seq below zero): its recipient within the job, and the address in its normal form, as our
-- own outcome says.
ALTER TABLE events ADD COLUMN rcpt_row int NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN rcpt text NOT NULL DEFAULT '';

-- seq is below zero for submitted mail, and rcpt_row says which recipient; 65535: one of them, and nobody knows which.
ALTER TABLE returns ADD COLUMN rcpt_row int NOT NULL DEFAULT 0;
ALTER TABLE returns DROP CONSTRAINT returns_pkey;
ALTER TABLE returns ADD PRIMARY KEY (org_id, campaign_id, seq, rcpt_row, kind);

-- Suppresses recipients of submitted mail who bounced for good, complained or unsubscribed by mail; contacts with that
-- address say so.  The address is the one that an outcome of ours had for this job and row; without one in the journal
-- nobody is suppressed.  Called with both facts, so that it does not matter which of them came first.  A token is
-- good for 180 days at most: older partitions need not be asked.  Gives how many suppressions it wrote.
CREATE FUNCTION returns_act_submitted(orgs int[], seqs bigint[], rcpt_rows int[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
	p record;
	address text;
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
		INSERT INTO suppressions AS s (org_id, email_hash, email, reason, source, hard)
		VALUES (p.org_id, substring(sha256(convert_to(address, 'UTF8')) for 16), address, p.reason, p.source,
			p.reason <> 2)
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
GRANT SELECT ON events, returns TO cp_lookup;
ALTER FUNCTION returns_act_submitted(int[], bigint[], int[]) OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION returns_act_submitted(int[], bigint[], int[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION returns_act_submitted(int[], bigint[], int[]) TO cp_ingest;
