-- Mail of the platform to people, until an engine has it.

-- name: insert
INSERT INTO platform_mail (org_id, kind, address, language, sealed, seal_id, job_hi, job_lo)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: next
-- Several processes may hand over: each takes rows that no other holds.
-- role: cp_ingest
SELECT m.id, m.kind, m.address, m.language, m.sealed, m.seal_id, m.job_hi, m.job_lo, to_ms(m.created_at),
	coalesce(o.name, '')
FROM platform_mail m LEFT JOIN orgs o USING (org_id)
ORDER BY m.id LIMIT $1 FOR UPDATE OF m SKIP LOCKED;

-- name: done
-- role: cp_ingest
DELETE FROM platform_mail WHERE id = ANY($1::bigint[]);
