-- Contacts, their fields, lists, tags, imports and suppressions.
--
-- contacts and list_members are hashed 16 ways on org_id.  Statements name org_id = $n beside the
-- policy, so that the planner picks the one partition and does not plan all of them.

CREATE SEQUENCE contacts_seq;
CREATE TABLE contacts (
	org_id     int NOT NULL REFERENCES orgs,
	id         bigint NOT NULL DEFAULT nextval('contacts_seq'),
	email      text NOT NULL CHECK (length(email) <= 320),
	email_norm text NOT NULL,
	first_name text NOT NULL DEFAULT '',
	last_name  text NOT NULL DEFAULT '',
	status     smallint NOT NULL DEFAULT 1,          -- 1 subscribed, 2 unsubscribed, 3 bounced, 4 complained
	fields     jsonb NOT NULL DEFAULT '{}',          -- for rendering; conditions use contact_values
	source     smallint NOT NULL DEFAULT 1,          -- 1 api, 2 import, 3 form
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	version    bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, email_norm)
) PARTITION BY HASH (org_id);
ALTER SEQUENCE contacts_seq OWNED BY contacts.id;
SELECT tenant_table('contacts');

-- Types of fields: 1 text, 2 number, 3 boolean, 4 date.
CREATE TABLE fields (
	org_id     int NOT NULL REFERENCES orgs,
	id         bigint GENERATED ALWAYS AS IDENTITY,
	name       text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
	label      text NOT NULL DEFAULT '',
	type       smallint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	version    bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, name)
);
SELECT tenant_table('fields');

CREATE TABLE contact_values (
	org_id     int NOT NULL,
	field_id   bigint NOT NULL,
	contact_id bigint NOT NULL,
	val_num    double precision,
	val_text   text,
	val_ts     timestamptz,
	PRIMARY KEY (org_id, contact_id, field_id),
	FOREIGN KEY (org_id, field_id) REFERENCES fields (org_id, id) ON DELETE CASCADE,
	FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_values_text ON contact_values (org_id, field_id, val_text) WHERE val_text IS NOT NULL;
CREATE INDEX contact_values_num ON contact_values (org_id, field_id, val_num) WHERE val_num IS NOT NULL;
CREATE INDEX contact_values_ts ON contact_values (org_id, field_id, val_ts) WHERE val_ts IS NOT NULL;
SELECT tenant_table('contact_values');

CREATE TABLE lists (
	org_id      int NOT NULL REFERENCES orgs,
	id          bigint GENERATED ALWAYS AS IDENTITY,
	name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
	description text NOT NULL DEFAULT '',
	opt_in      smallint NOT NULL DEFAULT 1,         -- 1 single, 2 double
	created_at  timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now(),
	version     bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, name)
);
SELECT tenant_table('lists');

CREATE TABLE list_members (
	org_id     int NOT NULL,
	list_id    bigint NOT NULL,
	contact_id bigint NOT NULL,
	status     smallint NOT NULL DEFAULT 1,          -- 1 subscribed, 2 unsubscribed, 3 unconfirmed
	joined_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, list_id, contact_id),
	FOREIGN KEY (org_id, list_id) REFERENCES lists (org_id, id) ON DELETE CASCADE,
	FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, id) ON DELETE CASCADE
) PARTITION BY HASH (org_id);
CREATE INDEX list_members_contact ON list_members (org_id, contact_id);
SELECT tenant_table('list_members');

DO $$
BEGIN
	FOR i IN 0..15 LOOP
		EXECUTE format('CREATE TABLE contacts_%s PARTITION OF contacts '
			'FOR VALUES WITH (MODULUS 16, REMAINDER %s) WITH (fillfactor = 90)', i, i);
		EXECUTE format('CREATE TABLE list_members_%s PARTITION OF list_members '
			'FOR VALUES WITH (MODULUS 16, REMAINDER %s)', i, i);
	END LOOP;
END $$;

