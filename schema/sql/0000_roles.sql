-- Run once by a superuser in the database that is to be ours ("postern-control --bootstrap").
-- Running it again changes nothing.
--
--   cp_owner   owns every table, runs migrations; row-level security is forced on it too
--   cp_api     answers HTTP requests: sees one organisation at a time, never bypasses a policy
--   cp_ingest  event intake, feeding, staging of imports: all organisations, but no contact data
--   cp_lookup  cannot log in; owns the few functions that must look across organisations
DO $$
DECLARE
	wanted record;
BEGIN
	FOR wanted IN SELECT * FROM (VALUES
		('cp_owner',  'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS'),
		('cp_api',    'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS'),
		('cp_ingest', 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS'),
		('cp_lookup', 'NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS')
	) AS v(name, rights) LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
			EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.rights);
		ELSE
			EXECUTE format('ALTER ROLE %I %s', wanted.name, wanted.rights);
		END IF;
	END LOOP;
	EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE format('GRANT CREATE, CONNECT, TEMPORARY ON DATABASE %I TO cp_owner', current_database());
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO cp_api, cp_ingest', current_database());
END $$;

GRANT cp_lookup TO cp_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO cp_owner;
GRANT USAGE ON SCHEMA public TO cp_api, cp_ingest;
-- CREATE only lets cp_owner hand a function over to this role, which nobody can log in as.
GRANT USAGE, CREATE ON SCHEMA public TO cp_lookup;
