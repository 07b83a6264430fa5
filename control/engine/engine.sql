-- Our place in the engine's events, and the orders that wait for it.

-- name: cursor_lock
-- role: cp_ingest
SELECT id, cursor = $2::numeric FROM engines WHERE name = $1 FOR UPDATE;

-- name: cursor_move
-- role: cp_ingest
UPDATE engines SET cursor = $2::numeric, updated_at = now() WHERE id = $1;

-- name: cursor_reached
-- role: cp_ingest
SELECT cursor >= $2::numeric FROM engines WHERE name = $1;

-- name: outbox_next
-- role: cp_ingest
SELECT seq, kind, name, value, seal_id FROM engine_outbox
WHERE seq > $1 ORDER BY seq LIMIT $2;

-- name: outbox_insert
INSERT INTO engine_outbox (org_id, kind, name, value, seal_id) VALUES ($1, $2, $3, $4, $5);
