-- The people of an organisation.

-- name: org_insert
INSERT INTO orgs (org_id, name, status, status_note)
VALUES ($1, $2, CASE WHEN $3::int::bool THEN :ORG_SUSPENDED ELSE :ORG_ACTIVE END, $4);

-- part: member_columns
id, email, name, role, status, to_ms(created_at), to_ms(last_login_at), version

-- name: member_page
SELECT :member_columns FROM users WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: member_find
SELECT :member_columns FROM users WHERE org_id = $1 AND id = $2;

-- part: member_status_next
CASE WHEN $4::smallint IS NULL THEN status
	WHEN $4 = :USER_ACTIVE AND password_hash IS NULL THEN :USER_INVITED
	ELSE $4 END

-- name: member_update
-- An invited member becomes active by the token only.
UPDATE users SET name = coalesce($5, name), role = coalesce($3, role),
	status = :member_status_next,
	version = version + 1, updated_at = now()
WHERE org_id = $1 AND id = $2 AND (name, role, status) IS DISTINCT FROM
	(coalesce($5, name), coalesce($3, role), :member_status_next);

-- name: tokens_end
UPDATE auth_tokens SET used_at = now() WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL;

-- name: member_tokens_end
-- Invitations and resets were handed over for the role and membership of that time: who kept one
-- must not enter with what the member is given now ($3, $4 as in member_update).
UPDATE auth_tokens SET used_at = now()
WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL AND EXISTS (SELECT FROM users
	WHERE org_id = $1 AND id = $2
		AND (role <> coalesce($3, role) OR status <> :member_status_next));

-- name: member_about
SELECT u.email_norm, u.name, o.name, coalesce(u.password_hash, '')
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