-- Sizes of lists as signed differences, folded now and then; never count(*), never a row trigger.
CREATE TABLE list_counts (
	org_id  int NOT NULL,
	list_id bigint NOT NULL,
	id      bigint GENERATED ALWAYS AS IDENTITY,
	n       bigint NOT NULL,
	PRIMARY KEY (org_id, list_id, id),
	FOREIGN KEY (org_id, list_id) REFERENCES lists (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('list_counts');

CREATE TABLE tags (
	org_id int NOT NULL REFERENCES orgs,
	id     bigint GENERATED ALWAYS AS IDENTITY,
	name   text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, name)
);
SELECT tenant_table('tags');

CREATE TABLE contact_tags (
	org_id     int NOT NULL,
	tag_id     bigint NOT NULL,
	contact_id bigint NOT NULL,
	PRIMARY KEY (org_id, tag_id, contact_id),
	FOREIGN KEY (org_id, tag_id) REFERENCES tags (org_id, id) ON DELETE CASCADE,
	FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_tags_contact ON contact_tags (org_id, contact_id);
SELECT tenant_table('contact_tags');

CREATE TABLE imports (
	org_id       int NOT NULL REFERENCES orgs,
	id           bigint GENERATED ALWAYS AS IDENTITY,
	status       smallint NOT NULL DEFAULT 1,        -- 1 waiting, 2 running, 3 done, 4 failed, 5 cancelled
	list_id      bigint,
	mapping      jsonb NOT NULL DEFAULT '{}',        -- column of the file -> field
	options      jsonb NOT NULL DEFAULT '{}',
	path         text NOT NULL DEFAULT '',           -- the uploaded file, while it waits
	bytes        bigint NOT NULL DEFAULT 0,
	rows_read    bigint NOT NULL DEFAULT 0,
	n_created    bigint NOT NULL DEFAULT 0,
	n_updated    bigint NOT NULL DEFAULT 0,
	n_invalid    bigint NOT NULL DEFAULT 0,
	n_duplicate  bigint NOT NULL DEFAULT 0,
	n_suppressed bigint NOT NULL DEFAULT 0,
	error        text NOT NULL DEFAULT '',
	created_by   bigint,
	created_at   timestamptz NOT NULL DEFAULT now(),
	started_at   timestamptz,
	finished_at  timestamptz,
	claimed_until timestamptz,                       -- a worker's lease
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, list_id) REFERENCES lists (org_id, id) ON DELETE SET NULL (list_id)
);
CREATE INDEX imports_open ON imports (id) WHERE status IN (1, 2);
SELECT tenant_table('imports');
GRANT SELECT, UPDATE ON imports TO cp_ingest;

CREATE TABLE import_errors (
	org_id    int NOT NULL,
	import_id bigint NOT NULL,
	line      bigint NOT NULL,
	reason    smallint NOT NULL,
	value     text NOT NULL DEFAULT '',
	PRIMARY KEY (org_id, import_id, line),
	FOREIGN KEY (org_id, import_id) REFERENCES imports (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('import_errors');
GRANT INSERT ON import_errors TO cp_ingest;

-- COPY FROM is refused to a role under a policy: cp_ingest copies, cp_api turns the rows into
-- contacts with its organisation set, and sees no other organisation's rows here either.
CREATE UNLOGGED TABLE import_rows (
	org_id     int NOT NULL,
	import_id  bigint NOT NULL,
	line       bigint NOT NULL,
	email      text NOT NULL,
	email_norm text NOT NULL,
	email_hash bytea NOT NULL,
	first_name text NOT NULL DEFAULT '',
	last_name  text NOT NULL DEFAULT '',
	fields     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX import_rows_of ON import_rows (org_id, import_id, line);
SELECT tenant_table('import_rows', 'SELECT, DELETE');
GRANT SELECT, INSERT, DELETE ON import_rows TO cp_ingest;

CREATE TABLE suppressions (
	org_id      int NOT NULL REFERENCES orgs,
	email_hash  bytea NOT NULL,                      -- first 16 bytes of SHA-256(lower-cased address)
	id          bigint GENERATED ALWAYS AS IDENTITY,
	email       text NOT NULL,
	reason      smallint NOT NULL,                   -- 1 manual, 2 unsubscribed, 3 hard bounce, 4 complaint, 5 import
	source      text NOT NULL DEFAULT '',
	campaign_id bigint,
	created_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, email_hash),
	UNIQUE (org_id, id)
);
SELECT tenant_table('suppressions');
GRANT SELECT, INSERT ON suppressions TO cp_ingest;
