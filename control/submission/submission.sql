-- What applications submit mail with, and the SMTP services that organisations bring along.

-- part: credential_columns
id, name, username, domains, networks, stream, hour_limit, day_limit, to_ms(created_at),
to_ms(expires_at), to_ms(revoked_at), version

-- name: credential_page
SELECT :credential_columns FROM smtp_credentials WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: credential_find
SELECT :credential_columns FROM smtp_credentials WHERE org_id = $1 AND id = $2;

-- name: credential_lock
SELECT :credential_columns FROM smtp_credentials WHERE org_id = $1 AND id = $2 FOR UPDATE;

-- name: credential_count
SELECT count(*) FROM smtp_credentials WHERE org_id = $1 AND revoked_at IS NULL;

-- name: credential_insert
INSERT INTO smtp_credentials (org_id, name, username, hash, domains, networks, stream, hour_limit,
	day_limit, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, from_ms($10))
RETURNING id;

-- name: credential_update
UPDATE smtp_credentials SET name = $3, domains = $4, networks = $5, stream = $6, hour_limit = $7,
	day_limit = $8, expires_at = from_ms($9), version = version + 1
WHERE org_id = $1 AND id = $2;

-- name: credential_revoke
UPDATE smtp_credentials SET revoked_at = now(), version = version + 1
WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL;

-- name: domain_is_ours
SELECT FROM domains WHERE org_id = $1 AND name = $2 AND status <> :DOMAIN_PENDING;

-- part: route_columns
id, name, host, port, tls, tls_first, auth, username, seal_id <> 0, domains, token_url, client_id, scope,
to_ms(created_at), to_ms(updated_at), version

-- name: route_page
SELECT :route_columns FROM smtp_routes WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: route_find
SELECT :route_columns FROM smtp_routes WHERE org_id = $1 AND id = $2;

-- name: route_lock
SELECT :route_columns FROM smtp_routes WHERE org_id = $1 AND id = $2 FOR UPDATE;

-- name: route_count
SELECT count(*) FROM smtp_routes WHERE org_id = $1;

-- name: route_insert
INSERT INTO smtp_routes (org_id, name, host, port, tls, tls_first, auth, username, domains, token_url,
	client_id, scope)
VALUES ($1, $2, $3, $4, $5, $6::int::bool, $7, $8, $9, $10, $11, $12)
RETURNING id;

-- name: route_update
UPDATE smtp_routes SET name = $3, host = $4, port = $5, tls = $6, tls_first = $7::int::bool, auth = $8,
	username = $9, domains = $10, token_url = $11, client_id = $12, scope = $13, version = version + 1,
	updated_at = now()
WHERE org_id = $1 AND id = $2;

-- name: route_sealed
SELECT seal_id, secret FROM smtp_routes WHERE org_id = $1 AND id = $2;

-- name: route_secret
UPDATE smtp_routes SET secret = $3, seal_id = $4 WHERE org_id = $1 AND id = $2;

-- name: route_delete
DELETE FROM smtp_routes WHERE org_id = $1 AND id = $2;
