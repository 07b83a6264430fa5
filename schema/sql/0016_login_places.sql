-- Where a person has logged in rightly: guesses from elsewhere do not keep them out there.  A network
-- is an IPv4 address or the /64 of an IPv6 address.
CREATE TABLE login_places (
	org_id   int NOT NULL,
	user_id  bigint NOT NULL,
	net      cidr NOT NULL,
	seen_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, user_id, net),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
SELECT tenant_table('login_places');

-- Those who are logged in have done so rightly.
ALTER TABLE sessions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE login_places NO FORCE ROW LEVEL SECURITY;
INSERT INTO login_places (org_id, user_id, net, seen_at)
SELECT org_id, user_id, network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 32 ELSE 64 END)),
	max(last_seen_at)
FROM sessions WHERE ip IS NOT NULL GROUP BY 1, 2, 3;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE login_places FORCE ROW LEVEL SECURITY;
