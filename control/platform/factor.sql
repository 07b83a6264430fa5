-- The way back for admins whose phone and recovery codes are gone.

-- name: admin_find
SELECT id FROM users WHERE org_id = $1 AND email_norm = $2 AND role = :ROLE_ADMIN
	AND status = :USER_ACTIVE
FOR UPDATE;

-- name: sessions_end
DELETE FROM sessions WHERE org_id = $1 AND user_id = $2;
