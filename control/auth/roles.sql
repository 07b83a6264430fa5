-- Roles of the organisation's own.

-- part: role_columns
r.name, r.title, r.permits,
(SELECT count(*) FROM users u WHERE u.org_id = $1 AND u.role_name = r.name),
to_ms(r.created_at), r.version

-- name: role_list
SELECT :role_columns FROM roles r WHERE r.org_id = $1 ORDER BY r.name;

-- name: role_find
SELECT :role_columns FROM roles r WHERE r.org_id = $1 AND r.name = $2;

-- name: role_counts
SELECT role, count(*) FROM users WHERE org_id = $1 GROUP BY role;

-- name: role_share
SELECT permits FROM roles WHERE org_id = $1 AND name = $2 FOR SHARE;

-- name: role_lock
SELECT permits, version FROM roles WHERE org_id = $1 AND name = $2 FOR UPDATE;

-- name: role_insert
INSERT INTO roles (org_id, name, title, permits)
SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM roles WHERE org_id = $1) < $5;

-- name: role_update
UPDATE roles SET title = coalesce($3, title), permits = $4, version = version + 1,
	updated_at = now()
WHERE org_id = $1 AND name = $2 AND (title, permits) IS DISTINCT FROM (coalesce($3, title), $4);

-- name: role_members
SELECT id FROM users WHERE org_id = $1 AND role_name = $2 ORDER BY id FOR UPDATE;
