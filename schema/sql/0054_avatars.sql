-- Pictures of people, cleaned (control/members/picture.h).  Whoever has the address may fetch one: it
-- names the organisation, and is drawn anew for each picture.
CREATE TABLE avatars (
	org_id     int NOT NULL,
	user_id    bigint NOT NULL,
	address    text NOT NULL,
	kind       smallint NOT NULL,                    -- enum picture_kind
	bytes      bytea NOT NULL CHECK (length(bytes) <= 262144),
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, user_id),
	UNIQUE (org_id, address),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('avatars');
-- They are compressed already.
ALTER TABLE avatars ALTER COLUMN bytes SET STORAGE EXTERNAL;
