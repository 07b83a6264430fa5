-- The people of an organisation.

-- name: token_insert
INSERT INTO auth_tokens (org_id, user_id, kind, secret_hash, expires_at)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5::float8)) RETURNING id;

-- name: token_handed
-- Of an invitation or a reset, not one that goes with a code.
SELECT secret_hash, user_id, kind FROM auth_tokens
WHERE org_id = $1 AND id = $2 AND kind IN (:TOKEN_RESET, :TOKEN_INVITE)
	AND used_at IS NULL AND expires_at > now()
FOR UPDATE;

-- name: token_mail
-- Whom a token goes to, and who invites: a person ($3), or the organisation.
SELECT u.email, u.language, coalesce((SELECT coalesce(nullif(i.name, ''), i.email) FROM users i
	WHERE i.org_id = $1 AND i.id = $3), o.name)
FROM users u JOIN orgs o USING (org_id) WHERE u.org_id = $1 AND u.id = $2;

-- name: code_insert
INSERT INTO auth_tokens (org_id, user_id, kind, secret_hash, code_hash, expires_at, detail)
VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6::float8), $7)
RETURNING id, to_ms(expires_at);

-- name: code_find
SELECT t.secret_hash, t.code_hash, t.tries, t.detail, u.email
FROM auth_tokens t JOIN users u ON u.org_id = t.org_id AND u.id = t.user_id
WHERE t.org_id = $1 AND t.id = $2 AND t.user_id = $3 AND t.kind = $4 AND t.used_at IS NULL
	AND t.expires_at > now()
FOR UPDATE OF t;

-- name: code_tried
UPDATE auth_tokens SET tries = tries + 1 WHERE org_id = $1 AND id = $2;

-- name: tokens_end
UPDATE auth_tokens SET used_at = now() WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL;

-- name: member_about
SELECT u.email_norm, u.name, o.name, coalesce(u.password_hash, ''), o.sso_only AND u.role <> :ROLE_ADMIN
FROM users u JOIN orgs o USING (org_id)
WHERE u.org_id = $1 AND u.id = $2;

-- name: member_accept
-- The person with the token chooses a password; a disabled account stays disabled.
UPDATE users SET password_hash = $3, status = :USER_ACTIVE, updated_at = now(),
	name = coalesce(nullif($4, ''), name), version = version + 1
WHERE org_id = $1 AND id = $2 AND status IN (:USER_ACTIVE, :USER_INVITED);

-- name: profile_more
-- $3: the telephone number is given; $7 and $8: bits of mails that are not wanted, and that are.
UPDATE users SET phone = CASE WHEN $3::int::bool THEN $4 ELSE phone END,
	phone_seal = CASE WHEN $3::int::bool THEN $5 ELSE phone_seal END,
	time_zone = coalesce($6, time_zone), mail_off = (mail_off | $7) & ~$8::int
WHERE org_id = $1 AND id = $2 AND ($3::int::bool OR (time_zone, mail_off) IS DISTINCT FROM
	(coalesce($6, time_zone), (mail_off | $7) & ~$8::int));

-- name: profile_read
SELECT phone, phone_seal, time_zone, mail_off, coalesce((SELECT a.address FROM avatars a
	WHERE a.org_id = users.org_id AND a.user_id = users.id), '')
FROM users WHERE org_id = $1 AND id = $2;
