-- Signing in at another party.

-- part: provider_columns
id, kind, name, status, config::text, seal_id <> 0, coalesce(default_role, 0),
coalesce(default_role_name, ''), to_ms(created_at), to_ms(updated_at), version

-- name: provider_page
SELECT :provider_columns FROM identity_providers WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: provider_find
SELECT :provider_columns FROM identity_providers WHERE org_id = $1 AND id = $2;

-- name: provider_lock
SELECT :provider_columns FROM identity_providers WHERE org_id = $1 AND id = $2 FOR UPDATE;

-- name: provider_insert
INSERT INTO identity_providers (org_id, kind, name, status, config, default_role, default_role_name)
SELECT $1, $2, $3, $4, $5::jsonb, nullif($6::smallint, 0), nullif($7, '')
WHERE (SELECT count(*) FROM identity_providers WHERE org_id = $1) < $8
RETURNING id;

-- name: provider_update
UPDATE identity_providers SET name = $3, status = $4, config = $5::jsonb,
	default_role = nullif($6::smallint, 0), default_role_name = nullif($7, ''),
	version = version + 1, updated_at = now()
WHERE org_id = $1 AND id = $2;

-- name: provider_secret
UPDATE identity_providers SET secret = $3, seal_id = $4 WHERE org_id = $1 AND id = $2;

-- name: provider_delete
DELETE FROM identity_providers WHERE org_id = $1 AND id = $2;

-- name: provider_active
SELECT config::text, secret, seal_id FROM identity_providers
WHERE org_id = $1 AND id = $2 AND kind = $3 AND status = :PROVIDER_ACTIVE;

-- name: providers_shown
-- To whoever wants to sign in.
SELECT id, kind, name FROM identity_providers WHERE org_id = $1 AND status = :PROVIDER_ACTIVE
ORDER BY name LIMIT 50;

-- part: sign_in_columns
array_to_json(sign_in_domains)::text, default_role, coalesce(default_role_name, ''), sso_only, version

-- name: sign_in_find
SELECT :sign_in_columns FROM orgs WHERE org_id = $1;

-- name: sign_in_lock
SELECT :sign_in_columns FROM orgs WHERE org_id = $1 FOR UPDATE;

-- name: sign_in_passwords
SELECT NOT sso_only FROM orgs WHERE org_id = $1;

-- part: sign_in_next
coalesce(ARRAY(SELECT jsonb_array_elements_text($2::jsonb)), '{}'), $3::smallint, nullif($4, ''),
$5::int::bool

-- name: sign_in_update
UPDATE orgs SET (sign_in_domains, default_role, default_role_name, sso_only) = (SELECT :sign_in_next),
	version = version + 1, updated_at = now()
WHERE org_id = $1 AND (sign_in_domains, default_role, default_role_name, sso_only)
	IS DISTINCT FROM (:sign_in_next);

-- name: providers_any
SELECT count(*) FROM identity_providers WHERE org_id = $1 AND status = :PROVIDER_ACTIVE;

-- name: journey_insert
INSERT INTO federation_journeys (org_id, provider_id, stage, secret_hash, browser_hash, return_to,
	detail, expires_at)
VALUES ($1, $2, :JOURNEY_AWAY, $3, $4, $5, $6, now() + make_interval(secs => $7::float8))
RETURNING id;

-- name: journey_back
SELECT j.secret_hash, j.browser_hash, j.provider_id, j.return_to, j.detail FROM federation_journeys j
WHERE j.org_id = $1 AND j.id = $2 AND j.stage = :JOURNEY_AWAY AND j.expires_at > now()
FOR UPDATE OF j;

-- name: journey_used
UPDATE federation_journeys SET stage = :JOURNEY_BACK WHERE org_id = $1 AND id = $2;

-- name: journey_met
UPDATE federation_journeys SET stage = :JOURNEY_MET, secret_hash = $3, subject = $4, email = $5,
	email_verified = $6::int::bool, name = $7,
	expires_at = now() + make_interval(secs => $8::float8)
WHERE org_id = $1 AND id = $2 AND stage = :JOURNEY_BACK;

