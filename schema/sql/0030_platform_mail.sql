-- Mail of the platform to people: written in the transaction of what it tells about, deleted when an
-- engine has it.  `sealed` holds codes and tokens (control/mail/mail.h).
CREATE TABLE platform_mail (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	org_id     int NOT NULL,                         -- of a sign-up: there is no row of it yet
	kind       smallint NOT NULL,                    -- control/mail/codes.h
	address    text NOT NULL CHECK (length(address) <= 320),
	language   text NOT NULL DEFAULT '' CHECK (length(language) < 16),
	sealed     bytea NOT NULL,
	seal_id    int NOT NULL,
	job_hi     bigint NOT NULL,                      -- the id under which engines know it
	job_lo     bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX platform_mail_org ON platform_mail (org_id);
SELECT tenant_table('platform_mail', 'INSERT');
GRANT SELECT, UPDATE, DELETE ON platform_mail TO cp_ingest;

-- The language in which a person is written to and sees the console; '' is the platform's own.
ALTER TABLE users ADD COLUMN language text NOT NULL DEFAULT '' CHECK (length(language) < 16);
