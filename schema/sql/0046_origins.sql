-- Origins of web pages that may read the API's answers to this organisation (control/http/cors.h).
ALTER TABLE orgs ADD COLUMN origins text[] NOT NULL DEFAULT '{}' CHECK (cardinality(origins) <= 20);
-- Every control plane reads all lists every second: most organisations have none.
CREATE INDEX orgs_origins ON orgs (org_id) WHERE origins <> '{}';
