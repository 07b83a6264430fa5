-- Smart hosts of organisations that bring their own SMTP service: their mail to some domains goes
-- there instead of the domains' own hosts.
CREATE TABLE smtp_routes (
	org_id     int NOT NULL REFERENCES orgs,
	id         bigint GENERATED ALWAYS AS IDENTITY,
	name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
	host       text NOT NULL CHECK (host ~ '^[a-z0-9.-]+$' AND length(host) < 254),
	port       int NOT NULL CHECK (port BETWEEN 1 AND 65535),
	tls        smallint NOT NULL,                    -- 1 verify, 2 encrypt, 3 may, 4 never
	tls_first  boolean NOT NULL,                     -- before the greeting
	auth       smallint NOT NULL,                    -- 1 none, 2 password, 3 plain, 4 login, 5 xoauth2
	username   text NOT NULL DEFAULT '' CHECK (username !~ '[[:cntrl:]]'),
	secret     bytea NOT NULL DEFAULT '',            -- sealed: a password, or a token
	seal_id    int NOT NULL DEFAULT 0,
	domains    text NOT NULL CHECK (domains ~ '^[a-z0-9.* -]+$'), -- patterns separated by spaces
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	version    bigint NOT NULL DEFAULT 1,
	stamp      bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()), -- of this state of the row
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, name)
);
SELECT tenant_table('smtp_routes');
GRANT SELECT ON smtp_routes TO cp_ingest;

-- The text that the engine reads (mta/route/fed.h), up to where the secret follows.
CREATE FUNCTION smtp_route_fact(r smtp_routes) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT 'host = ' || r.host || E'\nport = ' || r.port
		|| E'\ntls = ' || CASE WHEN r.tls_first THEN 'at-once ' ELSE '' END
		|| (ARRAY['verify', 'encrypt', 'may', 'never'])[r.tls]
		|| E'\nauth = ' || (ARRAY['none', 'password', 'plain', 'login', 'xoauth2'])[r.auth]
		|| E'\ndomain = ' || replace(r.domains, ' ', ', ') || E'\n'
		|| CASE WHEN r.seal_id <> 0 THEN E'\nuser = ' || r.username || E'\npassword = ' ELSE '' END
$$;

CREATE TRIGGER stamped BEFORE INSERT OR UPDATE ON smtp_routes
	FOR EACH ROW EXECUTE FUNCTION object_stamped();
CREATE TRIGGER told_insert AFTER INSERT ON smtp_routes
	REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION objects_told(9);
CREATE TRIGGER told_update AFTER UPDATE ON smtp_routes
	REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION objects_told(9);
CREATE TRIGGER told_delete AFTER DELETE ON smtp_routes
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION objects_told(9);
