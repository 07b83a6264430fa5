-- Templates and their versions.

-- part: head_columns
t.id, t.name, t.alias, t.version, to_ms(t.created_at), to_ms(t.updated_at), t.subject

-- part: columns
:head_columns, t.html, t.text

-- name: page
SELECT :head_columns FROM templates t WHERE t.org_id = $1 AND t.id > $2 ORDER BY t.id LIMIT $3;

-- name: find_id
SELECT id FROM templates WHERE org_id = $1 AND (id = $2::bigint OR alias = $3);

-- name: find_lock
SELECT :columns FROM templates t WHERE t.org_id = $1 AND t.id = $2 FOR UPDATE;

-- name: insert
INSERT INTO templates AS t (org_id, name, alias, subject, html, text)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING :columns;

-- name: update
-- $4: is the alias given?  It may be null then.  No row: all is as it was.
UPDATE templates t SET name = coalesce($3, name),
	alias = CASE WHEN $4::int::bool THEN $5 ELSE alias END,
	subject = $6, html = $7, text = $8, updated_at = now(), version = version + 1
WHERE org_id = $1 AND id = $2 AND (name, alias, subject, html, text) IS DISTINCT FROM
	(coalesce($3, name), CASE WHEN $4::int::bool THEN $5 ELSE alias END, $6, $7, $8)
RETURNING :columns;

-- name: version_keep
INSERT INTO template_versions (org_id, template_id, version, subject, html, text, created_by)
SELECT org_id, id, version, subject, html, text, nullif($3::bigint, 0) FROM templates
WHERE org_id = $1 AND id = $2;

-- name: version_page
SELECT version, subject, html, text, to_ms(created_at) FROM template_versions
WHERE org_id = $1 AND template_id = $2 AND version > $3
ORDER BY version LIMIT $4;

-- name: preview_contact
-- By id, or by the normal form of the address.
SELECT (fields || jsonb_build_object('email', email, 'first_name', first_name,
	'last_name', last_name))::text
FROM contacts WHERE org_id = $1 AND (id = $2::bigint OR email_norm = $3);
