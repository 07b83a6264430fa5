-- A contact whose address does not exist says so.  The role that takes events sees no contacts: it may call
-- this, which can do nothing else.  Only those who are subscribed change: what a person said stays.
CREATE FUNCTION contacts_bounced(orgs int[], emails text[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
	WITH moved AS (
		UPDATE contacts c SET status = 3, updated_at = now(), version = c.version + 1
		FROM (SELECT DISTINCT org_id, email FROM unnest(orgs, emails) AS u(org_id, email)) u
		WHERE c.org_id = u.org_id AND c.email_norm = u.email AND c.status = 1
		RETURNING 1
	)
	SELECT count(*) FROM moved
$$;
GRANT SELECT (org_id, email_norm, status, version), UPDATE (status, updated_at, version) ON contacts
	TO cp_lookup;
ALTER FUNCTION contacts_bounced(int[], text[]) OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION contacts_bounced(int[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contacts_bounced(int[], text[]) TO cp_ingest;

-- Those who bounced before.
ALTER TABLE contacts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE suppressions NO FORCE ROW LEVEL SECURITY;
UPDATE contacts c SET status = 3, updated_at = now(), version = c.version + 1
FROM suppressions s
WHERE s.reason = 3 AND c.org_id = s.org_id AND c.email_norm = lower(s.email) AND c.status = 1;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
ALTER TABLE suppressions FORCE ROW LEVEL SECURITY;
