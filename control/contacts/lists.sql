-- Lists, who is on them, and how many.

-- name: list_count_fold
WITH old AS (DELETE FROM list_counts WHERE org_id = $1 AND list_id = $2 RETURNING n)
INSERT INTO list_counts (org_id, list_id, n) SELECT $1, $2, sum(n) FROM old;

-- part: list_columns
l.id, l.name, l.description, to_ms(l.created_at), to_ms(l.updated_at), l.version,
(SELECT coalesce(sum(k.n), 0) FROM list_counts k
	WHERE k.org_id = l.org_id AND k.list_id = l.id)::bigint

-- name: list_page
SELECT :list_columns FROM lists l WHERE l.org_id = $1 AND l.id > $2 ORDER BY l.id LIMIT $3;

-- name: list_find
SELECT :list_columns FROM lists l WHERE l.org_id = $1 AND l.id = $2;

-- name: list_find_lock
SELECT :list_columns FROM lists l WHERE l.org_id = $1 AND l.id = $2 FOR UPDATE;

-- name: list_insert
INSERT INTO lists AS l (org_id, name, description) VALUES ($1, $2, $3) RETURNING :list_columns;

-- name: list_update
-- No row: all is as it was.
UPDATE lists l SET name = coalesce($3, name), description = coalesce($4, description),
	updated_at = now(), version = version + 1
WHERE org_id = $1 AND id = $2
	AND (name, description) IS DISTINCT FROM (coalesce($3, name), coalesce($4, description))
RETURNING :list_columns;

-- part: named
(c.id = ANY($3::bigint[]) OR c.email_norm = ANY($4::text[]))

-- name: list_join
-- Those who were not on the list before.
WITH done AS (
	INSERT INTO list_members AS m (org_id, list_id, contact_id)
	SELECT $1, $2, c.id FROM contacts c WHERE c.org_id = $1 AND :named
	ON CONFLICT (org_id, list_id, contact_id) DO UPDATE SET status = :MEMBER_SUBSCRIBED
		WHERE m.status <> :MEMBER_SUBSCRIBED
	RETURNING contact_id
)
SELECT count(*), count(*) FROM done;

-- name: list_leave
-- Those who were on the list in any way, and those who counted.
WITH done AS (
	DELETE FROM list_members m USING contacts c
	WHERE m.org_id = $1 AND m.list_id = $2 AND c.org_id = $1 AND c.id = m.contact_id AND :named
	RETURNING m.status
)
SELECT count(*), count(*) FILTER (WHERE status = :MEMBER_SUBSCRIBED) FROM done;
