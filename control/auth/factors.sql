-- Second factors, and what waits for one.

-- name: factor_state
SELECT EXISTS (SELECT FROM user_totp t WHERE t.org_id = $1 AND t.user_id = $2 AND NOT t.pending),
	u.mail_factor, o.require_factor,
	(SELECT count(*) FROM recovery_codes k
		WHERE k.org_id = $1 AND k.user_id = $2 AND k.used_at IS NULL)
FROM users u JOIN orgs o USING (org_id) WHERE u.org_id = $1 AND u.id = $2;

-- name: totp_wait
INSERT INTO user_totp (org_id, user_id, pending, secret, seal_id) VALUES ($1, $2, true, $3, $4)
ON CONFLICT (org_id, user_id, pending) DO UPDATE
	SET secret = excluded.secret, seal_id = excluded.seal_id, last_step = 0, created_at = now();

-- name: totp_lock
-- What waits to be set up waits half an hour.
SELECT secret, seal_id, last_step FROM user_totp
WHERE org_id = $1 AND user_id = $2 AND pending = $3::int::bool
	AND (NOT pending OR created_at > now() - interval '30 minutes')
FOR UPDATE;

-- name: totp_used
UPDATE user_totp SET last_step = $4, pending = false
WHERE org_id = $1 AND user_id = $2 AND pending = $3::int::bool;

-- name: recovery_use
UPDATE recovery_codes SET used_at = now()
WHERE org_id = $1 AND user_id = $2 AND code_hash = $3 AND used_at IS NULL;

-- name: factor_remove
WITH app AS (DELETE FROM user_totp WHERE org_id = $1 AND user_id = $2 RETURNING NOT pending AS used),
	codes AS (DELETE FROM recovery_codes WHERE org_id = $1 AND user_id = $2),
	mail AS (UPDATE users SET mail_factor = false
		WHERE org_id = $1 AND id = $2 AND mail_factor RETURNING true)
SELECT EXISTS (SELECT FROM app WHERE used) OR EXISTS (SELECT FROM mail);

-- name: challenge_find
-- A login that waits for its second factor.  Has this person logged in from this network ($3)?
SELECT t.secret_hash, t.tries, t.user_id, t.code_hash, EXISTS (SELECT FROM login_places p
	WHERE p.org_id = $1 AND p.user_id = t.user_id AND p.net = nullif($3, '')::cidr
		AND p.seen_at > now() - interval '90 days'), t.detail
FROM auth_tokens t JOIN users u ON u.org_id = t.org_id AND u.id = t.user_id
WHERE t.org_id = $1 AND t.id = $2 AND t.kind = :TOKEN_CHALLENGE AND t.used_at IS NULL
	AND t.expires_at > now() AND u.status = :USER_ACTIVE
FOR UPDATE OF t;

-- name: challenge_code
UPDATE auth_tokens SET code_hash = $3 WHERE org_id = $1 AND id = $2;

-- name: token_used
UPDATE auth_tokens SET used_at = now() WHERE org_id = $1 AND id = $2;
