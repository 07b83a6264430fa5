-- All organisations, as the platform's operators see them.

-- name: page
SELECT org_id, name, status, status_note, to_ms(created_at) FROM lookup_orgs($1, $2);

-- name: find
SELECT org_id, name, status, status_note, to_ms(created_at), version FROM orgs WHERE org_id = $1;

-- name: update
UPDATE orgs SET name = coalesce($2, name), status = coalesce($3, status),
	status_note = coalesce($4, status_note), version = version + 1, updated_at = now()
WHERE org_id = $1 AND (name, status, status_note) IS DISTINCT FROM
	(coalesce($2, name), coalesce($3, status), coalesce($4, status_note));

-- name: refill
-- role: cp_ingest
INSERT INTO engine_outbox (org_id, kind, name, value)
SELECT org_id, :OUTBOX_RULE, 'hold/tenant/' || org_id, 'suspended by the platform'
FROM orgs WHERE status = :ORG_SUSPENDED;
