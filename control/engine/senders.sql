-- What the engine must know of senders and suppressions (schema/wire/facts.h).

-- name: changes_next
-- role: cp_ingest
SELECT seq, org_id, fact, domain, email_hash FROM sender_changes ORDER BY seq LIMIT $1;

-- name: changes_done
-- role: cp_ingest
DELETE FROM sender_changes WHERE seq = ANY($1::bigint[]);

-- name: facts_senders
-- role: cp_ingest
SELECT org_id, name FROM domains WHERE status <> :DOMAIN_PENDING AND name > $1 ORDER BY name LIMIT $2;

-- name: facts_stops
-- role: cp_ingest
SELECT org_id, suppression_fact(hard), email_hash FROM suppressions
WHERE (org_id, email_hash) > ($1::int, $2::bytea) ORDER BY org_id, email_hash LIMIT $3;

-- name: facts_sums
-- role: cp_ingest
-- One statement, so that all of it is of one moment.  The last row says how many changes wait.
SELECT org_id, suppression_fact(hard) AS fact, count(*) AS n, bit_xor(fact_sum(email_hash)) AS sum
FROM suppressions GROUP BY org_id, suppression_fact(hard)
UNION ALL
SELECT org_id, :WIRE_FACT_SENDER, count(*), bit_xor(fact_sum(sha256(convert_to(name, 'UTF8'))))
FROM domains WHERE status <> :DOMAIN_PENDING GROUP BY org_id
UNION ALL
SELECT 0, 0, count(*), 0 FROM (SELECT FROM sender_changes LIMIT 1) waiting;
