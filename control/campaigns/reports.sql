-- What became of a campaign.

-- part: count_of(state)
coalesce(sum(k.n) FILTER (WHERE k.state = :state), 0)

-- name: progress
-- One statement, hence one moment: the states sum to the audience in every answer.
SELECT c.status, c.audience, c.sendable, c.next_seq, to_ms(coalesce(c.started_at, c.created_at)),
	(SELECT coalesce(sum(s.n), 0) FROM stats s
	WHERE s.org_id = c.org_id AND s.campaign_id = c.id AND s.kind = :LINK_DEFERRED),
	(SELECT coalesce(sum(s.n), 0) FROM stats s
	WHERE s.org_id = c.org_id AND s.campaign_id = c.id AND s.kind < :LINK_DEFERRED
		AND s.bucket >= date_trunc('minute', now()) - interval '1 minute'
		AND s.bucket < date_trunc('minute', now())),
	:count_of(:LEDGER_WAITING), :count_of(:LEDGER_DEFERRED), :count_of(:LEDGER_DELIVERED),
	:count_of(:LEDGER_BOUNCED), :count_of(:LEDGER_EXPIRED), :count_of(:LEDGER_SUPPRESSED),
	:count_of(:LEDGER_CANCELLED),
	coalesce(sum(k.returned) FILTER (WHERE k.state = :LEDGER_DELIVERED), 0)
FROM campaigns c
LEFT JOIN campaign_counts k ON k.org_id = c.org_id AND k.campaign_id = c.id
WHERE c.org_id = $1 AND c.id = $2
GROUP BY c.org_id, c.id;

-- part: shown_state
CASE WHEN r.state = :LEDGER_WAITING AND r.seq < c.next_seq THEN :LEDGER_QUEUED ELSE r.state END

-- part: recipient
r.seq, r.contact_id, coalesce(k.email, ''), :shown_state, r.reason, r.code, r.attempts,
	to_ms(r.changed_at), r.later
FROM campaigns c
JOIN campaign_recipients r ON r.org_id = c.org_id AND r.campaign_id = c.id
LEFT JOIN contacts k ON k.org_id = $1 AND k.id = r.contact_id
WHERE c.org_id = $1 AND c.id = $2 AND r.org_id = $1 AND r.campaign_id = $2

-- name: recipient_page
-- A waiting recipient that has been cut into a piece is queued.
SELECT :recipient AND r.seq > $3
	AND ($4::int = 0 OR :shown_state = $4::int) AND ($5::int = 0 OR r.later & $5::int <> 0)
ORDER BY r.seq LIMIT $6;

-- name: recipient_find
SELECT :recipient AND r.seq = $3;

-- name: recipient_events
-- What the engine told of one recipient, the newest first.
SELECT to_ms(e.at), e.kind, e.attempt, e.code, e.dsn, coalesce(d.text, ''), e.host, e.ip, e.source,
	to_ms(e.next_at)
FROM events e
LEFT JOIN diagnostics d ON d.org_id = $1 AND d.id = e.diagnostic_id
WHERE e.org_id = $1 AND e.campaign_id = $2 AND e.seq = $3 AND e.kind < :LINK_ACCEPTED
ORDER BY e.at DESC, e.engine DESC, e.lsn DESC LIMIT $4;

-- name: recipient_returns
SELECT kind, to_ms(at), to_ms(last_at), n, hard, code, dsn, class, rule, host, ip, source, rcpt, evidence
FROM returns WHERE org_id = $1 AND campaign_id = $2 AND seq = $3 ORDER BY at, kind;

-- name: series
SELECT to_ms(bucket), sum(n) FILTER (WHERE kind = :LINK_DELIVERED),
	sum(n) FILTER (WHERE kind = :LINK_BOUNCED), sum(n) FILTER (WHERE kind = :LINK_EXPIRED),
	sum(n) FILTER (WHERE kind = :LINK_CANCELLED), sum(n) FILTER (WHERE kind = :LINK_DEFERRED),
	sum(n) FILTER (WHERE kind = :LINK_RETURNED), sum(n) FILTER (WHERE kind = :LINK_RETURNED_DELAY),
	sum(n) FILTER (WHERE kind = :LINK_COMPLAINT), sum(n) FILTER (WHERE kind = :LINK_AUTO_REPLY),
	sum(n) FILTER (WHERE kind = :LINK_UNSUBSCRIBE)
FROM stats WHERE org_id = $1 AND campaign_id = $2 AND kind <> :LINK_ACCEPTED
GROUP BY bucket ORDER BY bucket LIMIT $3;

-- name: later
-- How many recipients something came back about, however long ago.
SELECT coalesce(sum(n) FILTER (WHERE kind = :LINK_RETURNED), 0),
	coalesce(sum(n) FILTER (WHERE kind = :LINK_RETURNED_DELAY), 0),
	coalesce(sum(n) FILTER (WHERE kind = :LINK_COMPLAINT), 0),
	coalesce(sum(n) FILTER (WHERE kind = :LINK_AUTO_REPLY), 0),
	coalesce(sum(n) FILTER (WHERE kind = :LINK_UNSUBSCRIBE), 0),
	(SELECT count(*) FROM unsubscribes u WHERE u.org_id = $1 AND u.campaign_id = $2)
FROM stats WHERE org_id = $1 AND campaign_id = $2 AND kind >= :LINK_RETURNED;

-- name: reasons
SELECT r.kind, r.code, r.dsn, coalesce(d.text, ''), r.n
FROM reasons r
LEFT JOIN diagnostics d ON d.org_id = $1 AND d.id = r.diagnostic_id
WHERE r.org_id = $1 AND r.campaign_id = $2 ORDER BY r.n DESC LIMIT $3;
