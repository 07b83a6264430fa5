-- Our place in the engine's events, and the orders that wait for it.

-- part: live
ended = 0

-- name: cursor_lock
-- role: cp_ingest
SELECT cursor = $2::numeric FROM engines WHERE id = $1 AND :live FOR UPDATE;

-- name: cursor_move
-- role: cp_ingest
UPDATE engines SET cursor = $2::numeric, updated_at = now() WHERE id = $1;

-- name: cursor_reached
-- role: cp_ingest
SELECT cursor >= $2::numeric FROM engines WHERE id = $1 AND :live;

-- name: cursor_read
-- role: cp_ingest
SELECT cursor FROM engines WHERE id = $1 AND :live;

-- name: number_find
-- role: cp_ingest
SELECT id FROM campaigns WHERE org_id = $1 AND engine_number = $2;

-- name: number_find_late
-- role: cp_ingest
SELECT id FROM campaigns WHERE org_id = $1 AND engine_number = $2
UNION SELECT campaign_id FROM campaign_numbers WHERE org_id = $1 AND number = $2;

-- name: met_before
-- role: cp_ingest
SELECT name, cursor FROM engines WHERE :live;

-- name: met_find
-- role: cp_ingest
SELECT id, cursor FROM engines WHERE name = $1 AND :live;

-- name: met_end
-- Ends engines: the one with this name, or the others that no process reads any more.
-- role: cp_ingest
UPDATE engines SET ended = $2, name = name || '/' || id, updated_at = now()
WHERE :live AND CASE WHEN $2 = :ENGINE_REPLACED
	THEN name <> $1 AND pg_try_advisory_xact_lock(hashtext('postern intake'), hashtext(name))
	ELSE name = $1 END
RETURNING name;

-- name: met_others
-- role: cp_ingest
SELECT count(*) FROM engines WHERE :live AND name <> $1;

-- name: met_new
-- One that was read before goes on where it was read to, if it still has that; the first half of a name says
-- whose log it is.
-- role: cp_ingest
INSERT INTO engines (name, cursor)
SELECT $1, greatest($4::numeric, (
	SELECT max(cursor) FROM engines
	WHERE split_part(name, '.', 1) = split_part($1, '.', 1) AND ended = :ENGINE_REPLACED
		AND cursor BETWEEN $3::numeric AND $2::numeric
))
RETURNING id, cursor;

-- name: outbox_next
-- role: cp_ingest
SELECT seq, kind, name, value, seal_id FROM engine_outbox
WHERE seq > $1 ORDER BY seq LIMIT $2;

-- name: outbox_last_rule
-- role: cp_ingest
SELECT coalesce(max(seq), 0) FROM engine_outbox WHERE kind = :OUTBOX_RULE;

-- name: outbox_has_rule
-- Does one of those up to here still wait?
-- role: cp_ingest
SELECT EXISTS (SELECT FROM engine_outbox WHERE kind = :OUTBOX_RULE AND seq <= $1);

-- name: outbox_insert
INSERT INTO engine_outbox (org_id, kind, name, value, seal_id) VALUES ($1, $2, $3, $4, $5);
