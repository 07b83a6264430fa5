-- Campaigns as documents: made, read, changed, deleted while drafts; and the orders for them.

-- part: lists_of(exclude)
(SELECT coalesce(json_agg(l.list_id ORDER BY l.list_id), '[]') FROM campaign_lists l
WHERE l.org_id = c.org_id AND l.campaign_id = c.id AND l.exclude = :exclude)::text

-- part: ends_at
CASE WHEN c.expires_at IS NOT NULL THEN to_ms(c.expires_at) WHEN c.started_at IS NULL THEN 0
	ELSE to_ms(c.started_at) + :CAMPAIGN_LIFE_MS + c.paused_ms
		+ coalesce(to_ms(now()) - to_ms(c.paused_at), 0) END

-- part: columns
c.id, c.name, c.status, coalesce(c.template_id, 0), c.subject, c.from_name, c.from_email,
c.reply_to, c.to_all, coalesce(to_ms(c.scheduled_at), 0), coalesce(to_ms(c.started_at), 0),
coalesce(to_ms(c.expires_at), 0), c.audience, to_ms(c.created_at), to_ms(c.updated_at), c.version,
(SELECT coalesce(sum(k.n), 0) FROM campaign_counts k
WHERE k.org_id = c.org_id AND k.campaign_id = c.id AND k.state < :LEDGER_DELIVERED),
:lists_of(false), :lists_of(true), coalesce(c.domain_id, 0), c.unfit, :ends_at, c.paused_by,
coalesce(c.engine_number, 0), c.test

-- name: page
SELECT :columns FROM campaigns c WHERE c.org_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3;

-- name: find
SELECT :columns FROM campaigns c WHERE c.org_id = $1 AND c.id = $2;

-- name: find_lock
SELECT :columns FROM campaigns c WHERE c.org_id = $1 AND c.id = $2 FOR UPDATE;

-- name: insert
INSERT INTO campaigns (org_id, name, template_id, subject, from_name, from_email, reply_to,
	domain_id, to_all, expires_at, created_by)
VALUES ($1, $2, nullif($3::bigint, 0), $4, $5, $6, $7, nullif($8::bigint, 0), $9::int::boolean,
	from_ms(nullif($10::bigint, 0)), nullif($11::bigint, 0))
RETURNING id;

-- name: update
-- $9 and $12: are the template and the time of expiry given?  They may be NULL then.  $14: do the
-- lists change?  No row: all is as it was.
UPDATE campaigns SET name = coalesce($3, name), subject = coalesce($4, subject),
	reply_to = coalesce($5, reply_to), from_name = coalesce($6, from_name),
	from_email = coalesce($7, from_email),
	domain_id = CASE WHEN $7::text IS NULL THEN domain_id ELSE nullif($8::bigint, 0) END,
	template_id = CASE WHEN $9::int::bool THEN nullif($10::bigint, 0) ELSE template_id END,
	to_all = coalesce($11::int::boolean, to_all),
	expires_at = CASE WHEN $12::int::bool THEN from_ms(nullif($13::bigint, 0)) ELSE expires_at END,
	updated_at = now(), version = version + 1
WHERE org_id = $1 AND id = $2 AND ($14::int::bool
	OR (name, subject, reply_to, from_name, from_email, template_id, to_all, expires_at)
		IS DISTINCT FROM (coalesce($3, name), coalesce($4, subject), coalesce($5, reply_to),
			coalesce($6, from_name), coalesce($7, from_email),
			CASE WHEN $9::int::bool THEN nullif($10::bigint, 0) ELSE template_id END,
			coalesce($11::int::boolean, to_all),
			CASE WHEN $12::int::bool THEN from_ms(nullif($13::bigint, 0))
				ELSE expires_at END)
	OR domain_id IS DISTINCT FROM
		CASE WHEN $7::text IS NULL THEN domain_id ELSE nullif($8::bigint, 0) END);

-- name: lists_text
-- Both sides, to tell whether they change.
SELECT coalesce(string_agg(list_id || ' ' || exclude, ',' ORDER BY list_id), '')
FROM campaign_lists WHERE org_id = $1 AND campaign_id = $2;

-- name: list_put
-- A list that is there already stays on its side, which is given back.
INSERT INTO campaign_lists (org_id, campaign_id, list_id, exclude)
SELECT $1, $2, id, $4::int::boolean FROM lists WHERE org_id = $1 AND id = $3
ON CONFLICT (org_id, campaign_id, list_id) DO UPDATE SET exclude = campaign_lists.exclude
RETURNING exclude;

-- part: lost(domain, grace)
(:domain.status = :DOMAIN_DEGRADED AND :domain.degraded_at < now() - :grace * interval '1 ms')

-- name: domain_state
-- Was it verified, and has it been degraded for longer than $3 ms?
SELECT d.status <> :DOMAIN_PENDING, coalesce(:lost(d, $3), false) FROM domains d
WHERE d.org_id = $1 AND d.id = $2;

-- name: size
-- How many contacts it would be sent to, before suppression and exclusion.
SELECT count(*) FROM contacts c
WHERE c.org_id = $1 AND ($3::int::boolean OR c.id IN (
	SELECT m.contact_id FROM campaign_lists l
	JOIN list_members m ON m.org_id = $1 AND m.list_id = l.list_id
		AND m.status = :MEMBER_SUBSCRIBED
	WHERE l.org_id = $1 AND l.campaign_id = $2 AND NOT l.exclude
));

