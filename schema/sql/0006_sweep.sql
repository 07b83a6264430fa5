-- What has had its time: stored answers after a day, sessions a week after their end, tokens after a month.
-- A bounded number at a time, so that no transaction grows long; says how many rows went.
CREATE FUNCTION sweep(most int) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH answers AS (
		DELETE FROM idempotency WHERE (org_id, key) IN (SELECT org_id, key FROM idempotency
			WHERE created_at < now() - interval '24 hours' LIMIT most FOR UPDATE SKIP LOCKED) RETURNING 1
	), ended AS (
		DELETE FROM sessions WHERE (org_id, id) IN (SELECT org_id, id FROM sessions
			WHERE expires_at < now() - interval '7 days' LIMIT most FOR UPDATE SKIP LOCKED) RETURNING 1
	), used AS (
		DELETE FROM auth_tokens WHERE (org_id, id) IN (SELECT org_id, id FROM auth_tokens
			WHERE expires_at < now() - interval '30 days' LIMIT most FOR UPDATE SKIP LOCKED) RETURNING 1
	)
	SELECT (SELECT count(*) FROM answers) + (SELECT count(*) FROM ended) + (SELECT count(*) FROM used)
$$;
CREATE INDEX sessions_end ON sessions (expires_at);
CREATE INDEX auth_tokens_end ON auth_tokens (expires_at);
GRANT SELECT, UPDATE, DELETE ON idempotency, sessions, auth_tokens TO cp_lookup;
ALTER FUNCTION sweep(int) OWNER TO cp_lookup;
REVOKE ALL ON FUNCTION sweep(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sweep(int) TO cp_ingest;
REVOKE SELECT, DELETE ON idempotency FROM cp_ingest;
