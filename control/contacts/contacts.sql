-- Contacts.

-- part: columns
c.id, c.email, c.first_name, c.last_name, c.status, c.fields::text, to_ms(c.created_at),
to_ms(c.updated_at), c.version

-- name: find
SELECT :columns FROM contacts c WHERE c.org_id = $1 AND c.id = $2;

-- name: find_by_email
SELECT :columns FROM contacts c WHERE c.org_id = $1 AND c.email_norm = $2;

-- name: find_lock
SELECT :columns FROM contacts c WHERE c.org_id = $1 AND c.email_norm = $2 FOR UPDATE;

-- name: find_id_lock
SELECT :columns FROM contacts c WHERE c.org_id = $1 AND c.id = $2 FOR UPDATE;

-- part: filters
($4::int = 0 OR c.status = $4::int) AND ($5 = '' OR c.email_norm = $5)

-- name: page
-- One statement per filter, so that each has the plan of its own index.
SELECT :columns FROM contacts c
WHERE c.org_id = $1 AND c.id > $2 AND :filters
ORDER BY c.id LIMIT $3;

-- name: page_of_list
SELECT :columns FROM list_members m JOIN contacts c ON c.org_id = $1 AND c.id = m.contact_id
WHERE m.org_id = $1 AND m.list_id = $6 AND m.contact_id > $2 AND m.status = :MEMBER_SUBSCRIBED
	AND :filters
ORDER BY m.contact_id LIMIT $3;

-- name: lists_of
SELECT list_id FROM list_members
WHERE org_id = $1 AND contact_id = $2 AND status = :MEMBER_SUBSCRIBED
ORDER BY list_id LIMIT 1000;

-- name: join_list
-- No row: there is no such list, or the contact is on it already.
INSERT INTO list_members AS m (org_id, list_id, contact_id)
SELECT $1, l.id, $3 FROM lists l WHERE l.org_id = $1 AND l.id = $2
ON CONFLICT (org_id, list_id, contact_id) DO UPDATE SET status = :MEMBER_SUBSCRIBED
	WHERE m.status <> :MEMBER_SUBSCRIBED;

-- name: upsert
-- Absent members keep what is there; a field that is null is removed (RFC 7396).
INSERT INTO contacts AS c (org_id, email, email_norm, first_name, last_name, status, fields)
VALUES ($1, $2, $3, coalesce($4, ''), coalesce($5, ''),
	coalesce(nullif($6::smallint, 0), :CONTACT_SUBSCRIBED), jsonb_strip_nulls($7::jsonb))
ON CONFLICT (org_id, email_norm) DO UPDATE SET email = excluded.email,
	first_name = coalesce($4, c.first_name), last_name = coalesce($5, c.last_name),
	status = coalesce(nullif($6::smallint, 0), c.status),
	fields = jsonb_strip_nulls(c.fields || $7::jsonb), updated_at = now(),
	version = c.version + 1
RETURNING :columns;

-- name: update
-- No row: all is as it was.
UPDATE contacts c SET email = coalesce($3, email), email_norm = coalesce($4, email_norm),
	first_name = coalesce($5, first_name), last_name = coalesce($6, last_name),
	status = coalesce(nullif($7::smallint, 0), status),
	fields = jsonb_strip_nulls(fields || $8::jsonb), updated_at = now(), version = version + 1
WHERE org_id = $1 AND id = $2
	AND (email, email_norm, first_name, last_name, status, fields) IS DISTINCT FROM
		(coalesce($3, email), coalesce($4, email_norm), coalesce($5, first_name),
		coalesce($6, last_name), coalesce(nullif($7::smallint, 0), status),
		jsonb_strip_nulls(fields || $8::jsonb))
RETURNING :columns;

-- name: leave_lists
-- The sizes of a contact's lists, before it is deleted.
INSERT INTO list_counts (org_id, list_id, n)
SELECT $1, list_id, -1 FROM list_members
WHERE org_id = $1 AND contact_id = $2 AND status = :MEMBER_SUBSCRIBED;
