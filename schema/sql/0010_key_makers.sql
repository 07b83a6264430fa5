-- A key belongs to the member who made it, also when that member is removed: the key then stops.  So
-- created_by keeps the id of a removed member (an id is never given twice) and refers to no row.
ALTER TABLE api_keys DROP CONSTRAINT api_keys_org_id_created_by_fkey;

-- Keys made by a key, or by a member removed since, have no maker yet.  The audit knows who made them:
-- its row is of the same transaction.  A key is younger than the key that made it.
ALTER TABLE api_keys NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE
	k record;
BEGIN
	FOR k IN SELECT org_id, id, name, created_at FROM api_keys WHERE created_by IS NULL ORDER BY id
	LOOP
		UPDATE api_keys SET created_by = (SELECT CASE a.actor_kind
				WHEN 1 THEN a.actor_id
				WHEN 2 THEN (SELECT p.created_by FROM api_keys p
					WHERE p.org_id = a.org_id AND p.id = a.actor_id) END
			FROM audit a
			WHERE a.org_id = k.org_id AND a.action = 'key.created'
				AND a.detail->>'name' = k.name AND a.at >= k.created_at
			ORDER BY a.id LIMIT 1)
		WHERE org_id = k.org_id AND id = k.id;
	END LOOP;
END $$;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
