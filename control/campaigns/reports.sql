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
	:count_of(:LEDGER_CANCELLED)
FROM campaigns c
LEFT JOIN campaign_counts k ON k.org_id = c.org_id AND k.campaign_id = c.id
WHERE c.org_id = $1 AND c.id = $2
GROUP BY c.org_id, c.id;

-- part: shown_state
CASE WHEN r.state = :LEDGER_WAITING AND r.seq < c.next_seq THEN :LEDGER_QUEUED ELSE r.state END

-- name: recipient_page
-- A waiting recipient that has been cut into a piece is queued.
SELECT r.seq, r.contact_id, coalesce(k.email, ''), :shown_state, r.reason, r.code, r.attempts,
	to_ms(r.changed_at)
FROM campaigns c
JOIN campaign_recipients r ON r.org_id = c.org_id AND r.campaign_id = c.id
LEFT JOIN contacts k ON k.org_id = $1 AND k.id = r.contact_id
WHERE c.org_id = $1 AND c.id = $2 AND r.org_id = $1 AND r.campaign_id = $2 AND r.seq > $3
	AND ($4::int = 0 OR :shown_state = $4::int)
ORDER BY r.seq LIMIT $5;

-- name: series
SELECT to_ms(bucket), sum(n) FILTER (WHERE kind = :LINK_DELIVERED),
	sum(n) FILTER (WHERE kind = :LINK_BOUNCED), sum(n) FILTER (WHERE kind = :LINK_EXPIRED),
	sum(n) FILTER (WHERE kind = :LINK_CANCELLED), sum(n) FILTER (WHERE kind = :LINK_DEFERRED)
FROM stats WHERE org_id = $1 AND campaign_id = $2 AND kind < :LINK_ACCEPTED
GROUP BY bucket ORDER BY bucket LIMIT $3;

-- name: reasons
SELECT e.kind, e.code, e.dsn, coalesce(d.text, ''), count(*)
FROM events e
LEFT JOIN diagnostics d ON d.org_id = $1 AND d.id = e.diagnostic_id
WHERE e.org_id = $1 AND e.campaign_id = $2
	AND e.kind IN (:LINK_BOUNCED, :LINK_EXPIRED, :LINK_DEFERRED)
GROUP BY 1, 2, 3, 4 ORDER BY count(*) DESC LIMIT $3;
