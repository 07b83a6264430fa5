-- Sign-ups that wait, and what comes to be.

-- name: org_insert
INSERT INTO orgs (org_id, name, status, status_note, profile)
VALUES ($1, $2, CASE WHEN $3::int::bool THEN :ORG_SUSPENDED ELSE :ORG_ACTIVE END, $4,
	jsonb_strip_nulls($5::jsonb));

-- name: insert
INSERT INTO signups (org_id, secret_hash, code_hash, sealed, seal_id, expires_at)
VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6::float8))
RETURNING to_ms(expires_at);

-- name: find
SELECT secret_hash, code_hash, tries, sealed, seal_id FROM signups
WHERE org_id = $1 AND expires_at > now() FOR UPDATE;

-- name: tried
UPDATE signups SET tries = tries + 1 WHERE org_id = $1;

-- name: end
DELETE FROM signups WHERE org_id = $1;
