-- Sign-ups that wait for the code which was mailed.  Nothing of the organisation is there before;
-- org_id is drawn already, and is its number if it comes to be.
CREATE TABLE signups (
	org_id      int PRIMARY KEY,
	secret_hash bytea NOT NULL,
	code_hash   bytea NOT NULL,
	tries       smallint NOT NULL DEFAULT 0,
	sealed      bytea NOT NULL,                      -- who and what (control/auth/signup_mailed.c)
	seal_id     int NOT NULL,
	expires_at  timestamptz NOT NULL
);
SELECT tenant_table('signups');
CREATE INDEX signups_end ON signups (expires_at);

-- Tokens that come with a mailed code; detail: the new address (kind 4).
ALTER TABLE auth_tokens ADD COLUMN code_hash bytea,
	ADD COLUMN tries smallint NOT NULL DEFAULT 0,
	ADD COLUMN detail text NOT NULL DEFAULT '';

-- The name of an organisation that people can type: "acme-7k2".
ALTER TABLE orgs ADD COLUMN handle text CHECK (handle ~ '^[a-z0-9]([a-z0-9-]{1,38}[a-z0-9])$');
CREATE UNIQUE INDEX orgs_handle ON orgs (handle);
CREATE FUNCTION new_handle(name text) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(nullif(trim(both '-' FROM left(regexp_replace(lower(
			translate(name, 'äöüÄÖÜßéèêáàâíìîóòôúùûñçÉÈÊÁÀÂÍÌÎÓÒÔÚÙÛÑÇ',
				'aouAOUseeeaaaiiiooouuuncEEEAAAIIIOOOUUUNC')),
			'[^a-z0-9]+', '-', 'g'), 30)), ''), 'org') || '-' ||
		(SELECT string_agg(substr('23456789abcdefghjkmnpqrstuvwxyz', 1 + floor(random() * 31)::int, 1), '')
			FROM generate_series(1, 3))
$$;
-- A name that is taken is drawn again, with more letters behind it in the end.
CREATE FUNCTION orgs_named() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
	FOR i IN 1..20 LOOP
		NEW.handle := new_handle(NEW.name);
		EXIT WHEN NOT EXISTS (SELECT FROM orgs WHERE handle = NEW.handle);
		IF i > 10 THEN
			NEW.handle := left(NEW.handle, 30) || '-' || to_hex(floor(random() * 1048576)::int);
			EXIT WHEN NOT EXISTS (SELECT FROM orgs WHERE handle = NEW.handle);
		END IF;
	END LOOP;
	RETURN NEW;
END $$;
ALTER FUNCTION orgs_named() OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION orgs_named(), new_handle(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION new_handle(text) TO cp_lookup;
CREATE TRIGGER named BEFORE INSERT ON orgs FOR EACH ROW WHEN (NEW.handle IS NULL)
	EXECUTE FUNCTION orgs_named();
ALTER TABLE orgs NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE
	o record;
	h text;
BEGIN
	FOR o IN SELECT org_id, name FROM orgs WHERE handle IS NULL LOOP
		LOOP
			h := new_handle(o.name);
			EXIT WHEN NOT EXISTS (SELECT FROM orgs WHERE handle = h);
		END LOOP;
		UPDATE orgs SET handle = h WHERE org_id = o.org_id;
	END LOOP;
END $$;
ALTER TABLE orgs FORCE ROW LEVEL SECURITY;
ALTER TABLE orgs ALTER COLUMN handle SET NOT NULL;

-- People may also log in by a name, with their organisation's.
ALTER TABLE users ADD COLUMN username text
	CHECK (username ~ '^[a-z0-9]([a-z0-9._-]{0,38}[a-z0-9])?$');
CREATE UNIQUE INDEX users_username ON users (org_id, username);

-- Which account is meant, before the organisation is known: by address alone, or by the
-- organisation's name and the address or the name of a person.
CREATE FUNCTION lookup_org(wanted text) RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
	$$ SELECT org_id FROM orgs WHERE handle = wanted $$;
ALTER FUNCTION lookup_org(text) OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION lookup_org(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lookup_org(text) TO cp_api;

-- What has had its time: as before (0006), and sign-ups whose code was never used.
CREATE FUNCTION sweep_signups(most int) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH gone AS (
		DELETE FROM signups WHERE org_id IN (SELECT org_id FROM signups
			WHERE expires_at < now() LIMIT most FOR UPDATE SKIP LOCKED) RETURNING 1
	) SELECT count(*) FROM gone
$$;
GRANT SELECT, UPDATE, DELETE ON signups TO cp_lookup;
ALTER FUNCTION sweep_signups(int) OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION sweep_signups(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sweep_signups(int) TO cp_ingest;
