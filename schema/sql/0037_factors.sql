-- A second factor beside the password: an app that makes codes (RFC 6238), or codes by mail.
--
-- Guarantee: a code of the app counts once: last_step is that of the last one which counted, and
-- the row is locked while one is compared.
CREATE TABLE user_totp (
	org_id     int NOT NULL,
	user_id    bigint NOT NULL,
	pending    boolean NOT NULL,                     -- until a first code shows that the app has it
	secret     bytea NOT NULL,                       -- sealed with seal_id (control/auth/factor.c)
	seal_id    int NOT NULL,
	last_step  bigint NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, user_id, pending),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('user_totp');

-- For those whose phone is gone; each counts once.
CREATE TABLE recovery_codes (
	org_id     int NOT NULL,
	user_id    bigint NOT NULL,
	code_hash  bytea NOT NULL,                       -- HMAC under a pepper that is not here
	created_at timestamptz NOT NULL DEFAULT now(),
	used_at    timestamptz,
	PRIMARY KEY (org_id, user_id, code_hash),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('recovery_codes');

ALTER TABLE users ADD COLUMN mail_factor boolean NOT NULL DEFAULT false;
-- Members without a factor may do nothing but set one up.
ALTER TABLE orgs ADD COLUMN require_factor boolean NOT NULL DEFAULT false;

-- When the person last showed that they are there: at the login, or later (/v1/me/proof).  What
-- would lock them out, or let another in, wants this to be a moment ago.
ALTER TABLE sessions ADD COLUMN proved_at timestamptz NOT NULL DEFAULT '-infinity';
