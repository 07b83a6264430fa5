-- The people of an organisation.

-- name: org_insert
INSERT INTO orgs (org_id, name, status, status_note)
VALUES ($1, $2, CASE WHEN $3::int::bool THEN :ORG_SUSPENDED ELSE :ORG_ACTIVE END, $4);

-- name: signup_insert
INSERT INTO signups (org_id, secret_hash, code_hash, sealed, seal_id, expires_at)
VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6::float8))
RETURNING to_ms(expires_at);

-- name: signup_find
SELECT secret_hash, code_hash, tries, sealed, seal_id FROM signups
WHERE org_id = $1 AND expires_at > now() FOR UPDATE;

-- name: signup_tried
UPDATE signups SET tries = tries + 1 WHERE org_id = $1;

-- name: signup_end
DELETE FROM signups WHERE org_id = $1;

-- part: member_columns
id, email, name, role, status, to_ms(created_at), to_ms(last_login_at), version,
mail_factor OR EXISTS (SELECT FROM user_totp t
	WHERE t.org_id = users.org_id AND t.user_id = users.id AND NOT t.pending),
coalesce(role_name, '')

-- name: member_page
SELECT :member_columns FROM users WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: member_find
SELECT :member_columns FROM users WHERE org_id = $1 AND id = $2;

-- name: member_lock
SELECT u.role, own_permits(u) FROM users u WHERE u.org_id = $1 AND u.id = $2 FOR UPDATE OF u;

-- name: member_insert
INSERT INTO users (org_id, email, email_norm, name, role, role_name, status)
VALUES ($1, $2, $3, $4, $5, nullif($6, ''), :USER_INVITED) RETURNING id;

-- part: member_role_next
CASE WHEN $3::smallint IS NULL THEN role_name ELSE nullif($6, '') END

-- part: member_status_next
CASE WHEN $4::smallint IS NULL THEN status
	WHEN $4 = :USER_ACTIVE AND password_hash IS NULL THEN :USER_INVITED
	ELSE $4 END

-- name: member_update
-- An invited member becomes active by the token only.
UPDATE users SET name = coalesce($5, name), role = coalesce($3, role),
	role_name = :member_role_next, status = :member_status_next,
	version = version + 1, updated_at = now()
WHERE org_id = $1 AND id = $2 AND (name, role, role_name, status) IS DISTINCT FROM
	(coalesce($5, name), coalesce($3, role), :member_role_next, :member_status_next);

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

-- name: address_change
UPDATE users SET email = $3, email_norm = $4, version = version + 1, updated_at = now()
WHERE org_id = $1 AND id = $2;

-- name: profile_update
UPDATE users SET name = coalesce($3, name), language = coalesce($5, language),
	username = CASE WHEN $4::text IS NULL THEN username ELSE nullif($4, '') END
WHERE org_id = $1 AND id = $2 AND (name, language, coalesce(username, '')) IS DISTINCT FROM
	(coalesce($3, name), coalesce($5, language), coalesce($4, username, ''));

-- name: tokens_end
UPDATE auth_tokens SET used_at = now() WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL;

-- name: member_tokens_end
-- Invitations and resets were handed over for the role and membership of that time: who kept one
-- must not enter with what the member is given now ($3, $4 as in member_update).
UPDATE auth_tokens SET used_at = now()
WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL AND EXISTS (SELECT FROM users
	WHERE org_id = $1 AND id = $2
		AND (role <> coalesce($3, role) OR status <> :member_status_next OR
			$3 IS NOT NULL AND coalesce(role_name, '') <> $5));

-- name: member_about
SELECT u.email_norm, u.name, o.name, coalesce(u.password_hash, ''), o.sso_only AND u.role <> :ROLE_ADMIN
FROM users u JOIN orgs o USING (org_id)
WHERE u.org_id = $1 AND u.id = $2;

-- name: member_accept
-- The person with the token chooses a password; a disabled account stays disabled.
UPDATE users SET password_hash = $3, status = :USER_ACTIVE, updated_at = now(),
	name = coalesce(nullif($4, ''), name), version = version + 1
WHERE org_id = $1 AND id = $2 AND status IN (:USER_ACTIVE, :USER_INVITED);

-- name: admins_lock
SELECT id FROM users WHERE org_id = $1 AND role = :ROLE_ADMIN ORDER BY id FOR UPDATE;

-- name: admins_active
SELECT id FROM users WHERE org_id = $1 AND role = :ROLE_ADMIN AND status = :USER_ACTIVE FOR UPDATE;

-- name: profile_more
-- $3: the telephone number is given; $7 and $8: bits of mails that are not wanted, and that are.
UPDATE users SET phone = CASE WHEN $3::int::bool THEN $4 ELSE phone END,
	phone_seal = CASE WHEN $3::int::bool THEN $5 ELSE phone_seal END,
	time_zone = coalesce($6, time_zone), mail_off = (mail_off | $7) & ~$8::int
WHERE org_id = $1 AND id = $2 AND ($3::int::bool OR (time_zone, mail_off) IS DISTINCT FROM
	(coalesce($6, time_zone), (mail_off | $7) & ~$8::int));

-- name: profile_read
SELECT phone, phone_seal, time_zone, mail_off FROM users WHERE org_id = $1 AND id = $2;