-- name: set_status
UPDATE campaigns SET status = $3::smallint, updated_at = now(), version = version + 1,
	paused_by = :PAUSED_BY_MEMBER,
	cancelled_at = CASE WHEN $3::smallint = :CAMPAIGN_CANCELLED THEN now() ELSE cancelled_at END
WHERE org_id = $1 AND id = $2;

-- name: schedule
UPDATE campaigns SET status = :CAMPAIGN_SCHEDULED, scheduled_at = from_ms($3), unfit = :UNFIT_NO,
	updated_at = now(), version = version + 1
WHERE org_id = $1 AND id = $2;

-- name: cancel_waiting
WITH head AS (
	SELECT next_seq, sendable FROM campaigns WHERE org_id = $1 AND id = $2
), ended AS (
	UPDATE campaign_recipients r SET state = :LEDGER_CANCELLED, reason = :REASON_CAMPAIGN,
		changed_at = now()
	FROM head
	WHERE r.org_id = $1 AND r.campaign_id = $2 AND r.seq BETWEEN head.next_seq AND head.sendable
		AND r.state = :LEDGER_WAITING
	RETURNING 1
)
SELECT count(*) FROM ended;

-- name: cancel_counts
UPDATE campaign_counts
SET n = n + CASE state WHEN :LEDGER_WAITING THEN -$3::bigint ELSE $3::bigint END
WHERE org_id = $1 AND campaign_id = $2 AND state IN (:LEDGER_WAITING, :LEDGER_CANCELLED);

-- name: due
-- role: cp_ingest
SELECT org_id, id FROM campaigns
WHERE status = :CAMPAIGN_SCHEDULED AND scheduled_at <= now()
ORDER BY scheduled_at LIMIT 20;

-- name: due_lock
-- Is it still to begin now, and what may stop it?  $3: ms that a domain may be degraded.
SELECT c.to_all, coalesce(c.expires_at <= now(), false), o.status <> :ORG_ACTIVE,
	coalesce(d.status = :DOMAIN_PENDING, true), coalesce(:lost(d, $3), false)
FROM campaigns c
JOIN orgs o ON o.org_id = c.org_id
LEFT JOIN domains d ON d.org_id = c.org_id AND d.id = c.domain_id
WHERE c.org_id = $1 AND c.id = $2 AND c.status = :CAMPAIGN_SCHEDULED AND c.scheduled_at <= now()
FOR UPDATE OF c;

-- name: back_to_draft
UPDATE campaigns SET status = :CAMPAIGN_DRAFT, scheduled_at = NULL, unfit = $3,
	updated_at = now(), version = version + 1
WHERE org_id = $1 AND id = $2 AND status = :CAMPAIGN_SCHEDULED AND scheduled_at <= now();

-- name: halt_find
-- role: cp_ingest
-- Campaigns that go on though their domain has been degraded for longer than $1 ms.
SELECT c.org_id, c.id FROM campaigns c
JOIN domains d ON d.org_id = c.org_id AND d.id = c.domain_id
WHERE c.status = :CAMPAIGN_SENDING AND :lost(d, $1) AND EXISTS (
	SELECT FROM campaign_counts k WHERE k.org_id = c.org_id AND k.campaign_id = c.id
		AND k.state < :LEDGER_DELIVERED AND k.n > 0
)
ORDER BY c.id LIMIT 20;

-- name: halt_lock
SELECT d.name, c.engine_number FROM campaigns c JOIN domains d ON d.org_id = c.org_id AND d.id = c.domain_id
WHERE c.org_id = $1 AND c.id = $2 AND c.status = :CAMPAIGN_SENDING AND :lost(d, $3)
FOR UPDATE OF c;

-- name: halt
UPDATE campaigns SET status = :CAMPAIGN_PAUSED, paused_by = :PAUSED_BY_DOMAIN, updated_at = now(),
	version = version + 1
WHERE org_id = $1 AND id = $2;

-- part: path_is_ours
EXISTS (SELECT FROM domain_records p WHERE p.org_id = d.org_id AND p.domain_id = d.id
	AND p.kind = 'return-path' AND p.state = :RECORD_OK AND d.return_path <> '')

-- part: footer_now
-- The organisation's footer; its name and postal address when it has none.
CASE WHEN o.footer <> '' THEN o.footer
	ELSE concat_ws(E'\n', o.name, nullif(o.postal_address, '')) END

-- name: source
-- What a recipe is made of.
SELECT coalesce(nullif(c.subject, ''), v.subject), v.html, v.text, c.from_name, c.from_email,
	c.reply_to, d.name, d.return_path, v.version, to_ms(coalesce(c.started_at, now())),
	coalesce(to_ms(c.expires_at), 0), c.name, coalesce(c.footer, :footer_now),
	coalesce(c.own_path, :path_is_ours)
FROM campaigns c
JOIN orgs o ON o.org_id = c.org_id
JOIN template_versions v ON v.org_id = c.org_id AND v.template_id = c.template_id
	AND v.version = coalesce(c.template_version, (
		SELECT t.version FROM templates t WHERE t.org_id = c.org_id AND t.id = c.template_id
	))
JOIN domains d ON d.org_id = c.org_id AND d.id = c.domain_id
WHERE c.org_id = $1 AND c.id = $2;
