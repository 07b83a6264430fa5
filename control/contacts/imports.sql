-- Imports: taken by the API as cp_api; claimed and staged by the worker as cp_ingest, since COPY is
-- refused to a role under a policy; applied as cp_api again.

-- part: import_columns
id, status, coalesce(list_id, 0), bytes, rows_read, n_created, n_updated, n_invalid, n_duplicate,
n_suppressed, error, to_ms(created_at), coalesce(to_ms(started_at), 0),
coalesce(to_ms(finished_at), 0), n_left_out, n_unwanted, report::text

-- part: import_open
status IN (:IMPORT_WAITING, :IMPORT_RUNNING)

-- name: import_insert
INSERT INTO imports (org_id, list_id, mapping, path, bytes, created_by, report)
VALUES ($1, nullif($2::bigint, 0), $3, $4, $5, nullif($6::bigint, 0), $7::jsonb)
RETURNING :import_columns;

-- name: import_page
SELECT :import_columns FROM imports WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: import_find
SELECT :import_columns FROM imports WHERE org_id = $1 AND id = $2;

-- name: import_count_open
SELECT count(*) FROM imports WHERE org_id = $1 AND :import_open;

-- name: import_cancel
UPDATE imports i SET status = :IMPORT_CANCELLED, finished_at = clock_timestamp(), path = ''
FROM (SELECT path FROM imports WHERE org_id = $1 AND id = $2 FOR UPDATE) old
WHERE i.org_id = $1 AND i.id = $2 AND i.status IN (:IMPORT_WAITING, :IMPORT_RUNNING)
RETURNING old.path;

-- name: import_error_page
SELECT n, line, reason, value, column_title, taken::int FROM import_errors
WHERE org_id = $1 AND import_id = $2 AND n > $3
ORDER BY n LIMIT $4;

-- name: import_wants
-- role: cp_ingest
SELECT 1 FROM imports WHERE :import_open AND path = $1 LIMIT 1;

-- name: import_claim
-- role: cp_ingest
UPDATE imports SET status = :IMPORT_RUNNING, claimed_until = now() + interval '60 s',
	started_at = coalesce(started_at, now())
WHERE (org_id, id) IN (
	SELECT org_id, id FROM imports
	WHERE status = :IMPORT_WAITING OR (status = :IMPORT_RUNNING AND claimed_until < now())
	ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING org_id, id, coalesce(list_id, 0), path, mapping::text;

-- name: import_stage
-- role: cp_ingest
COPY import_rows (org_id, import_id, line, email, email_norm, email_hash, first_name, last_name,
	fields, status) FROM STDIN;

-- name: import_progress
UPDATE imports SET rows_read = $3, n_invalid = $4, claimed_until = now() + interval '60 s'
WHERE org_id = $1 AND id = $2 AND status = :IMPORT_RUNNING;

-- part: all_say(complained, unsubscribed, bounced)
-- What a person said counts more than what became of mail: a bounce may be over one day.
CASE WHEN :complained THEN :CONTACT_COMPLAINED WHEN :unsubscribed THEN :CONTACT_UNSUBSCRIBED
	WHEN :bounced THEN :CONTACT_BOUNCED ELSE :CONTACT_SUBSCRIBED END

-- part: any_row(code)
bool_or(status = :code) OVER (PARTITION BY email_norm)

-- part: either(code)
:code IN (c.status, excluded.status)

-- name: import_apply
-- The last row of an address counts, but one that says that mail is not wanted counts wherever it
-- stands, and none makes a contact subscribed again.  Those
-- who left the list are not put on it again, and those who want no mail are not put on it
-- (NOT IN is hashed; a join of the two would be planned as a nested loop).
WITH staged AS (
	SELECT DISTINCT ON (email_norm) email, email_norm, first_name, last_name, fields,
		:all_say(:any_row(:CONTACT_COMPLAINED), :any_row(:CONTACT_UNSUBSCRIBED),
			:any_row(:CONTACT_BOUNCED)) AS status
	FROM import_rows WHERE org_id = $1 AND import_id = $2 ORDER BY email_norm, line DESC
), done AS (
	INSERT INTO contacts AS c (org_id, email, email_norm, first_name, last_name, fields, status,
		source)
	SELECT $1, email, email_norm, first_name, last_name, fields, status, :CONTACT_FROM_IMPORT
	FROM staged
	ON CONFLICT (org_id, email_norm) DO UPDATE SET
		first_name = coalesce(nullif(excluded.first_name, ''), c.first_name),
		last_name = coalesce(nullif(excluded.last_name, ''), c.last_name),
		fields = c.fields || excluded.fields, status = :all_say(:either(:CONTACT_COMPLAINED),
			:either(:CONTACT_UNSUBSCRIBED), :either(:CONTACT_BOUNCED)),
		updated_at = now(), version = c.version + 1
	RETURNING c.id, c.email_norm, c.version = 1 AS fresh
), joined AS (
	INSERT INTO list_members AS m (org_id, list_id, contact_id)
	SELECT $1, $3::bigint, id FROM done
	WHERE $3::bigint <> 0 AND email_norm NOT IN (
		SELECT email_norm FROM staged WHERE status <> :CONTACT_SUBSCRIBED)
	ON CONFLICT (org_id, list_id, contact_id) DO UPDATE SET status = :MEMBER_SUBSCRIBED
		WHERE m.status = :MEMBER_UNCONFIRMED
	RETURNING 1
)
SELECT (SELECT count(*) FROM done WHERE fresh), (SELECT count(*) FROM done WHERE NOT fresh),
	(SELECT count(*) FROM import_rows WHERE org_id = $1 AND import_id = $2),
	(SELECT count(*) FROM joined),
	(SELECT count(*) FROM staged WHERE status <> :CONTACT_SUBSCRIBED);

-- name: import_suppressed
SELECT count(DISTINCT r.email_hash)
FROM import_rows r JOIN suppressions s ON s.org_id = $1 AND s.email_hash = r.email_hash
WHERE r.org_id = $1 AND r.import_id = $2;

-- name: import_errors_insert
INSERT INTO import_errors (org_id, import_id, line, reason, value, column_title, taken)
SELECT $1, $2, u.line, u.reason, u.value, u.title, u.taken <> 0
FROM unnest($3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::int[])
	WITH ORDINALITY AS u(line, reason, value, title, taken, n)
ORDER BY u.n;

-- name: import_done
UPDATE imports SET status = :IMPORT_DONE, finished_at = clock_timestamp(), path = '',
	rows_read = $3, n_invalid = $4, n_created = $5, n_updated = $6, n_duplicate = $7,
	n_suppressed = $8, n_left_out = $9, n_unwanted = $10
WHERE org_id = $1 AND id = $2 AND status = :IMPORT_RUNNING;

-- name: import_failed
UPDATE imports SET status = :IMPORT_FAILED, finished_at = clock_timestamp(), path = '', error = $3
WHERE org_id = $1 AND id = $2 AND status = :IMPORT_RUNNING;
