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

-- name: member_update
-- An invited member becomes active by the token only.
UPDATE users SET name = coalesce($3, name), role = coalesce($4, role),
	status = CASE WHEN $5::smallint IS NULL THEN status
		WHEN $5 = :USER_ACTIVE AND password_hash IS NULL THEN :USER_INVITED
		ELSE $5 END,
	version = version + 1, updated_at = now()
WHERE org_id = $1 AND id = $2;

-- name: member_accept
-- The person with the token chooses a password; a disabled account stays disabled.
UPDATE users SET password_hash = $3, status = :USER_ACTIVE, updated_at = now(),
	name = coalesce(nullif($4, ''), name), version = version + 1
WHERE org_id = $1 AND id = $2 AND status IN (:USER_ACTIVE, :USER_INVITED);

-- name: admins_lock
SELECT id FROM users WHERE org_id = $1 AND role = :ROLE_ADMIN ORDER BY id FOR UPDATE;

-- name: admins_active
SELECT id FROM users WHERE org_id = $1 AND role = :ROLE_ADMIN AND status = :USER_ACTIVE FOR UPDATE;
