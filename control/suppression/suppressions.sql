-- Suppressed addresses, and why they are.

-- part: columns
id, email, reason, source, coalesce(campaign_id, 0), to_ms(created_at), hard, coalesce(seq, 0)

-- name: page
SELECT :columns FROM suppressions WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: find
SELECT :columns FROM suppressions WHERE org_id = $1 AND email_hash = $2;

-- name: contact_again
UPDATE contacts SET status = :CONTACT_SUBSCRIBED, updated_at = now(), version = version + 1
WHERE org_id = $1 AND email_norm = $2 AND status = :CONTACT_BOUNCED;

-- name: find_lock
SELECT :columns FROM suppressions WHERE org_id = $1 AND email_hash = $2 FOR UPDATE;

-- part: by_the_person
(:SUPPRESS_UNSUBSCRIBED, :SUPPRESS_COMPLAINT)

-- name: insert
-- What the person said takes the place of any other reason, because it is better protected.
INSERT INTO suppressions AS s (org_id, email_hash, email, reason, source, campaign_id)
VALUES ($1, $2, $3, $4, $5, nullif($6::bigint, 0))
ON CONFLICT (org_id, email_hash) DO UPDATE SET reason = excluded.reason, source = excluded.source,
	campaign_id = excluded.campaign_id, seq = NULL
WHERE excluded.reason IN :by_the_person AND s.reason NOT IN :by_the_person;

-- name: harden
-- It was there for unsubscribing, which stops less.
UPDATE suppressions SET hard = true WHERE org_id = $1 AND email_hash = $2 AND NOT hard;

-- name: insert_bounced
-- role: cp_ingest
-- The engine is told too, although it found this out: it holds for mail that comes later.
INSERT INTO suppressions (org_id, email_hash, email, reason, source, campaign_id)
SELECT DISTINCT ON (u.org_id, u.hash) u.org_id, u.hash, u.email, :SUPPRESS_BOUNCE, 'engine', u.campaign
FROM unnest($1::int[], $2::bytea[], $3::text[], $4::bigint[]) AS u(org_id, hash, email, campaign)
JOIN orgs o ON o.org_id = u.org_id
ON CONFLICT (org_id, email_hash) DO UPDATE SET hard = true WHERE NOT suppressions.hard;

-- name: contacts_bounced
-- role: cp_ingest
SELECT contacts_bounced($1::int[], $2::text[]);
