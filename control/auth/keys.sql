-- API keys.

-- name: enter_key
-- The role of its owner is 0 when the owner is removed or not active.
SELECT k.secret_hash, CASE WHEN k.old_secret_until > now() THEN k.old_secret_hash END,
	k.scopes, k.cidrs, k.test, k.owner_id IS NOT NULL,
	CASE WHEN u.status = :USER_ACTIVE THEN u.role ELSE 0 END, o.status <> :ORG_ACTIVE,
	own_permits(u), k.cert_sha256, coalesce(k.cert_subject, '')
FROM api_keys k JOIN orgs o USING (org_id)
	LEFT JOIN users u ON u.org_id = k.org_id AND u.id = k.owner_id
WHERE k.org_id = $1 AND k.id = $2 AND :key_runs;

-- part: key_runs
k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())

-- part: key_columns
k.id, k.name, k.scopes, k.cidrs, k.test, to_ms(k.created_at), to_ms(k.expires_at),
to_ms(k.revoked_at), to_ms(k.last_used_at), coalesce(host(k.last_used_ip), ''),
CASE WHEN k.old_secret_until > now() THEN to_ms(k.old_secret_until) END,
CASE WHEN k.old_secret_until > now() THEN to_ms(k.old_secret_used_at) END,
k.version, k.created_by, m.name, k.owner_id, u.name, coalesce(u.status = :USER_ACTIVE, false),
u.role, coalesce(k.expires_at <= now(), false), own_permits(u), k.org_id, k.cert_sha256,
coalesce(k.cert_subject, '')

-- part: keys_and_people
api_keys k LEFT JOIN users m ON m.org_id = k.org_id AND m.id = k.created_by
	LEFT JOIN users u ON u.org_id = k.org_id AND u.id = k.owner_id

-- name: key_page
SELECT :key_columns FROM :keys_and_people WHERE k.org_id = $1 AND k.id > $2 ORDER BY k.id
LIMIT $3;

-- name: key_find
SELECT :key_columns FROM :keys_and_people WHERE k.org_id = $1 AND k.id = $2;

-- name: key_insert
-- A key made by a key ($7) has the owner of that key.
INSERT INTO api_keys (org_id, name, secret_hash, scopes, cidrs, created_by, owner_id, expires_at,
	test, cert_sha256, cert_subject)
SELECT $1, $2, $3, $4, $5, w.owner, w.owner, from_ms($8), $9::int::bool, $10, nullif($11, '')
FROM (SELECT coalesce($6, (SELECT p.owner_id FROM api_keys p
	WHERE p.org_id = $1 AND p.id = $7)) AS owner) w
RETURNING id;

-- name: key_lock
SELECT k.scopes, k.version, k.owner_id, :key_runs, k.test FROM api_keys k
WHERE k.org_id = $1 AND k.id = $2 FOR UPDATE;

-- name: key_revoke
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()), version = version + 1
WHERE org_id = $1 AND id = $2;

-- name: key_regenerate
-- The secret that was is good for $4 more seconds; one before it ends now.
UPDATE api_keys SET secret_hash = $3, old_secret_used_at = NULL, version = version + 1,
	old_secret_hash = CASE WHEN $4 > 0 THEN secret_hash END,
	old_secret_until = CASE WHEN $4 > 0 THEN now() + make_interval(secs => $4::float8) END
WHERE org_id = $1 AND id = $2 RETURNING test;

-- name: key_change
-- A new end is warned of again.
UPDATE api_keys SET name = coalesce($3, name), scopes = coalesce($4, scopes),
	cidrs = coalesce($5, cidrs), owner_id = coalesce($8, owner_id),
	expires_at = CASE WHEN $6::int::bool THEN from_ms($7) ELSE expires_at END,
	warned = CASE WHEN $6::int::bool THEN :KEY_WARNED_NOT ELSE warned END,
	cert_sha256 = CASE WHEN $9::int::bool THEN $10 ELSE cert_sha256 END,
	cert_subject = CASE WHEN $9::int::bool THEN nullif($11, '') ELSE cert_subject END,
	version = version + 1
WHERE org_id = $1 AND id = $2;

-- name: key_owner_role
SELECT u.role, own_permits(u) FROM users u
WHERE u.org_id = $1 AND u.id = $2 AND u.status = :USER_ACTIVE FOR SHARE OF u;

-- name: key_days
SELECT to_char(day, 'YYYY-MM-DD'), requests, refused FROM api_key_days
WHERE org_id = $1 AND key_id = $2 AND day > (now() AT TIME ZONE 'UTC')::date - $3::int
ORDER BY day DESC;

-- name: keys_losing
-- Keys of an owner that run, and that end when the owner may do no more than $4, where $3 was.
SELECT k.id, k.name FROM api_keys k
WHERE k.org_id = $1 AND k.owner_id = $2 AND :key_runs AND k.scopes & ~$3::bigint = 0
	AND $3::bigint & $5 <> 0 AND (k.scopes & ~$4::bigint <> 0 OR $4::bigint & $5 = 0)
ORDER BY k.id LIMIT $6;

-- name: keys_admins
SELECT email, language FROM users
WHERE org_id = $1 AND (role = :ROLE_ADMIN OR id = $2) AND status = :USER_ACTIVE
	AND mail_off & $4 = 0
ORDER BY id LIMIT $3;

-- part: key_warning
CASE k.warned WHEN :KEY_WARNED_NOT THEN interval '7 days'
	WHEN :KEY_WARNED_EARLY THEN interval '1 day' END

-- name: keys_ending
-- Keys that expire within a week, and those within a day that were only told of once.
-- role: cp_ingest
SELECT k.org_id, k.id FROM api_keys k
WHERE k.expires_at > now() AND k.revoked_at IS NULL AND k.expires_at < now() + :key_warning
ORDER BY k.expires_at LIMIT $1;

-- name: key_warn
-- Nobody else has told of it meanwhile.  What ends within a day is told of once.
UPDATE api_keys k SET warned = CASE WHEN k.expires_at < now() + interval '1 day' THEN :KEY_WARNED_LATE
	ELSE :KEY_WARNED_EARLY END
WHERE k.org_id = $1 AND k.id = $2 AND :key_runs AND k.expires_at < now() + :key_warning
RETURNING k.name, to_ms(k.expires_at), k.owner_id;

-- name: keys_used
-- role: cp_ingest
UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, from_ms(u.at)),
	last_used_ip = CASE WHEN u.ip = '' THEN k.last_used_ip ELSE u.ip::inet END,
	old_secret_used_at = coalesce(from_ms(nullif(u.old, 0)), k.old_secret_used_at)
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[])
	AS u(org_id, key, at, old, ip)
WHERE k.org_id = u.org_id AND k.id = u.key;

-- name: keys_counted
-- role: cp_ingest
INSERT INTO api_key_days AS d (org_id, key_id, day, requests, refused)
SELECT u.org_id, u.key, date '1970-01-01' + u.day, u.requests, u.refused
FROM unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[], $5::bigint[])
	AS u(org_id, key, day, requests, refused)
WHERE EXISTS (SELECT FROM api_keys k WHERE k.org_id = u.org_id AND k.id = u.key)
ORDER BY 1, 2, 3
ON CONFLICT (org_id, key_id, day) DO UPDATE SET requests = d.requests + excluded.requests,
	refused = d.refused + excluded.refused;

-- name: keys_uncounted
-- role: cp_ingest
DELETE FROM api_key_days WHERE day < (now() AT TIME ZONE 'UTC')::date - $1::int;
