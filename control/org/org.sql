-- The organisation as its members see it.

-- name: find
SELECT name, status, status_note, footer, to_ms(created_at), version FROM orgs WHERE org_id = $1;

-- name: update
UPDATE orgs SET name = coalesce($2, name), footer = coalesce($3, footer), version = version + 1,
	updated_at = now()
WHERE org_id = $1;

-- name: audit_page
-- Newest first: the cursor's id is an upper bound.
SELECT id, to_ms(at), actor_kind, actor_id, action, object, detail::text, request_id, ip
FROM audit
WHERE org_id = $1 AND ($2 = 0 OR id < $2)
ORDER BY id DESC LIMIT $3;
