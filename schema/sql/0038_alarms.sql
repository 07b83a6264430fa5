-- Failed logins of an organisation within the hour, and when its admins were told last.
CREATE TABLE login_alarms (
	org_id   int PRIMARY KEY REFERENCES orgs,
	since    timestamptz NOT NULL DEFAULT now(),
	failures int NOT NULL DEFAULT 1,
	told_at  timestamptz
);
SELECT tenant_table('login_alarms');

-- Failed logins at no account of ours, in a few rows that any of them may draw: a guess at nobody
-- writes as one at somebody does, and so takes as long.  No names.
CREATE TABLE login_strangers (
	slot     smallint PRIMARY KEY,
	failures bigint NOT NULL DEFAULT 1
);
GRANT SELECT, INSERT, UPDATE ON login_strangers TO cp_api;
