-- What recipients do: unsubscribe.

-- name: recipient
SELECT r.contact_id, c.email FROM campaign_recipients r
LEFT JOIN contacts c ON c.org_id = r.org_id AND c.id = r.contact_id
WHERE r.org_id = $1 AND r.campaign_id = $2 AND r.seq = $3;

-- name: unsubscribe
INSERT INTO unsubscribes (org_id, campaign_id, seq, one_click)
VALUES ($1, $2, $3, $4::int::boolean)
ON CONFLICT DO NOTHING;

-- name: contact_leaves
UPDATE contacts SET status = :CONTACT_UNSUBSCRIBED, updated_at = now(), version = version + 1
WHERE org_id = $1 AND id = $2 AND status = :CONTACT_SUBSCRIBED;
