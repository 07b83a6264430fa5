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
	engine_number = $5, engine = 0, started_at = now(), unfit = :UNFIT_NO, updated_at = now(),
	version = c.version + 1,
	template_version = t.version, own_path = :path_is_ours, footer = :footer_now
FROM templates t, domains d, orgs o
WHERE o.org_id = c.org_id AND d.org_id = c.org_id AND d.id = c.domain_id AND c.org_id = $1
	AND c.id = $2 AND t.org_id = c.org_id AND t.id = c.template_id;

-- name: piece_rows
-- The last three: was the contact deleted, must it not be sent to any more, and is that because it does not want
-- to, though its row is open?
SELECT r.seq, c.email, c.first_name, c.last_name,
	CASE WHEN $5::int::bool THEN c.fields::text ELSE '' END, c.id IS NULL,
	r.state <> :LEDGER_WAITING OR c.status <> :CONTACT_SUBSCRIBED OR s.email_hash IS NOT NULL,
	r.state < :LEDGER_DELIVERED AND (c.status <> :CONTACT_SUBSCRIBED OR s.email_hash IS NOT NULL)
FROM campaign_recipients r
LEFT JOIN contacts c ON c.org_id = $1 AND c.id = r.contact_id
LEFT JOIN suppressions s ON s.org_id = $1 AND s.email_hash = :suppress_hash(c.email_norm)
WHERE r.org_id = $1 AND r.campaign_id = $2 AND r.seq BETWEEN $3 AND $4
ORDER BY r.seq;

-- name: piece_lock
-- The number says that no engine ended since the caller took the campaign.
SELECT next_seq, sendable FROM campaigns
WHERE org_id = $1 AND id = $2 AND status = :CAMPAIGN_SENDING AND next_seq <= sendable
	AND engine_number = $3 FOR UPDATE;

-- name: piece_ahead
-- A piece that the engine told us of, after a restore: cutting stops before it.
SELECT first_seq, last_seq FROM campaign_chunks
WHERE org_id = $1 AND campaign_id = $2 AND first_seq >= $3 ORDER BY first_seq LIMIT 1;

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
-- Campaigns with recipients that are not cut yet, and those whose pieces are in doubt: paused ones when they are
-- resumed, cancelled ones when the engine has the order.
-- role: cp_ingest
UPDATE campaigns SET claimed_by = $1, claimed_until = now() + $2 * interval '1 ms', engine = $4
WHERE (org_id, id) IN (
	SELECT c.org_id, c.id FROM campaigns c
	WHERE (c.org_id, c.id) IN (
		SELECT org_id, id FROM campaigns WHERE :has_uncut
		UNION SELECT org_id, campaign_id FROM campaign_chunks WHERE state <> :PIECE_ACCEPTED
	) AND (c.claimed_until IS NULL OR c.claimed_until < now()) AND c.engine IN (0, $4) AND NOT c.test
	AND c.status <> :CAMPAIGN_PAUSED AND (c.status <> :CAMPAIGN_CANCELLED OR NOT EXISTS (
		SELECT FROM engine_outbox o WHERE o.name = 'cancel/campaign/' || c.engine_number
	))
	ORDER BY c.started_at, c.id LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING org_id, id, :has_uncut, engine_number;

-- name: mail_release
-- role: cp_ingest
UPDATE campaigns SET claimed_by = '', claimed_until = now() + $4 * interval '1 ms'
WHERE org_id = $1 AND id = $2 AND claimed_by = $3;

-- name: mail_accepted
-- role: cp_ingest
UPDATE campaign_chunks c SET state = :PIECE_ACCEPTED, lsn = u.lsn, changed_at = now()
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::numeric[])
	AS u(org_id, number, first, lsn)
JOIN campaigns k ON k.engine_number = u.number
WHERE k.org_id = u.org_id AND c.org_id = k.org_id AND c.campaign_id = k.id AND c.first_seq = u.first
	AND c.state <> :PIECE_ACCEPTED;

