-- The people of an organisation, and what each does about themselves.

-- part: member_columns
id, email, name, role, status, to_ms(created_at), to_ms(last_login_at), version,
mail_factor OR EXISTS (SELECT FROM user_totp t
	WHERE t.org_id = users.org_id AND t.user_id = users.id AND NOT t.pending),
coalesce(role_name, ''), coalesce((SELECT a.address FROM avatars a
	WHERE a.org_id = users.org_id AND a.user_id = users.id), '')

-- name: page
SELECT :member_columns FROM users WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: find
SELECT :member_columns FROM users WHERE org_id = $1 AND id = $2;

-- name: lock
SELECT u.role, own_permits(u) FROM users u WHERE u.org_id = $1 AND u.id = $2 FOR UPDATE OF u;

-- name: insert
INSERT INTO users (org_id, email, email_norm, name, role, role_name, status)
VALUES ($1, $2, $3, $4, $5, nullif($6, ''), :USER_INVITED) RETURNING id;

-- part: member_role_next
CASE WHEN $3::smallint IS NULL THEN role_name ELSE nullif($6, '') END

-- part: member_status_next
CASE WHEN $4::smallint IS NULL THEN status
	WHEN $4 = :USER_ACTIVE AND password_hash IS NULL THEN :USER_INVITED
	ELSE $4 END

-- name: update
-- An invited member becomes active by the token only.
UPDATE users SET name = coalesce($5, name), role = coalesce($3, role),
	role_name = :member_role_next, status = :member_status_next,
	version = version + 1, updated_at = now()
WHERE org_id = $1 AND id = $2 AND (name, role, role_name, status) IS DISTINCT FROM
	(coalesce($5, name), coalesce($3, role), :member_role_next, :member_status_next);

-- name: address_change
UPDATE users SET email = $3, email_norm = $4, version = version + 1, updated_at = now()
WHERE org_id = $1 AND id = $2;

-- name: profile_update
UPDATE users SET name = coalesce($3, name), language = coalesce($5, language),
	username = CASE WHEN $4::text IS NULL THEN username ELSE nullif($4, '') END
WHERE org_id = $1 AND id = $2 AND (name, language, coalesce(username, '')) IS DISTINCT FROM
	(coalesce($3, name), coalesce($5, language), coalesce($4, username, ''));

-- name: tokens_end
-- Invitations and resets were handed over for the role and membership of that time: who kept one
-- must not enter with what the member is given now ($3, $4 as in member_update).
UPDATE auth_tokens SET used_at = now()
WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL AND EXISTS (SELECT FROM users
	WHERE org_id = $1 AND id = $2
		AND (role <> coalesce($3, role) OR status <> :member_status_next OR
			$3 IS NOT NULL AND coalesce(role_name, '') <> $5));

-- name: admins_lock
SELECT id FROM users WHERE org_id = $1 AND role = :ROLE_ADMIN ORDER BY id FOR UPDATE;

-- name: admins_active
SELECT id FROM users WHERE org_id = $1 AND role = :ROLE_ADMIN AND status = :USER_ACTIVE FOR UPDATE;

-- name: mail_factor_set
UPDATE users SET mail_factor = $3::int::bool, updated_at = now(), version = version + 1
WHERE org_id = $1 AND id = $2 AND mail_factor <> $3::int::bool;

-- name: totp_remove
DELETE FROM user_totp WHERE org_id = $1 AND user_id = $2 AND NOT pending;

-- name: session_page
SELECT id, to_ms(created_at), to_ms(last_seen_at), to_ms(expires_at), coalesce(host(ip), ''), agent,
	(id = $5)::int
FROM sessions
WHERE org_id = $1 AND user_id = $2 AND expires_at > now() AND replaced_by IS NULL AND id > $3
	AND last_seen_at > now() - make_interval(secs => $6::float8 / 1000)
ORDER BY id LIMIT $4;
