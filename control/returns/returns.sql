-- What came back as mail about a recipient.

-- part: shown
SELECT r.id, r.kind, r.campaign_id, r.seq, r.rcpt_row, coalesce(w.email, ''), r.rcpt, r.class, r.hard, r.code, r.dsn,
	r.rule, r.host, r.ip, r.source, r.evidence, to_ms(r.at), to_ms(r.last_at), r.n
FROM returns r LEFT JOIN LATERAL (
	SELECT c.email FROM campaign_recipients l JOIN contacts c ON c.org_id = l.org_id AND c.id = l.contact_id
	WHERE r.campaign_id <> 0 AND l.org_id = r.org_id AND l.campaign_id = r.campaign_id AND l.seq = r.seq
	UNION ALL
	SELECT e.rcpt FROM events e WHERE r.campaign_id = 0 AND r.seq < 0 AND e.org_id = r.org_id
		AND e.campaign_id = 0 AND e.seq = r.seq AND e.rcpt_row = r.rcpt_row AND e.rcpt LIKE '%@%'
	UNION ALL
	SELECT m.to_email FROM messages m
	WHERE r.campaign_id = 0 AND r.seq > 0 AND m.org_id = r.org_id AND m.id = r.seq
	LIMIT 1
) w ON true
WHERE r.org_id = $1 AND ($2::bigint = 0 OR r.id < $2) AND ($4::int = 0 OR r.kind = $4) AND ($5 = '' OR r.class = $5)
	AND ($6::bigint = 0 OR r.at >= from_ms($6))

-- name: page
-- Newest first: the cursor's id is an upper bound.
:shown ORDER BY r.id DESC LIMIT $3;

-- name: page_of_address
-- Those whom we wrote to at this address, and those whom a mail names so.
:shown AND r.id IN (
	SELECT b.id FROM contacts c JOIN campaign_recipients l ON l.contact_id = c.id AND l.org_id = c.org_id
	JOIN returns b ON b.org_id = l.org_id AND b.campaign_id = l.campaign_id AND b.seq = l.seq
	WHERE c.org_id = $1 AND c.email_norm = $7 AND l.later <> 0
	UNION
	SELECT b.id FROM events e JOIN returns b ON b.org_id = e.org_id AND b.campaign_id = 0 AND b.seq = e.seq
		AND b.rcpt_row = e.rcpt_row
	WHERE e.org_id = $1 AND e.campaign_id = 0 AND e.rcpt IN ($7, erased_mark($7))
	UNION
	SELECT b.id FROM returns b WHERE b.org_id = $1 AND lower(b.rcpt) = $7 AND b.rcpt <> ''
) ORDER BY r.id DESC LIMIT $3;

-- name: erase
-- role: cp_ingest
SELECT erase_some($1::int);

-- part: mark
CASE kind WHEN :LINK_RETURNED THEN :LATER_RETURNED + hard::int * :LATER_HARD
	WHEN :LINK_RETURNED_DELAY THEN :LATER_DELAYED WHEN :LINK_COMPLAINT THEN :LATER_COMPLAINT
	WHEN :LINK_AUTO_REPLY THEN :LATER_AUTO_REPLY WHEN :LINK_UNSUBSCRIBE THEN :LATER_UNSUBSCRIBED
	ELSE :LATER_OTHER END

-- part: kept(what)
CASE WHEN excluded.hard AND NOT r.hard THEN excluded.:what ELSE r.:what END

