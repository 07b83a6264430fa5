-- People who belong to several organisations.  A person has a row in users in each of them; which
-- rows are one person's is kept here, outside of any organisation's rows.
--
-- Guarantee: a link is made by proof only: a function takes the secret's hash of a session in the
-- other organisation, which whoever works for one organisation cannot read.
-- Guarantee: an organisation never learns which others its member is in.  No role that serves
-- requests may touch the table; its column is not called org_id, because no organisation owns a row.
-- Guarantee: what an organisation may do to its member's account (a new password, a sign-in of its
-- own) opens no other organisation: a session counts here only when its person's own password began
-- it, and a password that was reset ends the link.
CREATE SEQUENCE persons_seq;
CREATE TABLE person_members (
	person    bigint NOT NULL,
	org       int NOT NULL,
	user_id   bigint NOT NULL,
	linked_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org, user_id),
	UNIQUE (person, org),
	FOREIGN KEY (org, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
ALTER TABLE person_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_members FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON person_members TO cp_lookup;
GRANT USAGE ON SEQUENCE persons_seq TO cp_lookup;

-- Begun with a password of the person's own, here or in an organisation that is linked.  Sessions
-- that were there before all were; a new way to sign in is not until it says so.
ALTER TABLE sessions ADD COLUMN own boolean NOT NULL DEFAULT true;
ALTER TABLE sessions ALTER COLUMN own SET DEFAULT false;

-- Whose session this is, for the functions below alone.
CREATE FUNCTION person_session(from_org int, from_session bigint, hash bytea)
RETURNS TABLE (member bigint, proved timestamptz, own boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT u.id, s.proved_at, s.own
	FROM sessions s JOIN users u ON u.org_id = s.org_id AND u.id = s.user_id
	WHERE s.org_id = from_org AND s.id = from_session AND s.secret_hash = hash
		AND s.expires_at > now() AND s.replaced_by IS NULL AND u.status = 1
$$;

-- The organisations of the person whose session in this one is given.
CREATE FUNCTION person_organisations(from_session bigint, hash bytea)
RETURNS TABLE (org int, name text, handle text, status smallint, role smallint, role_name text,
	last_login_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH me AS (
		SELECT s.member, s.own FROM person_session(current_org(), from_session, hash) s
	), mine AS (
		SELECT current_org() AS org, member FROM me
		UNION
		SELECT b.org, b.user_id
		FROM me JOIN person_members a ON a.org = current_org() AND a.user_id = me.member
			JOIN person_members b ON b.person = a.person
		WHERE me.own
	)
	SELECT o.org_id, o.name, o.handle, o.status, u.role, coalesce(u.role_name, ''), u.last_login_at
	FROM mine m JOIN users u ON u.org_id = m.org AND u.id = m.member JOIN orgs o ON o.org_id = m.org
	WHERE u.status = 1
	ORDER BY o.name, o.org_id
$$;

-- The member of this organisation that somebody is who comes from another one with a session there.
-- proved: they were there a moment ago, and have no password here that they could be asked for.
CREATE FUNCTION person_enter(from_org int, from_session bigint, hash bytea, proof_ms bigint)
RETURNS TABLE (member bigint, proved boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT u.id, u.password_hash IS NULL
		AND s.proved > now() - make_interval(secs => proof_ms::float8 / 1000)
	FROM person_session(from_org, from_session, hash) s
		JOIN person_members a ON a.org = from_org AND a.user_id = s.member
		JOIN person_members b ON b.person = a.person AND b.org = current_org() AND b.org <> a.org
		JOIN users u ON u.org_id = b.org AND u.id = b.user_id
	WHERE s.own AND u.status = 1
$$;

-- Makes a member of this organisation and whoever has the session in the other one the same person.
-- Gives 0; 1 they are already; 2 the session is not fit for it; 3 one of them is in an organisation
-- as somebody else; 4 too many.
CREATE FUNCTION person_link(to_member bigint, from_org int, from_session bigint, hash bytea,
	proof_ms bigint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	here      int := current_org();
	from_member bigint;
	mine      bigint;
	theirs    bigint;
	shared    bigint;
	all_of    bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(1096107093);
	SELECT s.member INTO from_member FROM person_session(from_org, from_session, hash) s
	WHERE s.own AND s.proved > now() - make_interval(secs => proof_ms::float8 / 1000);
	IF from_member IS NULL OR from_org = here
		OR NOT EXISTS (SELECT FROM users WHERE org_id = here AND id = to_member AND status = 1) THEN
		RETURN 2;
	END IF;
	SELECT person INTO mine FROM person_members WHERE org = from_org AND user_id = from_member;
	SELECT person INTO theirs FROM person_members WHERE org = here AND user_id = to_member;
	IF mine = theirs THEN
		RETURN 1;
	END IF;
	WITH a AS (SELECT org FROM person_members WHERE person = mine UNION SELECT from_org),
		b AS (SELECT org FROM person_members WHERE person = theirs UNION SELECT here)
	SELECT (SELECT count(*) FROM a JOIN b USING (org)),
		(SELECT count(*) FROM a) + (SELECT count(*) FROM b) INTO shared, all_of;
	IF shared > 0 THEN
		RETURN 3;
	ELSIF all_of > 50 THEN
		RETURN 4;
	END IF;
	IF mine IS NOT NULL AND theirs IS NOT NULL THEN
		UPDATE person_members SET person = mine WHERE person = theirs;
	END IF;
	mine := coalesce(mine, theirs, nextval('persons_seq'));
	INSERT INTO person_members (person, org, user_id)
	VALUES (mine, from_org, from_member), (mine, here, to_member) ON CONFLICT DO NOTHING;
	RETURN 0;
END $$;

-- Takes the membership of that other organisation, or of this one, out of the links, for the person of
-- a session in this one.  Gives whose it was; NULL: there was none.
CREATE FUNCTION person_leave(from_session bigint, hash bytea, other int) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH gone AS (
		DELETE FROM person_members b USING person_session(current_org(), from_session, hash) s,
			person_members a
		WHERE a.org = current_org() AND a.user_id = s.member AND b.person = a.person
			AND b.org = other AND (s.own OR b.org = a.org)
		RETURNING b.user_id
	) SELECT user_id FROM gone
$$;

-- Takes a member of this organisation out of the links: an admin, or whoever reads their mail, has
-- opened the account.
CREATE FUNCTION person_unlink(member bigint) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	WITH gone AS (
		DELETE FROM person_members WHERE org = current_org() AND user_id = member RETURNING 1
	) SELECT EXISTS (SELECT FROM gone)
$$;

DO $$
DECLARE
	f text;
BEGIN
	FOREACH f IN ARRAY ARRAY['person_session(int, bigint, bytea)',
		'person_organisations(bigint, bytea)', 'person_enter(int, bigint, bytea, bigint)',
		'person_link(bigint, int, bigint, bytea, bigint)', 'person_leave(bigint, bytea, int)',
		'person_unlink(bigint)'] LOOP
		EXECUTE format('ALTER FUNCTION %s OWNER TO cp_lookup', f);
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		IF f NOT LIKE 'person_session%' THEN
			EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO cp_api', f);
		END IF;
	END LOOP;
END $$;
