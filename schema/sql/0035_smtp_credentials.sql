-- Names and passwords that an organisation's applications submit mail with.  The hash is what the
-- engine compares with (base/crypted.h); the password is shown once and kept nowhere.
CREATE TABLE smtp_credentials (
	org_id      int NOT NULL REFERENCES orgs,
	id          bigint GENERATED ALWAYS AS IDENTITY,
	name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
	username    text NOT NULL CHECK (username ~ '^[a-z0-9-]{1,64}$'),
	hash        text NOT NULL CHECK (hash ~ '^[$][!-~]+$' AND length(hash) < 384),
	domains     text NOT NULL DEFAULT '',            -- names separated by spaces; '' is all that are verified
	networks    text NOT NULL DEFAULT '',            -- separated by spaces; '' is anywhere
	stream      text NOT NULL DEFAULT '' CHECK (stream ~ '^[a-z0-9._-]{0,64}$'),
	hour_limit  bigint NOT NULL DEFAULT 0 CHECK (hour_limit >= 0), -- messages; 0: any number
	day_limit   bigint NOT NULL DEFAULT 0 CHECK (day_limit >= 0),
	created_at  timestamptz NOT NULL DEFAULT now(),
	expires_at  timestamptz,
	revoked_at  timestamptz,
	version     bigint NOT NULL DEFAULT 1,
	stamp       bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()), -- of this state of the row
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, username)
);
SELECT tenant_table('smtp_credentials');
GRANT SELECT ON smtp_credentials TO cp_ingest;

-- The line that the engine reads (mta/credentials/credentials.h).
CREATE FUNCTION smtp_credential_fact(c smtp_credentials) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT concat_ws(' ', c.username, c.hash,
		'domains=' || nullif(replace(c.domains, ' ', ','), ''),
		'networks=' || nullif(replace(c.networks, ' ', ','), ''),
		'stream=' || nullif(c.stream, ''),
		'hour=' || nullif(c.hour_limit, 0), 'day=' || nullif(c.day_limit, 0),
		'expires=' || CASE WHEN c.expires_at IS NOT NULL
			THEN greatest(1, floor(extract(epoch FROM c.expires_at))::bigint) END)
$$;

-- Objects are told by their number; what they say is read when they are told (control/engine/senders.sql).
ALTER TABLE sender_changes ADD COLUMN object_id bigint NOT NULL DEFAULT 0;

-- Two states of one row never have one stamp, so that sums of stamps tell them apart.
CREATE FUNCTION object_stamped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.stamp := uuid_send(gen_random_uuid());
	RETURN NEW;
END $$;
-- The argument is the fact that tells of such an object.
CREATE FUNCTION objects_told() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		INSERT INTO sender_changes (org_id, fact, object_id)
			SELECT org_id, TG_ARGV[0]::smallint, id FROM gone;
	ELSE
		INSERT INTO sender_changes (org_id, fact, object_id)
			SELECT org_id, TG_ARGV[0]::smallint, id FROM made;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER stamped BEFORE INSERT OR UPDATE ON smtp_credentials
	FOR EACH ROW EXECUTE FUNCTION object_stamped();
CREATE TRIGGER told_insert AFTER INSERT ON smtp_credentials
	REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION objects_told(7);
CREATE TRIGGER told_update AFTER UPDATE ON smtp_credentials
	REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION objects_told(7);
CREATE TRIGGER told_delete AFTER DELETE ON smtp_credentials
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION objects_told(7);

-- The engine has no credential of an organisation that is suspended.
CREATE FUNCTION org_credentials_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
	INSERT INTO sender_changes (org_id, fact, object_id)
		SELECT org_id, 7, id FROM smtp_credentials WHERE org_id = NEW.org_id;
	RETURN NULL;
END $$;
GRANT SELECT ON smtp_credentials TO cp_lookup;
GRANT INSERT ON sender_changes TO cp_lookup;
ALTER FUNCTION org_credentials_told() OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION org_credentials_told() FROM PUBLIC;
CREATE TRIGGER credentials_told AFTER UPDATE OF status ON orgs FOR EACH ROW
	WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION org_credentials_told();