-- name: intake_pieces
-- A piece that the engine took is accepted, whatever we believed; its row count is the engine's.
-- role: cp_ingest
UPDATE campaign_chunks c SET state = :PIECE_ACCEPTED, rows = u.rows, lsn = u.lsn, changed_at = now()
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[], $5::numeric[])
	AS u(org_id, campaign, first, rows, lsn)
WHERE c.org_id = u.org_id AND c.campaign_id = u.campaign AND c.first_seq = u.first
	AND c.state <> :PIECE_ACCEPTED;

-- name: intake_adopt
-- A piece that the engine took and this database does not know: it was restored to before the cut.  What lies
-- before next_seq was cut again since, and stays as it is.
-- role: cp_ingest
INSERT INTO campaign_chunks (org_id, campaign_id, first_seq, last_seq, rows, state, lsn)
SELECT c.org_id, c.id, u.first, u.first + u.rows - 1, u.rows, :PIECE_ACCEPTED, u.lsn
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[], $5::numeric[])
	AS u(org_id, campaign, first, rows, lsn)
JOIN campaigns c ON c.org_id = u.org_id AND c.id = u.campaign
WHERE u.first >= c.next_seq AND u.first + u.rows - 1 <= c.sendable
ON CONFLICT DO NOTHING;

-- name: refused
-- 0: the piece was accepted after all, or somebody stopped the campaign.
-- role: cp_ingest
WITH stopped AS (
	UPDATE campaigns c SET status = :CAMPAIGN_PAUSED, paused_by = :PAUSED_BY_ENGINE,
		updated_at = now(), version = c.version + 1
	WHERE c.org_id = $1 AND c.id = $2 AND c.status = :CAMPAIGN_SENDING
		AND ($3::bigint = 0 OR EXISTS (SELECT FROM campaign_chunks k
			WHERE k.org_id = c.org_id AND k.campaign_id = c.id AND k.first_seq = $3
				AND k.state <> :PIECE_ACCEPTED))
	RETURNING c.org_id, c.engine_number
)
INSERT INTO engine_outbox (org_id, kind, name, value)
SELECT org_id, :OUTBOX_RULE, 'hold/campaign/' || engine_number, 'paused' FROM stopped;

-- name: refused_end
-- Of a cancelled campaign: the engine has none of those whose pieces it refuses.
-- role: cp_ingest
SELECT ledger_move($1, $2, array_agg(r.seq), array_agg(:LEDGER_CANCELLED::smallint),
	array_agg(r.code), array_agg(r.attempts), array_agg(:REASON_CAMPAIGN::smallint))
FROM :open_of_pieces AND k.state <> :PIECE_ACCEPTED HAVING count(*) > 0;

-- name: refused_lock
-- role: cp_ingest
SELECT status FROM campaigns WHERE org_id = $1 AND id = $2 AND engine_number = $3 FOR UPDATE;

-- part: in_ended_engine
c.engine IN (SELECT e.id FROM engines e WHERE e.ended <> :ENGINE_LIVES)

-- part: has_open
EXISTS (SELECT FROM campaign_counts n WHERE n.org_id = c.org_id AND n.campaign_id = c.id
	AND n.state < :LEDGER_DELIVERED AND n.n > 0)

-- name: settle_done
-- What has nobody open any more has no part in it.
-- role: cp_ingest
UPDATE campaigns c SET engine = $1 WHERE :in_ended_engine AND NOT :has_open;

-- name: settle_next
-- role: cp_ingest
SELECT c.org_id, c.id, c.status, c.engine_number, e.ended
FROM campaigns c JOIN engines e ON e.id = c.engine AND e.ended <> :ENGINE_LIVES
ORDER BY c.id LIMIT 1 FOR UPDATE OF c;

-- part: open_of_pieces
campaign_chunks k JOIN campaign_recipients r ON r.org_id = k.org_id
	AND r.campaign_id = k.campaign_id AND r.seq BETWEEN k.first_seq AND k.last_seq
	AND r.state < :LEDGER_DELIVERED
