-- Sending domains, their keys, and what DNS said.

-- part: by_id_or_name
SELECT id, name, proof, return_path, tracking, dmarc_policy, status, to_ms(created_at),
	to_ms(checked_at), to_ms(verified_at), version, to_ms(degraded_at)
FROM domains WHERE org_id = $1 AND (id = $2 OR name = $3)

-- name: find
:by_id_or_name;

-- name: find_lock
:by_id_or_name FOR UPDATE;

-- name: update
UPDATE domains SET return_path = coalesce($3, return_path), tracking = coalesce($4, tracking),
	dmarc_policy = coalesce($5, dmarc_policy), version = version + 1, updated_at = now()
WHERE org_id = $1 AND id = $2 AND (return_path, tracking, dmarc_policy) IS DISTINCT FROM
	(coalesce($3, return_path), coalesce($4, tracking), coalesce($5, dmarc_policy));

-- name: records_forget
-- What was asked about names that are others now.
DELETE FROM domain_records WHERE org_id = $1 AND domain_id = $2
	AND (kind IN ('return-path', 'spf') AND $3::text <> $4 OR kind = 'tracking' AND $5::text <> $6);

-- name: update_status
UPDATE domains SET status = $3, checked_at = now(), version = version + ($3 <> status)::int,
	degraded_at = CASE WHEN $3 = :DOMAIN_DEGRADED THEN coalesce(degraded_at, now()) END,
	verified_at = CASE WHEN $3 = :DOMAIN_VERIFIED THEN coalesce(verified_at, now())
		ELSE verified_at END
WHERE org_id = $1 AND id = $2;

-- name: due
-- role: cp_ingest
-- Names that were verified once, whose last check is old.
SELECT org_id, id FROM domains
WHERE status <> :DOMAIN_PENDING AND checked_at < now() - interval '6 hours'
ORDER BY checked_at LIMIT $1;

-- name: key_insert
INSERT INTO dkim_keys (org_id, domain_id, selector, type, txt, private, seal_id)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: key_refill
-- role: cp_ingest
SELECT k.org_id, k.domain_id, d.name, k.selector, k.private, k.seal_id
FROM dkim_keys k JOIN domains d ON d.org_id = k.org_id AND d.id = k.domain_id
WHERE k.status = :KEY_SIGNING;

-- name: key_list
SELECT id, selector, type, status, txt FROM dkim_keys
WHERE org_id = $1 AND domain_id = $2
ORDER BY status, id LIMIT $3;

-- name: key_update_status
UPDATE dkim_keys SET status = $3
WHERE org_id = $1 AND domain_id = $2 AND status <> :KEY_RETIRED;

-- name: record_store
INSERT INTO domain_records (org_id, domain_id, kind, state, seen, why, checked_at)
VALUES ($1, $2, $3, $4, $5, $6, now())
ON CONFLICT (org_id, domain_id, kind) DO UPDATE SET state = excluded.state, seen = excluded.seen,
	why = excluded.why, checked_at = excluded.checked_at;
