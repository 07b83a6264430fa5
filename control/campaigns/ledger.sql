-- The ledger: made when a campaign starts, cut into pieces, handed over, and moved by the engine's
-- events.

-- part: audience_lists(exclude)
SELECT m.contact_id FROM campaign_lists l
JOIN list_members m ON m.org_id = $1 AND m.list_id = l.list_id AND m.status = :MEMBER_SUBSCRIBED
WHERE l.org_id = $1 AND l.campaign_id = $2 AND l.exclude = :exclude

-- part: in_audience
contacts c WHERE c.org_id = $1 AND ($3::int::boolean OR c.id IN (:audience_lists(false)))
	AND c.id NOT IN (:audience_lists(true))

-- part: held
(c.status <> :CONTACT_SUBSCRIBED OR EXISTS (
	SELECT FROM suppressions s
	WHERE s.org_id = $1 AND s.email_hash = :suppress_hash(c.email_norm)
))

-- name: reach
-- Is there anybody in the audience, and anybody who may be sent to?
SELECT EXISTS (SELECT FROM :in_audience), EXISTS (SELECT FROM :in_audience AND NOT :held);

-- name: start_lock
SELECT to_all FROM campaigns
WHERE org_id = $1 AND id = $2 AND status IN (:CAMPAIGN_DRAFT, :CAMPAIGN_SCHEDULED) FOR UPDATE;

-- name: freeze
-- Those who may be sent to come first, so that pieces have no holes.
WITH picked AS (
	SELECT c.id, :held AS held FROM :in_audience
), added AS (
	INSERT INTO campaign_recipients (org_id, campaign_id, seq, contact_id, state, reason)
	SELECT $1, $2, row_number() OVER (ORDER BY held, id), id,
		CASE WHEN held THEN :LEDGER_SUPPRESSED ELSE :LEDGER_WAITING END,
		CASE WHEN held THEN :REASON_AT_START ELSE :REASON_NONE END
	FROM picked RETURNING state
)
SELECT count(*), count(*) FILTER (WHERE state = :LEDGER_WAITING) FROM added;

-- name: counts_insert
INSERT INTO campaign_counts (org_id, campaign_id, state, n)
SELECT $1, $2, s, CASE s WHEN :LEDGER_WAITING THEN $3::bigint
	WHEN :LEDGER_SUPPRESSED THEN $4::bigint ELSE 0 END
FROM generate_series(:LEDGER_WAITING, :LEDGER_CANCELLED) s;

-- name: started
UPDATE campaigns c SET status = :CAMPAIGN_SENDING, audience = $3, sendable = $4, next_seq = DEFAULT,
	started_at = now(), unfit = :UNFIT_NO, updated_at = now(), version = c.version + 1,
	template_version = t.version, own_path = :path_is_ours, footer = :footer_now
FROM templates t, domains d, orgs o
WHERE o.org_id = c.org_id AND d.org_id = c.org_id AND d.id = c.domain_id AND c.org_id = $1 AND c.id = $2 AND t.org_id = c.org_id AND t.id = c.template_id;

-- name: piece_rows
-- The last two: was the contact deleted, and must it not be sent to any more?
SELECT r.seq, c.email, c.first_name, c.last_name,
	CASE WHEN $5::int::bool THEN c.fields::text ELSE '' END, c.id IS NULL,
	r.state <> :LEDGER_WAITING OR c.status <> :CONTACT_SUBSCRIBED OR s.email_hash IS NOT NULL
FROM campaign_recipients r
LEFT JOIN contacts c ON c.org_id = $1 AND c.id = r.contact_id
LEFT JOIN suppressions s ON s.org_id = $1 AND s.email_hash = :suppress_hash(c.email_norm)
WHERE r.org_id = $1 AND r.campaign_id = $2 AND r.seq BETWEEN $3 AND $4
ORDER BY r.seq;

-- name: piece_lock
SELECT next_seq, sendable FROM campaigns
WHERE org_id = $1 AND id = $2 AND status = :CAMPAIGN_SENDING AND next_seq <= sendable FOR UPDATE;

-- name: piece_insert
INSERT INTO campaign_chunks (org_id, campaign_id, first_seq, last_seq, rows, state)
VALUES ($1, $2, $3, $4, $5, :PIECE_IN_DOUBT);

-- name: piece_in_doubt
SELECT first_seq, last_seq FROM campaign_chunks
WHERE org_id = $1 AND campaign_id = $2 AND state <> :PIECE_ACCEPTED AND first_seq > $3
ORDER BY first_seq LIMIT 1;

-- part: has_uncut
status = :CAMPAIGN_SENDING AND next_seq <= sendable

-- name: mail_claim
-- Campaigns with recipients that are not cut yet, and any whose pieces are in doubt.
-- role: cp_ingest
UPDATE campaigns SET claimed_by = $1, claimed_until = now() + $2 * interval '1 ms'
WHERE (org_id, id) IN (
	SELECT c.org_id, c.id FROM campaigns c
	WHERE (c.org_id, c.id) IN (
		SELECT org_id, id FROM campaigns WHERE :has_uncut
		UNION SELECT org_id, campaign_id FROM campaign_chunks WHERE state <> :PIECE_ACCEPTED
	) AND (c.claimed_until IS NULL OR c.claimed_until < now())
	ORDER BY c.started_at, c.id LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING org_id, id, :has_uncut;

-- name: mail_release
-- role: cp_ingest
UPDATE campaigns SET claimed_by = '', claimed_until = now() + $4 * interval '1 ms'
WHERE org_id = $1 AND id = $2 AND claimed_by = $3;

-- name: mail_accepted
-- role: cp_ingest
UPDATE campaign_chunks c SET state = :PIECE_ACCEPTED, lsn = u.lsn, changed_at = now()
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::numeric[])
	AS u(org_id, campaign, first, lsn)
WHERE c.org_id = u.org_id AND c.campaign_id = u.campaign AND c.first_seq = u.first
	AND c.state <> :PIECE_ACCEPTED;

-- name: intake_pieces
-- A piece that the engine took is accepted, whatever we believed; its row count is the engine's.
-- role: cp_ingest
UPDATE campaign_chunks c SET state = :PIECE_ACCEPTED, rows = u.rows, lsn = u.lsn, changed_at = now()
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[], $5::numeric[])
	AS u(org_id, campaign, first, rows, lsn)
WHERE c.org_id = u.org_id AND c.campaign_id = u.campaign AND c.first_seq = u.first
	AND c.state <> :PIECE_ACCEPTED;

-- name: intake_messages
-- role: cp_ingest
UPDATE messages m SET state = u.state, code = u.code, attempts = u.attempts, content = NULL,
	changed_at = now()
FROM (
	SELECT DISTINCT ON (org_id, id) *
	FROM unnest($1::int[], $2::bigint[], $3::smallint[], $4::smallint[], $5::smallint[])
		WITH ORDINALITY AS u(org_id, id, state, code, attempts, nth)
	ORDER BY org_id, id, nth DESC
) u
WHERE m.org_id = u.org_id AND m.id = u.id AND m.state < :LEDGER_DELIVERED;
