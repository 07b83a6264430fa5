-- What recipients do: unsubscribe.

-- name: recipient
-- The address of a ticket that has none.
SELECT c.email FROM campaign_recipients r
LEFT JOIN contacts c ON c.org_id = r.org_id AND c.id = r.contact_id
WHERE r.org_id = $1 AND r.campaign_id = $2 AND r.seq = $3;

-- name: unsubscribe
-- Does the ledger have this recipient?  If not, there is no campaign that it counts for.
WITH known AS (
	SELECT org_id, campaign_id, seq FROM campaign_recipients
	WHERE org_id = $1 AND campaign_id = $2 AND seq = $3
), added AS (
	INSERT INTO unsubscribes (org_id, campaign_id, seq, one_click, at)
	SELECT org_id, campaign_id, seq, $4::int::boolean, from_ms($5) FROM known
	ON CONFLICT DO NOTHING
)
SELECT EXISTS (SELECT FROM known);

-- name: contact_leaves
UPDATE contacts SET status = :CONTACT_UNSUBSCRIBED, updated_at = now(), version = version + 1
WHERE org_id = $1 AND email_norm = $2 AND status IN (:CONTACT_SUBSCRIBED, :CONTACT_BOUNCED);
