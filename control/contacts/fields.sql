-- Definitions of contacts' fields.

-- part: field_columns
id, name, label, type, to_ms(created_at)

-- name: field_page
SELECT :field_columns FROM fields WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: field_insert
-- No row: there are $5 already.
INSERT INTO fields (org_id, name, label, type)
SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM fields WHERE org_id = $1) < $5
RETURNING :field_columns;

-- name: field_update
UPDATE fields SET label = coalesce($3, label), version = version + 1 WHERE org_id = $1 AND id = $2
RETURNING :field_columns;