-- name: take
-- Keeps the facts, counts those that are the first of their kind about a recipient, and marks the ledger.
-- role: cp_ingest
WITH given AS (
	SELECT u.*, CASE WHEN u.one THEN u.first ELSE returns_seq(u.org_id, u.campaign, u.first, u.rcpt) END AS seq
	FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::boolean[], $5::smallint[], $6::bigint[],
		$7::boolean[], $8::smallint[], $9::text[], $10::text[], $11::text[], $12::text[],
		$13::text[], $14::text[], $15::text[], $16::text[], $17::int[]) WITH ORDINALITY
		AS u(org_id, campaign, first, one, kind, at, hard, code, dsn, class, rule, host, ip,
		source, rcpt, evidence, rcpt_row, nth)
), known AS (
	-- Each is looked up by its key, however many recipients there are and whatever the server knows of them.
	SELECT g.*, x.quotable FROM given g, LATERAL (
		SELECT returns_quotable(g.org_id, r.contact_id) AS quotable FROM campaign_recipients r
		WHERE r.org_id = g.org_id AND r.campaign_id = g.campaign AND r.seq = g.seq
		UNION ALL SELECT true FROM messages m WHERE g.campaign = 0 AND m.org_id = g.org_id AND m.id = g.seq
		-- Submitted by an application: of a tenant who is no organisation nothing is kept.
		UNION ALL SELECT NOT erased_recipient(g.org_id, g.seq, g.rcpt_row)
			AND (g.rcpt = '' OR NOT erased_is(g.org_id, lower(g.rcpt)))
		FROM orgs o WHERE g.campaign = 0 AND g.seq < 0 AND o.org_id = g.org_id
		LIMIT 1
	) x
), each AS (
	SELECT DISTINCT ON (org_id, campaign, seq, rcpt_row, kind) *, count(*) OVER same AS n, min(at) OVER same AS first_at,
		max(at) OVER same AS last_at
	FROM known WINDOW same AS (PARTITION BY org_id, campaign, seq, rcpt_row, kind)
	ORDER BY org_id, campaign, seq, rcpt_row, kind, hard DESC, nth
), put AS (
	INSERT INTO returns AS r (org_id, campaign_id, seq, rcpt_row, kind, at, last_at, n, hard, code, dsn, class, rule, host,
		ip, source, rcpt, evidence)
	SELECT org_id, campaign, seq, rcpt_row, kind, from_ms(first_at), from_ms(last_at), n, hard, code, dsn, class, rule,
		host, ip, CASE WHEN quotable THEN source ELSE '' END, CASE WHEN quotable THEN rcpt ELSE '' END,
		CASE WHEN quotable THEN evidence ELSE '' END
	FROM each
	ON CONFLICT (org_id, campaign_id, seq, rcpt_row, kind) DO UPDATE SET last_at = greatest(r.last_at, excluded.last_at),
		n = r.n + excluded.n, hard = r.hard OR excluded.hard, code = :kept(code), dsn = :kept(dsn),
		class = :kept(class), rule = :kept(rule), host = :kept(host), ip = :kept(ip),
		source = :kept(source), rcpt = :kept(rcpt), evidence = :kept(evidence)
	RETURNING org_id, campaign_id, seq, kind, at, hard, xmax = 0 AS fresh
), counted AS (
	INSERT INTO stats AS s (org_id, bucket, campaign_id, kind, n)
	SELECT org_id, date_trunc('minute', at), campaign_id, kind, count(*) FROM put WHERE fresh GROUP BY 1, 2, 3, 4
	ON CONFLICT (org_id, bucket, campaign_id, kind) DO UPDATE SET n = s.n + excluded.n
)
SELECT sum(ledger_later(org_id, campaign_id, seqs, marks)) FROM (
	SELECT org_id, campaign_id, array_agg(seq) AS seqs, array_agg((:mark)::smallint) AS marks
	FROM put WHERE campaign_id <> 0 GROUP BY 1, 2 ORDER BY 1, 2
) marked;

-- name: act
-- role: cp_ingest
SELECT returns_act($1::int[], $2::bigint[], $3::bigint[], $4::smallint[], $5::text[], $6::bigint[], $7::text[]);

-- name: act_submitted
-- role: cp_ingest
SELECT returns_act_submitted($1::int[], $2::bigint[], $3::int[]);
