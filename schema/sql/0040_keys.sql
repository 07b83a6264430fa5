-- Keys with an owner, two secrets for a while, and their use per day.
--
-- Guarantee: a key has the rights of its owner, who is whoever made it until somebody takes it over.
-- Like created_by, owner_id keeps the id of a member who was removed: the key then stops.
ALTER TABLE api_keys
	ADD COLUMN owner_id bigint,
	ADD COLUMN test boolean NOT NULL DEFAULT false,      -- mk_test_...: its mail is simulated
	ADD COLUMN old_secret_hash bytea,                    -- the one before, while it is still good
	ADD COLUMN old_secret_until timestamptz,
	ADD COLUMN old_secret_used_at timestamptz,
	ADD COLUMN warned smallint NOT NULL DEFAULT 0;       -- mails that say that it expires
ALTER TABLE api_keys NO FORCE ROW LEVEL SECURITY;
UPDATE api_keys SET owner_id = created_by;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE INDEX api_keys_owner ON api_keys (org_id, owner_id);
CREATE INDEX api_keys_end ON api_keys (expires_at) WHERE expires_at IS NOT NULL AND revoked_at IS NULL;

-- How often a key was used; written in batches (control/auth/key_use.c).
CREATE TABLE api_key_days (
	org_id   int NOT NULL,
	key_id   bigint NOT NULL,
	day      date NOT NULL,                          -- of UTC
	requests bigint NOT NULL,
	refused  bigint NOT NULL,                        -- of these: answered with 4xx or 5xx
	PRIMARY KEY (org_id, key_id, day),
	FOREIGN KEY (org_id, key_id) REFERENCES api_keys (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('api_key_days', 'SELECT');
GRANT SELECT, INSERT, UPDATE, DELETE ON api_key_days TO cp_ingest;
-- No hash of a secret is readable to the role that sees all organisations.
GRANT SELECT (org_id, id, expires_at, revoked_at, warned, last_used_at, last_used_ip, old_secret_used_at)
	ON api_keys TO cp_ingest;
GRANT UPDATE (last_used_at, last_used_ip, old_secret_used_at) ON api_keys TO cp_ingest;
