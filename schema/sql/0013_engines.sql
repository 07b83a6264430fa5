-- Engines that are no more, and what they had (docs/decisions/0033-identity.md).

-- Why its spool is not read any more: 0 it is, 1 another spool took its place, 2 the spool went back to an
-- earlier state, 3 it no longer has events that this database lacks.  The name of one that has ended is
-- "<id>/<row>", because its spool may come back.
ALTER TABLE engines ADD COLUMN ended smallint NOT NULL DEFAULT 0;

-- The engine that has the campaign's pieces; 0: none was cut yet.
ALTER TABLE campaigns ADD COLUMN engine smallint NOT NULL DEFAULT 0;
ALTER TABLE campaigns NO FORCE ROW LEVEL SECURITY;
UPDATE campaigns SET engine = (SELECT coalesce(max(id), 0) FROM engines) WHERE started_at IS NOT NULL;
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;
CREATE INDEX campaigns_engine ON campaigns (engine) WHERE engine <> 0;

GRANT DELETE ON campaign_chunks TO cp_ingest;
