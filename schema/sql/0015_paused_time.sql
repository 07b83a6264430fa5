-- The time that a campaign is paused does not count towards its life: by default five days from the start
-- (control/campaigns/codes.h: CAMPAIGN_LIFE_MS).
ALTER TABLE campaigns
	ADD COLUMN paused_at timestamptz,                -- while it is paused
	ADD COLUMN paused_ms bigint NOT NULL DEFAULT 0;  -- of all pauses that are over

-- Whoever pauses or resumes a campaign, and for whatever reason: this keeps the time, and orders the engine to try
-- its recipients without end while it is paused, and until the moved end afterwards.  Statements that change the
-- status need not know of it.  A campaign with an expires_at of its own ends then, paused or not.
-- The number in the order is the one under which engines know the campaign; without such a column it is its id.
CREATE FUNCTION campaign_keeps_time() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	paused CONSTANT smallint := 4;
	sending CONSTANT smallint := 3;
	life_ms CONSTANT bigint := 432000000;
	never CONSTANT bigint := 253402300799000;
	was bigint := coalesce((to_jsonb(OLD)->>'engine_number')::bigint, OLD.id);
	number bigint := coalesce((to_jsonb(NEW)->>'engine_number')::bigint, NEW.id);
	until text := '';
BEGIN
	IF NEW.status = paused AND OLD.status <> paused THEN
		NEW.paused_at := now();
	ELSIF NEW.status <> paused AND OLD.status = paused THEN
		NEW.paused_ms := OLD.paused_ms + to_ms(now()) - to_ms(coalesce(OLD.paused_at, now()));
		NEW.paused_at := NULL;
	END IF;
	IF NEW.started_at IS NULL OR NEW.expires_at IS NOT NULL
		OR (NEW.status = OLD.status AND number = was) THEN
		RETURN NEW;
	END IF;
	IF NEW.status = paused THEN
		until := never::text;
	ELSIF NEW.status = sending AND NEW.paused_ms > 0 THEN
		until := (to_ms(NEW.started_at) + life_ms + NEW.paused_ms)::text;
	END IF;
	IF (number <> was OR until = '') AND (OLD.status = paused OR OLD.paused_ms > 0) THEN
		INSERT INTO engine_outbox (org_id, kind, name, value)
		VALUES (NEW.org_id, 2, 'life/campaign/' || was, '');
	END IF;
	IF until <> '' THEN
		INSERT INTO engine_outbox (org_id, kind, name, value)
		VALUES (NEW.org_id, 2, 'life/campaign/' || number, convert_to(until, 'UTF8'));
	END IF;
	RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION campaign_keeps_time() FROM PUBLIC;
CREATE TRIGGER keeps_time BEFORE UPDATE OF status ON campaigns
	FOR EACH ROW EXECUTE FUNCTION campaign_keeps_time();

-- Those that are paused now: since their last change, and the engine is told.
ALTER TABLE campaigns NO FORCE ROW LEVEL SECURITY;
ALTER TABLE engine_outbox NO FORCE ROW LEVEL SECURITY;
UPDATE campaigns SET paused_at = updated_at WHERE status = 4;
INSERT INTO engine_outbox (org_id, kind, name, value)
SELECT org_id, 2, 'life/campaign/' || coalesce((to_jsonb(c)->>'engine_number')::bigint, id), '253402300799000'
FROM campaigns c WHERE status = 4 AND expires_at IS NULL;
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;
ALTER TABLE engine_outbox FORCE ROW LEVEL SECURITY;
