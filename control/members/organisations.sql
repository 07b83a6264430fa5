-- The organisations that a person belongs to: schema/sql/0052_persons.sql has the functions.

-- name: organisations
SELECT org, name, handle, status, role, role_name, to_ms(last_login_at)
FROM person_organisations($1, $2);

-- name: joined
SELECT o.org_id, o.name, o.handle, o.status, u.role, coalesce(u.role_name, ''),
	to_ms(u.last_login_at)
FROM users u JOIN orgs o USING (org_id) WHERE u.org_id = $1 AND u.id = $2;

-- name: enter
SELECT member, proved FROM person_enter($1, $2, $3, $4);

-- name: active_lock
-- Who disables or removes a member waits, and ends the session that comes of this.  Do passwords not
-- count for them?
SELECT o.sso_only AND u.role <> :ROLE_ADMIN FROM users u JOIN orgs o USING (org_id)
WHERE u.org_id = $1 AND u.id = $2 AND u.status = :USER_ACTIVE FOR SHARE OF u;

-- name: link
SELECT person_link($1, $2, $3, $4, $5);

-- name: leave
SELECT person_leave($1, $2, $3);

-- name: invitation
-- Of somebody who has not come yet.
SELECT t.secret_hash, t.user_id, o.sso_only AND u.role <> :ROLE_ADMIN
FROM auth_tokens t JOIN users u ON u.org_id = t.org_id AND u.id = t.user_id
	JOIN orgs o ON o.org_id = t.org_id
WHERE t.org_id = $1 AND t.id = $2 AND t.kind = :TOKEN_INVITE AND t.used_at IS NULL
	AND t.expires_at > now() AND u.status = :USER_INVITED
FOR UPDATE OF t, u;

-- name: come
-- With a password, or without one of their own.
UPDATE users SET status = :USER_ACTIVE, password_hash = $3, name = coalesce(nullif($4, ''), name),
	version = version + 1, updated_at = now()
WHERE org_id = $1 AND id = $2 AND status = :USER_INVITED;

-- name: session_shown
-- Of another session that its person shows: whose it is, and may it stand for them?
SELECT s.secret_hash, s.user_id, s.own AND s.replaced_by IS NULL
	AND s.proved_at > now() - make_interval(secs => $3::float8 / 1000)
	AND s.last_seen_at > now() - make_interval(secs => $4::float8 / 1000)
FROM sessions s JOIN users u ON u.org_id = s.org_id AND u.id = s.user_id
WHERE s.org_id = $1 AND s.id = $2 AND s.expires_at > now() AND u.status = :USER_ACTIVE
FOR SHARE OF u;
