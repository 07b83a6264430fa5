-- Answers kept for Idempotency-Key.  The first line of headers is the type of the body.

-- name: answer_find
SELECT body_hash, status, response, split_part(headers, E'\n', 1),
	substr(headers, strpos(headers, E'\n') + 1), seal
FROM idempotency
WHERE org_id = $1 AND key = $2 AND created_at > now() - interval '24 hours';

-- name: answer_store
INSERT INTO idempotency (org_id, key, body_hash, status, headers, response, seal)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (org_id, key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status,
	headers = excluded.headers, response = excluded.response, seal = excluded.seal, created_at = now();
