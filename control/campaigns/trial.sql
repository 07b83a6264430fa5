-- Campaigns of test keys: claimed, and their pieces given simulated outcomes.

-- name: trial_mark
-- Who sends or schedules it decides.
UPDATE campaigns SET test = $3::int::bool WHERE org_id = $1 AND id = $2;

-- name: trial_claim
-- role: cp_ingest
UPDATE campaigns SET claimed_by = $1, claimed_until = now() + $2 * interval '1 ms'
WHERE (org_id, id) IN (
	SELECT c.org_id, c.id FROM campaigns c
	WHERE c.test AND c.status IN (:CAMPAIGN_SENDING, :CAMPAIGN_CANCELLED)
		AND (c.claimed_until IS NULL OR c.claimed_until < now())
		AND (:has_uncut OR EXISTS (SELECT FROM campaign_chunks k
			WHERE k.org_id = c.org_id AND k.campaign_id = c.id
				AND k.state <> :PIECE_ACCEPTED))
	ORDER BY c.started_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING org_id, id, :has_uncut, engine_number, status = :CAMPAIGN_CANCELLED;

-- name: trial_hold
-- Still ours, and still open?
-- role: cp_ingest
SELECT FROM campaigns c JOIN campaign_chunks k ON k.org_id = c.org_id AND k.campaign_id = c.id
WHERE c.org_id = $1 AND c.id = $2 AND c.claimed_by = $3 AND k.first_seq = $4
	AND k.state <> :PIECE_ACCEPTED
FOR UPDATE;
