-- What ids carry, so that no database restored, failed over or made anew uses one again for other mail
-- (docs/decisions/0033-identity.md).

-- The number under which engines know a campaign, drawn by chance when its audience is frozen: job ids, rules and
-- events carry it.  A start that a restore undid had another number, so its jobs are never taken for those of a
-- later start.  Campaigns of older programs keep their own number.
ALTER TABLE campaigns ADD COLUMN engine_number bigint;
ALTER TABLE campaigns NO FORCE ROW LEVEL SECURITY;
UPDATE campaigns SET engine_number = id WHERE started_at IS NOT NULL;
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;
CREATE UNIQUE INDEX campaigns_engine_number ON campaigns (engine_number);

-- Where this installation's rows were written last.  born is the transaction that wrote the row, so a copy made by
-- dump and restore shows: its row was written by another one.  A copy of the files shows by the server's timeline,
-- which a point-in-time restore and a failover change, or by its system identifier.
CREATE TABLE installation (
	one          boolean PRIMARY KEY DEFAULT true CHECK (one),
	incarnation  int NOT NULL,
	system       bigint NOT NULL,
	timeline     text NOT NULL,
	database     oid NOT NULL,
	born         text NOT NULL,
	changed_at   timestamptz NOT NULL
);
GRANT SELECT ON installation TO cp_ingest;

-- Begins a new incarnation when the database is not the one that it was, or when `later` says that an engine
-- knows more than it does (at most once an hour: two installations may share an engine).  The numbers that a lost
-- part of the history may have given away are skipped, because links, clients and rules still hold them.
-- Gives "" or why.
CREATE FUNCTION installation_check(later boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	was record;
	now_system bigint := (SELECT system_identifier FROM pg_control_system());
	now_timeline text := substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8);
	now_database oid := (SELECT oid FROM pg_database WHERE datname = current_database());
	me text := (pg_current_xact_id()::text::numeric % 4294967296)::text;
	why text;
	s record;
BEGIN
	SELECT i.*, i.xmin::text AS writer INTO was FROM installation i FOR UPDATE;
	why := CASE
		WHEN NOT FOUND THEN 'the installation has no row'
		WHEN was.system <> now_system THEN 'another server'
		WHEN was.timeline <> now_timeline THEN 'a point-in-time restore or a failover'
		WHEN was.database <> now_database OR was.born <> was.writer THEN 'a restored copy'
		WHEN later AND was.changed_at < now() - interval '1 hour' THEN 'an engine knows more than the database'
		ELSE '' END;
	IF why = '' THEN
		RETURN why;
	END IF;
	INSERT INTO installation AS i VALUES (true, 1, now_system, now_timeline, now_database, me, now())
	ON CONFLICT (one) DO UPDATE SET incarnation = i.incarnation + 1, system = excluded.system,
		timeline = excluded.timeline, database = excluded.database, born = excluded.born,
		changed_at = excluded.changed_at;
	FOR s IN SELECT q.seqrelid AS id, CASE q.seqtypid WHEN 'int8'::regtype THEN 1000000000
			WHEN 'int4'::regtype THEN 1000 END AS gap
		FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid
		WHERE c.relnamespace = 'public'::regnamespace AND q.seqtypid <> 'int2'::regtype
	LOOP
		PERFORM setval(s.id, coalesce(pg_sequence_last_value(s.id), 0) + s.gap);
	END LOOP;
	RETURN why;
END $$;
REVOKE ALL ON FUNCTION installation_check(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION installation_check(boolean) TO cp_ingest;
-- The first incarnation skips nothing: the numbers given so far are this database's own.
INSERT INTO installation SELECT true, 1, s.system_identifier,
	substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8), d.oid,
	(pg_current_xact_id()::text::numeric % 4294967296)::text, now() - interval '1 day'
FROM pg_control_system() s, pg_database d WHERE d.datname = current_database();
