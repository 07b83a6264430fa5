-- Events of the engine, kept as they came.  A tenant who is no organisation is the operator's own
-- (submission.tenants, submission.credentials): nothing of it is kept, so that no later organisation finds it.

-- name: diagnostics
-- The texts of bad news, once each; of those who were erased none.
-- role: cp_ingest
INSERT INTO diagnostics (org_id, hash, text)
SELECT DISTINCT ON (u.org_id, u.text) u.org_id, :text_hash(u.text), u.text
FROM unnest($1::int[], $2::text[], $3::text[]) AS u(org_id, text, rcpt) JOIN orgs USING (org_id)
WHERE u.text <> '' AND NOT (:erased)
ON CONFLICT DO NOTHING;

-- part: erased
u.rcpt <> '' AND erased_is(u.org_id, u.rcpt)

-- part: text_hash(text)
substring(sha256(convert_to(:text, 'UTF8')) for 16)

-- name: insert
-- role: cp_ingest
INSERT INTO events (at, org_id, engine, lsn, kind, campaign_id, seq, attempt, code, dsn, flags,
	next_at, rcpt_domain, host, ip, source, rcpt_row, rcpt, diagnostic_id)
SELECT from_ms(u.at), u.org_id, $19::smallint, u.lsn, u.kind, u.campaign, u.seq, u.attempt, u.code,
	u.dsn, u.flags, from_ms(u.next), u.domain, u.host, u.ip, u.source, u.rcpt_row,
	CASE WHEN :erased THEN erased_mark(u.rcpt) ELSE u.rcpt END, d.id
FROM unnest($1::bigint[], $2::int[], $3::numeric[], $4::smallint[], $5::bigint[], $6::bigint[],
	$7::smallint[], $8::smallint[], $9::text[], $10::int[], $11::bigint[], $12::text[],
	$13::text[], $14::text[], $15::text[], $16::text[], $17::int[], $18::text[])
	AS u(at, org_id, lsn, kind, campaign, seq, attempt, code, dsn, flags, next, domain, host, ip,
	source, text, rcpt_row, rcpt)
JOIN orgs o ON o.org_id = u.org_id
LEFT JOIN diagnostics d ON u.text <> '' AND d.org_id = u.org_id AND d.hash = :text_hash(u.text);

-- name: stats
-- role: cp_ingest
INSERT INTO stats AS s (org_id, bucket, campaign_id, kind, n)
SELECT u.org_id, date_trunc('minute', from_ms(u.at)), u.campaign, u.kind, count(*)
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::smallint[])
	AS u(org_id, at, campaign, kind) JOIN orgs o ON o.org_id = u.org_id GROUP BY 1, 2, 3, 4
ON CONFLICT (org_id, bucket, campaign_id, kind) DO UPDATE SET n = s.n + excluded.n;

-- name: reasons
-- role: cp_ingest
INSERT INTO reasons AS r (org_id, campaign_id, kind, code, dsn, diagnostic_id, n)
SELECT u.org_id, u.campaign, u.kind, u.code, u.dsn, coalesce(d.id, 0), count(*)
FROM unnest($1::int[], $2::bigint[], $3::smallint[], $4::smallint[], $5::text[], $6::text[])
	AS u(org_id, campaign, kind, code, dsn, text)
JOIN orgs o ON o.org_id = u.org_id
LEFT JOIN diagnostics d ON u.text <> '' AND d.org_id = u.org_id AND d.hash = :text_hash(u.text)
WHERE u.campaign <> 0 AND u.kind IN (:LINK_BOUNCED, :LINK_EXPIRED, :LINK_DEFERRED)
GROUP BY 1, 2, 3, 4, 5, 6
ON CONFLICT (org_id, campaign_id, kind, code, dsn, diagnostic_id) DO UPDATE SET n = r.n + excluded.n;
