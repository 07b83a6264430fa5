-- A session that goes on under a new id stays for a while, so that its old token is known when
-- somebody else comes with it.
ALTER TABLE sessions ADD COLUMN replaced_by bigint, ADD COLUMN replaced_at timestamptz;

-- What a person says of themselves, and which mails they do not want.
ALTER TABLE users ADD COLUMN phone bytea, ADD COLUMN phone_seal int, -- control/auth/profile.c
	ADD COLUMN time_zone text NOT NULL DEFAULT '' CHECK (length(time_zone) <= 60),
	ADD COLUMN mail_off int NOT NULL DEFAULT 0;      -- bit n is kind n of control/mail/codes.h

-- Roles that an organisation makes for itself, beside the built-in ones (control/auth/permit.c).
CREATE TABLE roles (
	org_id     int NOT NULL REFERENCES orgs,
	name       text NOT NULL CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
	title      text NOT NULL DEFAULT '' CHECK (length(title) <= 100),
	permits    bigint NOT NULL,                      -- bits of control/auth/permit.h
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	version    bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (org_id, name)
);
SELECT tenant_table('roles');

-- Guarantee: a role that members have stays.
ALTER TABLE users ADD COLUMN role_name text,             -- of a role of their own organisation
	ADD CONSTRAINT users_own_role CHECK ((role = 100) = (role_name IS NOT NULL)),
	ADD FOREIGN KEY (org_id, role_name) REFERENCES roles (org_id, name);
CREATE INDEX users_role_name ON users (org_id, role_name) WHERE role_name IS NOT NULL;

-- What a member's own role permits; NULL for those with a built-in one.
CREATE FUNCTION own_permits(u users) RETURNS bigint LANGUAGE sql STABLE AS
	$$ SELECT r.permits FROM roles r WHERE r.org_id = u.org_id AND r.name = u.role_name $$;
REVOKE ALL ON FUNCTION own_permits(users) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_permits(users) TO cp_api;
