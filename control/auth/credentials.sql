-- Credentials: sessions, and the accounts behind them.

-- name: enter_session
-- The last columns: is it time to note that it was seen; did the person prove to be there within $4;
-- must they set up a second factor first?
SELECT s.secret_hash, s.csrf_hash, s.user_id, u.role, o.status <> :ORG_ACTIVE,
	s.last_seen_at < now() - interval '1 minute',
	s.proved_at > now() - make_interval(secs => $4::float8 / 1000),
	o.require_factor AND NOT u.mail_factor AND NOT EXISTS (SELECT FROM user_totp t
		WHERE t.org_id = $1 AND t.user_id = u.id AND NOT t.pending),
	own_permits(u), s.replaced_by IS NOT NULL, s.replaced_at < now() - interval '1 minute',
	s.own
FROM sessions s JOIN users u ON u.org_id = s.org_id AND u.id = s.user_id
	JOIN orgs o ON o.org_id = s.org_id
WHERE s.org_id = $1 AND s.id = $2 AND s.expires_at > now() AND u.status = :USER_ACTIVE
	AND s.last_seen_at > now() - make_interval(secs => $3::float8 / 1000);

-- name: login_look
-- The hash of the password; has this person logged in from this network ($3); do passwords not
-- count for them?
SELECT coalesce(u.password_hash, ''), EXISTS (SELECT FROM login_places p
	WHERE p.org_id = $1 AND p.user_id = $2 AND p.net = nullif($3, '')::cidr
		AND p.seen_at > now() - interval '90 days'), o.sso_only AND u.role <> :ROLE_ADMIN
FROM users u JOIN orgs o USING (org_id) WHERE u.org_id = $1 AND u.id = $2;

-- name: login_named
SELECT id FROM users WHERE org_id = $1 AND username = $2 AND status = :USER_ACTIVE;

-- name: place_strange
-- Has this person logged in before, and never from this network; and do they want the mail ($4)?
SELECT EXISTS (SELECT FROM login_places p WHERE p.org_id = $1 AND p.user_id = $2)
	AND NOT EXISTS (SELECT FROM login_places p
		WHERE p.org_id = $1 AND p.user_id = $2 AND p.net = $3::text::cidr)
	AND EXISTS (SELECT FROM users u WHERE u.org_id = $1 AND u.id = $2 AND u.mail_off & $4 = 0);

-- name: place_note
INSERT INTO login_places (org_id, user_id, net) VALUES ($1, $2, $3::text::cidr)
ON CONFLICT (org_id, user_id, net) DO UPDATE SET seen_at = now();

-- name: places_trim
DELETE FROM login_places p WHERE p.org_id = $1 AND p.user_id = $2 AND p.net NOT IN (
	SELECT n.net FROM login_places n WHERE n.org_id = $1 AND n.user_id = $2
	ORDER BY n.seen_at DESC LIMIT $3);

-- name: places_forget
DELETE FROM login_places WHERE org_id = $1 AND user_id = $2;

-- name: session_insert
INSERT INTO sessions (org_id, user_id, secret_hash, csrf_hash, expires_at, ip, agent, own,
	proved_at)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5::float8 / 1000), $6::text::inet,
	left($7, $8), $9::int::bool, CASE WHEN $10::int::bool THEN now() ELSE '-infinity' END)
RETURNING id;

-- name: session_renew
-- The same session under a new id; $5: its person has just given their password.
INSERT INTO sessions (org_id, user_id, secret_hash, csrf_hash, created_at, expires_at, ip, agent,
	own, proved_at)
SELECT org_id, user_id, $3, $4, created_at, expires_at, ip, agent, own OR $5::int::bool,
	CASE WHEN $5::int::bool THEN now() ELSE proved_at END
FROM sessions WHERE org_id = $1 AND id = $2
RETURNING id;

-- name: session_replaced
UPDATE sessions SET replaced_by = $3, replaced_at = now() WHERE org_id = $1 AND id = $2;

-- name: session_chain_end
-- The session that an old token went on as, and all between them.
WITH RECURSIVE chain AS (
	SELECT id, replaced_by, user_id FROM sessions WHERE org_id = $1 AND id = $2
	UNION
	SELECT s.id, s.replaced_by, s.user_id FROM sessions s JOIN chain k ON s.id = k.replaced_by
	WHERE s.org_id = $1
)
DELETE FROM sessions s USING chain k WHERE s.org_id = $1 AND s.id = k.id RETURNING s.user_id;

-- name: session_user
SELECT u.email, u.name, u.role, u.version, o.name, o.status <> :ORG_ACTIVE, to_ms(u.created_at),
	coalesce(u.username, ''), u.language, o.handle, coalesce(u.role_name, ''), own_permits(u)
FROM users u JOIN orgs o USING (org_id)
WHERE u.org_id = $1 AND u.id = $2;

-- part: alarm_failures
CASE WHEN a.since < now() - interval '1 hour' THEN excluded.failures
	ELSE a.failures + excluded.failures END

-- name: alarm_count
-- One more failure; is it time to tell ($2 within the hour, and not told lately)?
INSERT INTO login_alarms AS a (org_id, told_at)
VALUES ($1, CASE WHEN $3::int::bool THEN now() END)
ON CONFLICT (org_id) DO UPDATE SET
	since = CASE WHEN a.since < now() - interval '1 hour' THEN now() ELSE a.since END,
	failures = :alarm_failures,
	told_at = CASE WHEN (a.told_at IS NULL OR a.told_at < now() - interval '6 hours')
		AND :alarm_failures >= $2 THEN now() ELSE a.told_at END
RETURNING failures, coalesce(told_at = now(), false);

-- name: alarm_admins
SELECT email, language FROM users
WHERE org_id = $1 AND role = :ROLE_ADMIN AND status = :USER_ACTIVE AND mail_off & $3 = 0
ORDER BY id LIMIT $2;

-- name: stranger_failed
INSERT INTO login_strangers AS s (slot) VALUES ($1)
ON CONFLICT (slot) DO UPDATE SET failures = s.failures + excluded.failures;
