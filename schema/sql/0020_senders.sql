-- What the engine must know of senders and suppressions (schema/wire/facts.h), as changes that wait
-- to be handed over.  Triggers write them, so that no statement can forget to.
--
-- Guarantee: a change exists exactly when what it follows from is committed.  Two changes about one
-- address of an organisation, or about one domain, keep their sequence: whoever makes one holds the
-- row, or the entry of a unique index, that it derives from.  Between others seq is no order: one
-- with a lower seq may be committed later.  So whoever takes them takes those that are there and
-- deletes these, and does not go by the highest seq it has seen.
CREATE TABLE sender_changes (
	seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	org_id     int NOT NULL,
	fact       smallint NOT NULL,                    -- 1 sender, 2 no sender, 3 stops all, 4 stops bulk, 5 stops none
	domain     text NOT NULL DEFAULT '',
	email_hash bytea NOT NULL DEFAULT ''
);
SELECT tenant_table('sender_changes', 'INSERT');
GRANT SELECT, INSERT, DELETE ON sender_changes TO cp_ingest;

-- Who has unsubscribed from bulk mail still gets transactional mail, such as a new password.  A mailbox
-- that does not exist, a complaint, and what somebody entered for a reason we do not know stop all.  A row
-- has one reason, and another may take its place; that all is stopped stays as long as the row.
ALTER TABLE suppressions ADD COLUMN hard boolean NOT NULL DEFAULT false;
ALTER TABLE suppressions NO FORCE ROW LEVEL SECURITY;
UPDATE suppressions SET hard = true WHERE reason <> 2;
ALTER TABLE suppressions FORCE ROW LEVEL SECURITY;
GRANT UPDATE (hard) ON suppressions TO cp_ingest;
CREATE FUNCTION suppressions_harden() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.hard := NEW.hard OR NEW.reason <> 2 OR (TG_OP = 'UPDATE' AND OLD.hard);
	RETURN NEW;
END $$;
CREATE TRIGGER harden BEFORE INSERT OR UPDATE ON suppressions
	FOR EACH ROW EXECUTE FUNCTION suppressions_harden();
CREATE FUNCTION suppression_fact(hard boolean) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (CASE WHEN hard THEN 3 ELSE 4 END)::smallint $$;

-- What the sums of facts are made of: the first 8 bytes of a hash.
CREATE FUNCTION fact_sum(hash bytea) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$ SELECT ('x' || encode(substring(hash for 8), 'hex'))::bit(64)::bigint $$;

CREATE FUNCTION suppressions_told() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		INSERT INTO sender_changes (org_id, fact, email_hash)
			SELECT org_id, 5, email_hash FROM gone;
	ELSE
		INSERT INTO sender_changes (org_id, fact, email_hash)
			SELECT org_id, suppression_fact(hard), email_hash FROM made;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER told_insert AFTER INSERT ON suppressions
	REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION suppressions_told();
CREATE TRIGGER told_update AFTER UPDATE ON suppressions
	REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION suppressions_told();
CREATE TRIGGER told_delete AFTER DELETE ON suppressions
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION suppressions_told();

-- An organisation sends as its domains that are verified; a degraded one was, and stays its own.
CREATE FUNCTION domains_told() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO sender_changes (org_id, fact, domain)
			SELECT org_id, 1, name FROM made WHERE status <> 1;
	ELSIF TG_OP = 'DELETE' THEN
		INSERT INTO sender_changes (org_id, fact, domain)
			SELECT org_id, 2, name FROM gone WHERE status <> 1;
	ELSE
		INSERT INTO sender_changes (org_id, fact, domain)
			SELECT org_id, CASE m.status WHEN 1 THEN 2 ELSE 1 END, m.name
			FROM made m JOIN gone g USING (org_id, id)
			WHERE (m.status = 1) <> (g.status = 1);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER told_insert AFTER INSERT ON domains
	REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION domains_told();
CREATE TRIGGER told_update AFTER UPDATE ON domains
	REFERENCING OLD TABLE AS gone NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION domains_told();
CREATE TRIGGER told_delete AFTER DELETE ON domains
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION domains_told();

-- Orders of this kind are not given any more; an engine that lacks them is given the whole set.
ALTER TABLE engine_outbox NO FORCE ROW LEVEL SECURITY;
DELETE FROM engine_outbox WHERE kind = 2 AND name LIKE 'suppress/%';
ALTER TABLE engine_outbox FORCE ROW LEVEL SECURITY;
