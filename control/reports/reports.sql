-- Reports about domains.

-- name: sent
-- role: cp_ingest
INSERT INTO sending_days (ip, day)
SELECT DISTINCT u.ip, (from_ms(u.at) AT TIME ZONE 'UTC')::date FROM unnest($1::inet[], $2::bigint[]) AS u(ip, at)
ON CONFLICT DO NOTHING;

-- part: from_us(address)
(:address <<= ANY ($7::inet[]) OR EXISTS (SELECT FROM sending_days s WHERE s.ip = :address
	AND s.day >= (from_ms(coalesce($3::bigint, $5::bigint)) AT TIME ZONE 'UTC')::date - :REPORT_SLACK_DAYS
	AND s.day <= (from_ms(coalesce($4::bigint, $5::bigint)) AT TIME ZONE 'UTC')::date + :REPORT_SLACK_DAYS))

-- part: room(reports)
(SELECT count(*) FROM :reports t WHERE t.org_id = h.org_id AND t.domain_id = h.domain_id
	AND t.received_at > from_ms($5::bigint) - interval '1 day') < :REPORTS_A_DAY

-- name: dmarc_put
-- Each row goes to whom its From belongs, else to whom the report is about.  A name that nobody has is nobody's report.
-- role: cp_ingest
WITH given AS MATERIALIZED (
	SELECT * FROM unnest($8::inet[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
		$15::text[], $16::text[]) WITH ORDINALITY
		AS u(ip, n, disposition, dkim, spf, header_from, envelope_from, reason, signers, nth)
), names AS MATERIALIZED (
	SELECT w.name, o.org_id, o.domain_id
	FROM (SELECT header_from AS name FROM given UNION SELECT ($1::text[])[:TEXT_DOMAIN]) w,
		LATERAL domain_owner(w.name) o
), signed AS MATERIALIZED (
	SELECT DISTINCT d.org_id, a.nth
	FROM unnest($17::bigint[], $18::text[], $19::text[]) AS a(nth, domain, selector)
	JOIN domains d ON d.name = lower(a.domain) AND d.status <> :DOMAIN_PENDING
	JOIN dkim_keys k ON k.org_id = d.org_id AND k.domain_id = d.id
		AND (a.selector = '' OR k.selector = lower(a.selector))
), owned AS MATERIALIZED (
	SELECT g.*, coalesce(f.org_id, r.org_id) AS org_id, coalesce(f.domain_id, r.domain_id) AS domain_id
	FROM given g
	LEFT JOIN names f ON f.name = g.header_from
	LEFT JOIN names r ON r.name = ($1::text[])[:TEXT_DOMAIN]
), judged AS MATERIALIZED (
	SELECT o.*, CASE WHEN :from_us(o.ip) THEN :WHOSE_OURS
		WHEN EXISTS (SELECT FROM signed s WHERE s.org_id = o.org_id AND s.nth = o.nth)
		THEN :WHOSE_FORWARDED ELSE :WHOSE_STRANGER END AS whose
	FROM owned o WHERE o.org_id IS NOT NULL
), heads AS (
	SELECT org_id, domain_id, sum(n) AS n, coalesce(sum(n) FILTER (WHERE whose = :WHOSE_OURS), 0) AS ours,
		coalesce(sum(n) FILTER (WHERE whose = :WHOSE_FORWARDED), 0) AS forwarded,
		coalesce(sum(n) FILTER (WHERE whose = :WHOSE_STRANGER), 0) AS strangers
	FROM judged GROUP BY 1, 2
	UNION ALL
	SELECT org_id, domain_id, 0, 0, 0, 0 FROM names
	WHERE name = ($1::text[])[:TEXT_DOMAIN] AND NOT EXISTS (SELECT FROM given)
), put AS (
	INSERT INTO dmarc_reports (org_id, domain_id, identity, reporter, email, report_id, about, policy, received_ip,
		begin_at, end_at, received_at, partial, messages, ours, forwarded, strangers)
	SELECT org_id, domain_id, $2::bytea, ($1::text[])[:TEXT_ORG], ($1::text[])[:TEXT_EMAIL], ($1::text[])[:TEXT_ID],
		($1::text[])[:TEXT_DOMAIN], ($1::text[])[:TEXT_POLICY], ($1::text[])[:TEXT_IP], from_ms($3::bigint),
		from_ms($4::bigint), from_ms($5::bigint), $6::int::boolean, n, ours, forwarded, strangers
	FROM heads h WHERE :room(dmarc_reports)
	ON CONFLICT (org_id, domain_id, identity) DO NOTHING
	RETURNING org_id, domain_id, id
)
INSERT INTO dmarc_rows (org_id, report, nth, ip, n, whose, disposition, dkim, spf, header_from, envelope_from, reason,
	signers)
SELECT p.org_id, p.id, j.nth, j.ip, j.n, j.whose, j.disposition, j.dkim, j.spf, j.header_from, j.envelope_from, j.reason,
	j.signers
FROM put p JOIN judged j ON j.org_id = p.org_id AND j.domain_id = p.domain_id;

-- name: tls_put
-- role: cp_ingest
WITH given AS MATERIALIZED (
	SELECT * FROM unnest($8::text[], $9::text[], $10::bigint[], $11::bigint[]) WITH ORDINALITY
		AS u(policy, about, success, failure, nth)
), heads AS (
	SELECT o.org_id, o.domain_id, g.* FROM given g, LATERAL domain_owner(g.about) o
), put AS (
	INSERT INTO tls_reports (org_id, domain_id, identity, nth, reporter, contact, report_id, begin_at, end_at, policy,
		about, success, failure, partial, received_at, received_ip)
	SELECT org_id, domain_id, $2::bytea, nth, ($1::text[])[:TEXT_ORG], ($1::text[])[:TEXT_EMAIL],
		($1::text[])[:TEXT_ID], from_ms($3::bigint), from_ms($4::bigint), policy, about, success, failure,
		$6::int::boolean, from_ms($5::bigint), ($1::text[])[:TEXT_IP]
	FROM heads h WHERE :room(tls_reports)
	ON CONFLICT (org_id, domain_id, identity, nth) DO NOTHING
	RETURNING org_id, id, nth
)
INSERT INTO tls_failures (org_id, report, nth, result, sessions, ip, ours, host, host_ip, reason)
SELECT p.org_id, p.id, row_number() OVER (PARTITION BY p.id ORDER BY f.nth), f.result, f.sessions, f.ip,
	coalesce(:from_us(f.ip), false), f.host, f.host_ip, f.reason
FROM unnest($12::int[], $13::text[], $14::bigint[], $15::inet[], $16::text[], $17::inet[], $18::text[])
	WITH ORDINALITY AS f(policy, result, sessions, ip, host, host_ip, reason, nth)
JOIN put p ON p.nth = f.policy;

-- name: dmarc_page
SELECT id, reporter, email, report_id, about, to_ms(begin_at), to_ms(end_at), policy, messages, ours, forwarded, strangers,
	partial, to_ms(received_at), received_ip
FROM dmarc_reports WHERE org_id = $1 AND domain_id = $2 AND id > $3 ORDER BY id LIMIT $4;

-- name: dmarc_find
SELECT id FROM dmarc_reports WHERE org_id = $1 AND domain_id = $2 AND id = $3;

-- name: dmarc_rows
SELECT nth, coalesce(host(ip), ''), n, whose, disposition, dkim, spf, header_from, envelope_from, reason, signers
FROM dmarc_rows WHERE org_id = $1 AND report = $2 AND nth > $3 AND ($4::int = 0 OR whose = $4::int)
ORDER BY nth LIMIT $5;

-- name: tls_page
-- The failures with the most sessions, a bounded number of them.
SELECT t.id, t.reporter, t.contact, t.report_id, t.about, to_ms(t.begin_at), to_ms(t.end_at), t.policy, t.success,
	t.failure, t.partial, to_ms(t.received_at), t.received_ip, coalesce((
		SELECT json_agg(json_build_object('result', f.result, 'sessions', f.sessions, 'ip', coalesce(host(f.ip), ''),
			'ours', f.ours, 'host', f.host, 'host_ip', coalesce(host(f.host_ip), ''), 'reason', f.reason))
		FROM (SELECT * FROM tls_failures f WHERE f.org_id = $1 AND f.report = t.id
			ORDER BY f.sessions DESC, f.nth LIMIT $5) f), '[]')::text
FROM tls_reports t WHERE t.org_id = $1 AND t.domain_id = $2 AND t.id > $3 ORDER BY t.id LIMIT $4;
