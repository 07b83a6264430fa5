-- What an organisation says of itself: website, industry, employees, contacts (control/org/traits.h).
ALTER TABLE orgs ADD COLUMN profile jsonb NOT NULL DEFAULT '{}'
	CHECK (jsonb_typeof(profile) = 'object' AND length(profile::text) <= 16384);