-- name: journey_claim
SELECT j.secret_hash, j.browser_hash, j.provider_id, j.subject, j.email, j.email_verified, j.name
FROM federation_journeys j JOIN identity_providers p ON p.org_id = j.org_id AND p.id = j.provider_id
WHERE j.org_id = $1 AND j.id = $2 AND j.stage = :JOURNEY_MET AND j.expires_at > now()
	AND p.status = :PROVIDER_ACTIVE
FOR UPDATE OF j;

-- name: journey_end
DELETE FROM federation_journeys WHERE org_id = $1 AND id = $2;

-- name: identity_user
-- Whose account this is.
SELECT i.id, i.user_id, u.status FROM identities i
	JOIN users u ON u.org_id = i.org_id AND u.id = i.user_id
WHERE i.org_id = $1 AND i.provider_id = $2 AND i.subject = $3
FOR UPDATE OF u;

-- name: identity_touch
UPDATE identities SET last_used_at = now() WHERE org_id = $1 AND id = $2;

-- name: arrival_rules
-- May people with an address in this domain ($3) come in by themselves; and as what?
SELECT $3 = ANY (o.sign_in_domains), coalesce(p.default_role, o.default_role),
	coalesce(CASE WHEN p.default_role IS NULL THEN o.default_role_name
		ELSE p.default_role_name END, '')
FROM orgs o JOIN identity_providers p ON p.org_id = o.org_id AND p.id = $2
WHERE o.org_id = $1;

-- name: arrival_member
-- The member who has this address, and whether they have an account at this provider already.
SELECT u.id, u.status, EXISTS (SELECT FROM identities i
	WHERE i.org_id = $1 AND i.user_id = u.id AND i.provider_id = $3)
FROM users u WHERE u.org_id = $1 AND u.email_norm = $2 FOR UPDATE OF u;

-- name: arrival_new
INSERT INTO users (org_id, email, email_norm, name, role, role_name, status)
VALUES ($1, $2, $3, $4, $5, nullif($6, ''), :USER_ACTIVE) RETURNING id;

-- name: arrival_active
-- Who was invited has come; the invitation is worth nothing any more.
WITH ended AS (
	UPDATE auth_tokens SET used_at = now()
	WHERE org_id = $1 AND user_id = $2 AND used_at IS NULL
)
UPDATE users SET status = :USER_ACTIVE, version = version + 1, updated_at = now()
WHERE org_id = $1 AND id = $2 AND status = :USER_INVITED;

-- name: identity_insert
INSERT INTO identities (org_id, user_id, provider_id, subject, email, last_used_at)
VALUES ($1, $2, $3, $4, $5, now()) RETURNING id;

-- part: identity_columns
i.id, i.provider_id, p.name, p.kind, i.subject, i.email, to_ms(i.created_at), to_ms(i.last_used_at)

-- name: identity_page
SELECT :identity_columns FROM identities i
	JOIN identity_providers p ON p.org_id = i.org_id AND p.id = i.provider_id
WHERE i.org_id = $1 AND i.user_id = $2 AND i.id > $3 ORDER BY i.id LIMIT $4;

-- name: identity_find
SELECT :identity_columns FROM identities i
	JOIN identity_providers p ON p.org_id = i.org_id AND p.id = i.provider_id
WHERE i.org_id = $1 AND i.user_id = $2 AND i.id = $3;

-- name: identity_delete
DELETE FROM identities i WHERE i.org_id = $1 AND i.user_id = $2 AND i.id = $3;

-- name: identity_ways
-- Other ways in than this identity: a password that counts, or another identity.
SELECT (u.password_hash IS NOT NULL AND (NOT o.sso_only OR u.role = :ROLE_ADMIN))
	OR EXISTS (SELECT FROM identities i
		WHERE i.org_id = $1 AND i.user_id = $2 AND i.id <> $3)
FROM users u JOIN orgs o USING (org_id) WHERE u.org_id = $1 AND u.id = $2;

-- name: assertion_insert
-- No row: it was shown before.  One that would hold for longer than a day is kept for a day; the
-- request that it answers holds for ten minutes.
INSERT INTO saml_assertions (org_id, provider_id, hash, expires_at)
VALUES ($1, $2, $3, least(to_timestamp($4::float8 / 1000), now() + interval '1 day'))
ON CONFLICT DO NOTHING RETURNING 1;
