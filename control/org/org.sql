-- The organisation as its members see it.

-- name: find
SELECT name, status, status_note, footer, postal_address, to_ms(created_at), version, handle,
	require_factor, array_to_json(origins)::text, profile::text
FROM orgs WHERE org_id = $1;

-- part: new_origins
CASE WHEN $7::jsonb IS NULL THEN origins ELSE ARRAY(SELECT jsonb_array_elements_text($7::jsonb)) END

-- part: new_profile
CASE WHEN $8::jsonb IS NULL THEN profile ELSE jsonb_strip_nulls(profile || $8::jsonb) END

-- name: update
UPDATE orgs SET name = coalesce($2, name), footer = coalesce($3, footer),
	postal_address = coalesce($4, postal_address), handle = coalesce($5, handle),
	require_factor = coalesce($6::int::bool, require_factor), origins = :new_origins,
	profile = :new_profile, version = version + 1, updated_at = now()
WHERE org_id = $1 AND (name, footer, postal_address, handle, require_factor, origins, profile)
	IS DISTINCT FROM (coalesce($2, name), coalesce($3, footer), coalesce($4, postal_address),
		coalesce($5, handle), coalesce($6::int::bool, require_factor), :new_origins, :new_profile);

-- name: origins_page
-- Of the next organisations that list any, all that they list.
-- role: cp_ingest
SELECT o.org_id, u.origin
FROM (SELECT org_id, origins FROM orgs WHERE origins <> '{}' AND org_id > $1
	ORDER BY org_id LIMIT 1000) o, unnest(o.origins) u (origin)
ORDER BY o.org_id;

-- part: audit_columns
id, to_ms(at), actor_kind, actor_id, action, object, detail::text, request_id, ip

-- name: audit_page
-- Newest first: the cursor's id is an upper bound.
SELECT :audit_columns FROM audit
WHERE org_id = $1 AND ($2 = 0 OR id < $2)
ORDER BY id DESC LIMIT $3;

-- name: notice_page
-- What the service did by itself: its workers wrote these rows.
SELECT :audit_columns FROM audit
WHERE org_id = $1 AND request_id = 'worker' AND ($2 = 0 OR id < $2)
ORDER BY id DESC LIMIT $3;
