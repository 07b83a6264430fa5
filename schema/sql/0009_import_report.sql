-- What an import says of its file: what its columns were taken for, and every value that was left out, several
-- of one line too.
ALTER TABLE imports
	ADD COLUMN report jsonb NOT NULL DEFAULT '{}',       -- encoding, separator, columns, unused_columns
	ADD COLUMN n_left_out bigint NOT NULL DEFAULT 0,     -- values; their contacts were taken
	ADD COLUMN n_unwanted bigint NOT NULL DEFAULT 0;     -- contacts that the file says want no mail

ALTER TABLE import_errors
	ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY,
	ADD COLUMN column_title text NOT NULL DEFAULT '',
	ADD COLUMN taken boolean NOT NULL DEFAULT false;     -- the contact was, without this value
ALTER TABLE import_errors DROP CONSTRAINT import_errors_pkey;
ALTER TABLE import_errors ADD PRIMARY KEY (org_id, import_id, n);

ALTER TABLE import_rows
	ADD COLUMN status smallint NOT NULL DEFAULT 0;       -- of contacts.status; 0: the file does not say
