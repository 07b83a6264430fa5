-- Organisations, people, credentials, sending domains, and what every tenant table shares.
--
-- Guarantee: a table with an org_id column is made a tenant table by tenant_table(): its policy is
-- forced, and casts the setting, never the column, so that indexes led by org_id stay usable.
-- Guarantee: foreign keys between tenant tables are (org_id, id), so that no row points into
-- another organisation.
-- Codes are smallint (an enum's equality is not leak-proof and would lose its index under a policy).

CREATE FUNCTION current_org() RETURNS int LANGUAGE sql STABLE PARALLEL SAFE AS
	$$ SELECT nullif(current_setting('app.org', true), '')::int $$;
GRANT EXECUTE ON FUNCTION current_org() TO PUBLIC;

CREATE FUNCTION tenant_table(t regclass, rights text DEFAULT 'SELECT, INSERT, UPDATE, DELETE')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
	EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	EXECUTE format('CREATE POLICY tenant ON %s '
		'USING (org_id = nullif(current_setting(''app.org'', true), '''')::int) '
		'WITH CHECK (org_id = nullif(current_setting(''app.org'', true), '''')::int)', t);
	EXECUTE format('GRANT %s ON %s TO cp_api', rights, t);
END $$;
REVOKE ALL ON FUNCTION tenant_table(regclass, text) FROM PUBLIC;

-- Milliseconds since 1970, as the programs hold time.
CREATE FUNCTION to_ms(t timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
	$$ SELECT floor(extract(epoch FROM t) * 1000)::bigint $$;
CREATE FUNCTION from_ms(ms bigint) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
	$$ SELECT to_timestamp(ms / 1000.0) $$;

CREATE SEQUENCE orgs_seq AS int;
CREATE TABLE orgs (
	org_id      int PRIMARY KEY DEFAULT nextval('orgs_seq'),
	name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
	status      smallint NOT NULL DEFAULT 1,         -- 1 active, 2 suspended
	status_note text NOT NULL DEFAULT '',
	footer      text NOT NULL DEFAULT '',
	created_at  timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now(),
	version     bigint NOT NULL DEFAULT 1
);
ALTER SEQUENCE orgs_seq OWNED BY orgs.org_id;
SELECT tenant_table('orgs');

CREATE TABLE users (
	org_id              int NOT NULL REFERENCES orgs,
	id                  bigint GENERATED ALWAYS AS IDENTITY,
	email               text NOT NULL CHECK (length(email) <= 320),
	email_norm          text NOT NULL,
	name                text NOT NULL DEFAULT '',
	role                smallint NOT NULL,           -- control/auth/permit.h
	status              smallint NOT NULL DEFAULT 1, -- 1 active, 2 invited, 3 unverified, 4 disabled
	password_hash       text,                        -- argon2id, NULL until one is chosen
	created_at          timestamptz NOT NULL DEFAULT now(),
	updated_at          timestamptz NOT NULL DEFAULT now(),
	last_login_at       timestamptz,
	version             bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, email_norm)
);
CREATE INDEX users_email ON users (email_norm);
SELECT tenant_table('users');

CREATE TABLE sessions (
	org_id       int NOT NULL,
	id           bigint GENERATED ALWAYS AS IDENTITY,
	user_id      bigint NOT NULL,
	secret_hash  bytea NOT NULL,
	csrf_hash    bytea NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now(),
	last_seen_at timestamptz NOT NULL DEFAULT now(),
	expires_at   timestamptz NOT NULL,
	ip           inet,
	agent        text NOT NULL DEFAULT '',
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_user ON sessions (org_id, user_id);
SELECT tenant_table('sessions');

-- Single-use secrets sent by mail: kind 1 verify address, 2 reset password, 3 accept invitation.
CREATE TABLE auth_tokens (
	org_id      int NOT NULL,
	id          bigint GENERATED ALWAYS AS IDENTITY,
	user_id     bigint NOT NULL,
	kind        smallint NOT NULL,
	secret_hash bytea NOT NULL,
	created_at  timestamptz NOT NULL DEFAULT now(),
	expires_at  timestamptz NOT NULL,
	used_at     timestamptz,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
CREATE INDEX auth_tokens_user ON auth_tokens (org_id, user_id);
SELECT tenant_table('auth_tokens');

CREATE TABLE api_keys (
	org_id       int NOT NULL REFERENCES orgs,
	id           bigint GENERATED ALWAYS AS IDENTITY,
	name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
	secret_hash  bytea NOT NULL,                     -- HMAC-SHA-256(pepper, secret)
	scopes       bigint NOT NULL,                    -- bits of control/auth/permit.h
	cidrs        text NOT NULL DEFAULT '',           -- networks separated by spaces; '' is anywhere
	created_by   bigint,
	created_at   timestamptz NOT NULL DEFAULT now(),
	expires_at   timestamptz,
	revoked_at   timestamptz,
	last_used_at timestamptz,
	last_used_ip inet,
	version      bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, created_by) REFERENCES users (org_id, id) ON DELETE SET NULL (created_by)
);
SELECT tenant_table('api_keys');

-- Who did what.  Append-only for the daemon; each row's hash covers the one before it.
CREATE TABLE audit (
	org_id     int NOT NULL REFERENCES orgs,
	id         bigint GENERATED ALWAYS AS IDENTITY,
	at         timestamptz NOT NULL DEFAULT clock_timestamp(),
	actor_kind smallint NOT NULL,                    -- 1 user, 2 key, 3 platform, 4 nobody yet
	actor_id   bigint NOT NULL,
	action     text NOT NULL,
	object     text NOT NULL,
	detail     jsonb NOT NULL,
	request_id text NOT NULL,
	ip         text NOT NULL,
	hash       bytea NOT NULL,
	PRIMARY KEY (org_id, id)
);
SELECT tenant_table('audit', 'SELECT, INSERT');

-- Appends to the chain.  The lock gives the rows of one organisation an order that ends with the
-- transaction; hash = SHA-256(hash of the row before, this row's columns).
CREATE FUNCTION audit_append(org int, kind smallint, actor bigint, act text, obj text, what jsonb,
	request text, address text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	before bytea;
	moment timestamptz;
BEGIN
	PERFORM pg_advisory_xact_lock(1096107092, org);
	SELECT a.hash INTO before FROM audit a WHERE a.org_id = org ORDER BY a.id DESC LIMIT 1;
	moment := clock_timestamp();
	INSERT INTO audit (org_id, at, actor_kind, actor_id, action, object, detail, request_id, ip, hash)
	VALUES (org, moment, kind, actor, act, obj, what, request, address,
		sha256(coalesce(before, '') || convert_to(concat_ws(E'\n', to_ms(moment), kind, actor, act,
			obj, what::text, request, address), 'UTF8')));
END $$;
REVOKE ALL ON FUNCTION audit_append(int, smallint, bigint, text, text, jsonb, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append(int, smallint, bigint, text, text, jsonb, text, text) TO cp_api;

-- Answers kept for Idempotency-Key.  UNLOGGED: losing them in a crash of the database costs a
-- client's retry its short cut, and unique keys still refuse most doubles.
CREATE UNLOGGED TABLE idempotency (
	org_id     int NOT NULL,
	key        text NOT NULL,                        -- "POST /v1/lists" + actor + the header's value
	body_hash  bytea NOT NULL,
	status     smallint NOT NULL,
	headers    text NOT NULL,
	response   bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
SELECT tenant_table('idempotency');
GRANT SELECT, DELETE ON idempotency TO cp_ingest;

CREATE TABLE domains (
	org_id        int NOT NULL REFERENCES orgs,
	id            bigint GENERATED ALWAYS AS IDENTITY,
	name          text NOT NULL CHECK (length(name) <= 253),   -- lower-case A-labels
	status        smallint NOT NULL DEFAULT 1,       -- 1 pending, 2 verified, 3 degraded
	proof         text NOT NULL,                     -- value of the ownership TXT record
	dmarc_policy  smallint NOT NULL DEFAULT 1,       -- 1 none, 2 quarantine, 3 reject
	return_path   text NOT NULL DEFAULT '',          -- host label of the bounce address, '' is none
	tracking      text NOT NULL DEFAULT '',          -- host label of the tracking name, '' is none
	created_at    timestamptz NOT NULL DEFAULT now(),
	updated_at    timestamptz NOT NULL DEFAULT now(),
	checked_at    timestamptz,
	verified_at   timestamptz,
	version       bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, name)
);
-- Guarantee: a name is verified for one organisation at a time, so nobody's keys replace another's.
CREATE UNIQUE INDEX domains_verified_once ON domains (name) WHERE status <> 1;
SELECT tenant_table('domains');
GRANT SELECT ON domains TO cp_ingest;

CREATE TABLE dkim_keys (
	org_id     int NOT NULL,
	id         bigint GENERATED ALWAYS AS IDENTITY,
	domain_id  bigint NOT NULL,
	selector   text NOT NULL,
	type       smallint NOT NULL,                    -- 1 RSA-2048, 2 Ed25519
	txt        text NOT NULL,
	private    bytea NOT NULL,                       -- PEM sealed with seal_id (control/auth/secrets.h)
	seal_id    int NOT NULL,
	status     smallint NOT NULL DEFAULT 1,          -- 1 waiting for DNS, 2 signing, 3 retired
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, domain_id, selector),
	FOREIGN KEY (org_id, domain_id) REFERENCES domains (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('dkim_keys');
GRANT SELECT ON dkim_keys TO cp_ingest;

-- What the last check saw, one row a record the customer is asked to publish.
CREATE TABLE domain_records (
	org_id     int NOT NULL,
	domain_id  bigint NOT NULL,
	kind       text NOT NULL,                        -- ownership, dkim-rsa, dkim-ed25519, spf, dmarc, ...
	state      smallint NOT NULL,                    -- 1 unchecked, 2 ok, 3 missing, 4 wrong, 5 no answer
	seen       text NOT NULL DEFAULT '',
	checked_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, domain_id, kind),
	FOREIGN KEY (org_id, domain_id) REFERENCES domains (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('domain_records');

-- Orders for the engine, written in the transaction that decides them and deleted after the
-- engine's ACK.  Guarantee: two orders with the same name keep their sequence, because whoever
-- writes one holds the row it derives from.
CREATE TABLE engine_outbox (
	seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	org_id     int NOT NULL,
	kind       smallint NOT NULL,                    -- 1 key, 2 rule (control/org/outbox.h)
	name       text NOT NULL,                        -- "domain selector", or the rule's key
	value      bytea NOT NULL,                       -- sealed for keys, plain for rules
	seal_id    int NOT NULL DEFAULT 0,               -- 0: not sealed
	created_at timestamptz NOT NULL DEFAULT now()
);
SELECT tenant_table('engine_outbox', 'INSERT');
GRANT SELECT, INSERT, UPDATE, DELETE ON engine_outbox TO cp_ingest;

-- The few questions that are asked before the organisation is known.
CREATE FUNCTION lookup_logins(wanted text) RETURNS TABLE (org_id int, user_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
	$$ SELECT u.org_id, u.id FROM users u JOIN orgs o USING (org_id)
	   WHERE u.email_norm = wanted AND u.status = 1 ORDER BY u.org_id LIMIT 8 $$;
CREATE FUNCTION lookup_orgs(after int, most int)
RETURNS TABLE (org_id int, name text, status smallint, status_note text, created_at timestamptz,
	version bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
	$$ SELECT o.org_id, o.name, o.status, o.status_note, o.created_at, o.version FROM orgs o
	   WHERE o.org_id > after ORDER BY o.org_id LIMIT most $$;
GRANT SELECT ON users, orgs TO cp_lookup;
ALTER FUNCTION lookup_logins(text) OWNER TO cp_lookup;
ALTER FUNCTION lookup_orgs(int, int) OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION lookup_logins(text), lookup_orgs(int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lookup_logins(text), lookup_orgs(int, int) TO cp_api;
GRANT SELECT ON orgs TO cp_ingest;

GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO cp_api, cp_ingest;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO cp_api, cp_ingest;
