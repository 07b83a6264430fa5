-- What the engine must know of senders and suppressions (schema/wire/facts.h).

-- part: usable
s.revoked_at IS NULL AND o.status = :ORG_ACTIVE

-- part: credentials
smtp_credentials s JOIN orgs o USING (org_id) WHERE :usable

-- name: changes_next
-- An object says what it says now; one that is not there any more is told as its end, the next number.
-- role: cp_ingest
SELECT c.seq, c.org_id, CASE WHEN c.object_id <> 0 AND n.stamp IS NULL THEN c.fact + 1 ELSE c.fact END,
	c.domain, coalesce(n.stamp, c.email_hash), c.object_id, coalesce(n.text, ''), coalesce(n.secret, ''),
	coalesce(n.seal_id, 0)
FROM (SELECT * FROM sender_changes ORDER BY seq LIMIT $1) c
LEFT JOIN LATERAL (
	SELECT s.stamp, smtp_credential_fact(s) AS text, ''::bytea AS secret, 0 AS seal_id FROM :credentials
		AND s.org_id = c.org_id AND s.id = c.object_id AND c.fact = :WIRE_FACT_CREDENTIAL
	UNION ALL
	SELECT r.stamp, smtp_route_fact(r), r.secret, r.seal_id FROM smtp_routes r
	WHERE r.org_id = c.org_id AND r.id = c.object_id AND c.fact = :WIRE_FACT_SMART_ROUTE
) n ON c.object_id <> 0
ORDER BY c.seq;

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

-- name: facts_credentials
-- role: cp_ingest
SELECT org_id, :WIRE_FACT_CREDENTIAL, s.stamp, s.id, smtp_credential_fact(s), ''::bytea, 0 FROM :credentials
	AND (org_id, s.id) > ($1::int, $2::bigint)
ORDER BY org_id, s.id LIMIT $3;

-- name: facts_routes
-- role: cp_ingest
-- Of suspended organisations too: their mail is held, and must not go another way when it is released.
SELECT r.org_id, :WIRE_FACT_SMART_ROUTE, r.stamp, r.id, smtp_route_fact(r), r.secret, r.seal_id
FROM smtp_routes r WHERE (r.org_id, r.id) > ($1::int, $2::bigint) ORDER BY r.org_id, r.id LIMIT $3;

-- name: facts_sums
-- role: cp_ingest
-- One statement, so that all of it is of one moment.  The last row says how many changes wait.
SELECT org_id, suppression_fact(hard) AS fact, count(*) AS n, bit_xor(fact_sum(email_hash)) AS sum
FROM suppressions GROUP BY org_id, suppression_fact(hard)
UNION ALL
SELECT org_id, :WIRE_FACT_SENDER, count(*), bit_xor(fact_sum(sha256(convert_to(name, 'UTF8'))))
FROM domains WHERE status <> :DOMAIN_PENDING GROUP BY org_id
UNION ALL
SELECT org_id, :WIRE_FACT_CREDENTIAL, count(*), bit_xor(fact_sum(s.stamp)) FROM :credentials
GROUP BY org_id
UNION ALL
SELECT org_id, :WIRE_FACT_SMART_ROUTE, count(*), bit_xor(fact_sum(stamp)) FROM smtp_routes GROUP BY org_id
UNION ALL
SELECT 0, 0, count(*), 0 FROM (SELECT FROM sender_changes LIMIT 1) waiting;
