-- Pictures of people.

-- name: avatar_set
INSERT INTO avatars (org_id, user_id, address, kind, bytes) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (org_id, user_id) DO UPDATE SET address = excluded.address, kind = excluded.kind,
	bytes = excluded.bytes, created_at = now();

-- name: avatar_remove
DELETE FROM avatars WHERE org_id = $1 AND user_id = $2;

-- name: avatar_find
SELECT kind, bytes FROM avatars WHERE org_id = $1 AND address = $2;

-- name: avatar_changed
UPDATE users SET version = version + 1, updated_at = now() WHERE org_id = $1 AND id = $2;