WHERE k.org_id = $1 AND k.campaign_id = $2

-- name: settle_pieces
-- Those who are open, as pieces without a gap; none is larger than the one that it was part of.
-- role: cp_ingest
INSERT INTO campaign_chunks (org_id, campaign_id, first_seq, last_seq, rows, state, changed_at)
SELECT $1, $2, min(seq), max(seq), count(*), :PIECE_IN_DOUBT, now()
FROM (
	SELECT r.seq, k.first_seq, r.seq - row_number() OVER (ORDER BY r.seq) AS island
	FROM :open_of_pieces
) open GROUP BY first_seq, island
ON CONFLICT (org_id, campaign_id, first_seq) DO UPDATE SET last_seq = excluded.last_seq,
	rows = excluded.rows, state = excluded.state, lsn = DEFAULT, changed_at = now();

-- name: settle_forget
-- The pieces that were; those just made have this transaction's time.
-- role: cp_ingest
DELETE FROM campaign_chunks WHERE org_id = $1 AND campaign_id = $2 AND changed_at <> now();

-- name: settle_end
-- role: cp_ingest
SELECT ledger_move($1, $2, array_agg(r.seq), array_agg(:LEDGER_CANCELLED::smallint),
	array_agg(r.code), array_agg(r.attempts), array_agg($3::smallint))
FROM :open_of_pieces HAVING count(*) > 0;

-- name: settle_accept
-- role: cp_ingest
UPDATE campaign_chunks SET state = :PIECE_ACCEPTED, changed_at = now()
WHERE org_id = $1 AND campaign_id = $2 AND state <> :PIECE_ACCEPTED;

-- name: settle_campaign
-- role: cp_ingest
UPDATE campaigns SET engine = $3, engine_number = $4, claimed_by = '', claimed_until = NULL,
	status = CASE WHEN status = :CAMPAIGN_SENDING AND $5::int::bool
		THEN :CAMPAIGN_PAUSED ELSE status END,
	paused_by = CASE WHEN status = :CAMPAIGN_SENDING AND $5::int::bool
		THEN :PAUSED_BY_LOSS ELSE paused_by END,
	updated_at = now(), version = version + 1
WHERE org_id = $1 AND id = $2;

-- name: settle_order
-- role: cp_ingest
INSERT INTO engine_outbox (org_id, kind, name, value)
VALUES ($1, :OUTBOX_RULE, 'cancel/campaign/' || $2::bigint, $3);

-- part: open_of_contact
campaign_recipients r JOIN campaigns c ON c.org_id = r.org_id AND c.id = r.campaign_id
WHERE r.org_id = $1 AND r.contact_id = $2 AND r.state < :LEDGER_DELIVERED

-- name: leaving_lock
SELECT c.id FROM campaigns c WHERE c.org_id = $1 AND c.id IN (
	SELECT r.campaign_id FROM :open_of_contact
) ORDER BY c.id FOR UPDATE;

-- name: leaving
-- The first seq of the piece that it is in; 0: none was cut with it.
SELECT c.id, r.seq, c.engine_number, coalesce((
	SELECT k.first_seq FROM campaign_chunks k
	WHERE k.org_id = c.org_id AND k.campaign_id = c.id
		AND r.seq BETWEEN k.first_seq AND k.last_seq
	ORDER BY k.first_seq DESC LIMIT 1
), 0)
FROM :open_of_contact ORDER BY c.id;

-- name: leaving_end
SELECT ledger_move($1, $2, ARRAY[$3::bigint], ARRAY[:LEDGER_CANCELLED::smallint],
	ARRAY[0::smallint], ARRAY[0::smallint], ARRAY[$4::smallint]);

-- name: intake_leaving
-- The orders to cancel single recipients that have done their work.
-- role: cp_ingest
INSERT INTO engine_outbox (org_id, kind, name, value)
SELECT org_id, :OUTBOX_RULE, 'cancel/rcpt/' || recipient, ''
FROM unnest($1::int[], $2::text[]) AS u(org_id, recipient);

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
