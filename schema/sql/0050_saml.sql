-- Assertions of SAML providers that were taken, until they could not be shown again anyway.
CREATE TABLE saml_assertions (
	org_id      int NOT NULL,
	provider_id bigint NOT NULL,
	hash        bytea NOT NULL,                      -- SHA-256 of its ID
	expires_at  timestamptz NOT NULL,
	PRIMARY KEY (org_id, provider_id, hash),
	FOREIGN KEY (org_id, provider_id) REFERENCES identity_providers (org_id, id) ON DELETE CASCADE
);
CREATE INDEX saml_assertions_end ON saml_assertions (expires_at);
SELECT tenant_table('saml_assertions');

CREATE FUNCTION sweep_assertions(most int) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH gone AS (
		DELETE FROM saml_assertions WHERE (org_id, provider_id, hash) IN
			(SELECT org_id, provider_id, hash FROM saml_assertions
				WHERE expires_at < now() LIMIT most FOR UPDATE SKIP LOCKED) RETURNING 1
	) SELECT count(*) FROM gone
$$;
GRANT SELECT, UPDATE, DELETE ON saml_assertions TO cp_lookup;
ALTER FUNCTION sweep_assertions(int) OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION sweep_assertions(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sweep_assertions(int) TO cp_ingest;
