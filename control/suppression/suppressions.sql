-- Who is not written to, and why: rows of suppressions.

-- part: columns
id, email, reason, source, coalesce(campaign_id, 0), to_ms(created_at)

-- name: page
SELECT :columns FROM suppressions WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: find
SELECT :columns FROM suppressions WHERE org_id = $1 AND email_hash = $2;

-- name: insert
INSERT INTO suppressions (org_id, email_hash, email, reason, source, campaign_id)
VALUES ($1, $2, $3, $4, $5, nullif($6::bigint, 0))
ON CONFLICT DO NOTHING;
