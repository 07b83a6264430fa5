-- Signing in at another party: OpenID Connect and SAML providers of an organisation, whose accounts
-- there are whose here, and sign-ins that are under way.
ALTER TABLE orgs
	-- People whose address is in one of these may come in by a provider without an invitation.
	ADD COLUMN sign_in_domains text[] NOT NULL DEFAULT '{}' CHECK (cardinality(sign_in_domains) <= 50),
	ADD COLUMN default_role smallint NOT NULL DEFAULT 5, -- control/auth/codes.h
	ADD COLUMN default_role_name text,
	-- Passwords are refused, but those of admins.
	ADD COLUMN sso_only boolean NOT NULL DEFAULT false,
	ADD CONSTRAINT orgs_own_role CHECK ((default_role = 100) = (default_role_name IS NOT NULL)),
	ADD FOREIGN KEY (org_id, default_role_name) REFERENCES roles (org_id, name);

CREATE TABLE identity_providers (
	org_id       int NOT NULL REFERENCES orgs,
	id           bigint GENERATED ALWAYS AS IDENTITY,
	kind         smallint NOT NULL,                  -- control/federation/codes.h
	name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
	status       smallint NOT NULL DEFAULT 1,
	config       jsonb NOT NULL CHECK (length(config::text) <= 100000),
	secret       bytea NOT NULL DEFAULT '',          -- sealed with seal_id
	seal_id      int NOT NULL DEFAULT 0,             -- 0: there is none
	default_role smallint,                           -- NULL: the organisation's
	default_role_name text,
	created_at   timestamptz NOT NULL DEFAULT now(),
	updated_at   timestamptz NOT NULL DEFAULT now(),
	version      bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, name),
	CONSTRAINT identity_providers_own_role
		CHECK ((default_role IS NOT DISTINCT FROM 100) = (default_role_name IS NOT NULL)),
	FOREIGN KEY (org_id, default_role_name) REFERENCES roles (org_id, name)
);
SELECT tenant_table('identity_providers');

-- Guarantee: an account of a provider is one member's, and a member has one account at a provider.
-- An address that a provider gives to somebody else is therefore no way to its old owner's account.
CREATE TABLE identities (
	org_id       int NOT NULL,
	id           bigint GENERATED ALWAYS AS IDENTITY,
	user_id      bigint NOT NULL,
	provider_id  bigint NOT NULL,
	subject      text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
	email        text NOT NULL,                      -- as the provider said when it was linked
	created_at   timestamptz NOT NULL DEFAULT now(),
	last_used_at timestamptz,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, provider_id, subject),
	UNIQUE (org_id, user_id, provider_id),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE,
	FOREIGN KEY (org_id, provider_id) REFERENCES identity_providers (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('identities');

-- A browser on its way to a provider and back (control/federation/journey.h).
CREATE TABLE federation_journeys (
	org_id         int NOT NULL,
	id             bigint GENERATED ALWAYS AS IDENTITY,
	provider_id    bigint NOT NULL,
	stage          smallint NOT NULL,                -- control/federation/codes.h
	secret_hash    bytea NOT NULL,                   -- of the secret that leads to the next stage
	browser_hash   bytea NOT NULL,                   -- of the cookie that the browser was given
	return_to      text NOT NULL,
	detail         text NOT NULL DEFAULT '',         -- what the provider's kind keeps
	subject        text,                             -- whom the provider vouched for
	email          text,
	email_verified boolean,
	name           text,
	created_at     timestamptz NOT NULL DEFAULT now(),
	expires_at     timestamptz NOT NULL,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, provider_id) REFERENCES identity_providers (org_id, id) ON DELETE CASCADE
);
CREATE INDEX federation_journeys_provider ON federation_journeys (org_id, provider_id);
CREATE INDEX federation_journeys_end ON federation_journeys (expires_at);
SELECT tenant_table('federation_journeys');

CREATE FUNCTION sweep_journeys(most int) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH gone AS (
		DELETE FROM federation_journeys WHERE (org_id, id) IN
			(SELECT org_id, id FROM federation_journeys
				WHERE expires_at < now() LIMIT most FOR UPDATE SKIP LOCKED) RETURNING 1
	) SELECT count(*) FROM gone
$$;
GRANT SELECT, UPDATE, DELETE ON federation_journeys TO cp_lookup;
ALTER FUNCTION sweep_journeys(int) OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION sweep_journeys(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sweep_journeys(int) TO cp_ingest;
