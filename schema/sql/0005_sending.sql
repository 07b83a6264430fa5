-- What feeding and intake need beside the ledger.

-- Recipients 1 .. sendable may be handed to the engine; those after them were suppressed when the
-- audience was frozen.
ALTER TABLE campaigns ADD COLUMN sendable bigint NOT NULL DEFAULT 0;

-- The ledger's states, summed.  Written in the transaction that writes the ledger, by differences.
-- Guarantee: the numbers of a campaign sum to its audience at every moment.
CREATE TABLE campaign_counts (
	org_id      int NOT NULL,
	campaign_id bigint NOT NULL,
	state       smallint NOT NULL,
	n           bigint NOT NULL,
	PRIMARY KEY (org_id, campaign_id, state),
	FOREIGN KEY (org_id, campaign_id) REFERENCES campaigns (org_id, id) ON DELETE CASCADE
) WITH (fillfactor = 50);
SELECT tenant_table('campaign_counts');
GRANT SELECT, UPDATE ON campaign_counts TO cp_ingest;

-- Moves recipients of one campaign and keeps the sums.  Guarantee: a terminal state is never left;
-- of several moves of one recipient the last counts.  Runs with the rights of its caller.
-- The whole key is joined, none of it compared with a parameter: so the only way in is the primary key,
-- once a move, even before the server has any statistics of a campaign that has just begun.
CREATE FUNCTION ledger_move(org int, campaign bigint, seqs bigint[], states smallint[],
	codes smallint[], attempts_made smallint[], reasons smallint[]) RETURNS bigint
LANGUAGE sql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
	WITH wanted AS MATERIALIZED (
		SELECT DISTINCT ON (seq) org AS org_id, campaign AS campaign_id, seq, state, code, attempts, reason
		FROM unnest(seqs, states, codes, attempts_made, reasons) WITH ORDINALITY
			AS u(seq, state, code, attempts, reason, nth)
		ORDER BY seq, nth DESC
	), old AS MATERIALIZED (
		SELECT w.*, r.state AS was FROM wanted w JOIN campaign_recipients r
			ON r.org_id = w.org_id AND r.campaign_id = w.campaign_id AND r.seq = w.seq
		WHERE r.state < 4
		ORDER BY w.seq FOR UPDATE OF r
	), moved AS (
		UPDATE campaign_recipients r
		SET state = old.state, code = old.code, attempts = greatest(r.attempts, old.attempts),
			reason = old.reason, changed_at = now()
		FROM old
		WHERE r.org_id = old.org_id AND r.campaign_id = old.campaign_id AND r.seq = old.seq
		RETURNING old.was, r.state AS became
	), difference AS (
		SELECT s.state, sum(s.d) AS d FROM moved,
			LATERAL (VALUES (was, -1), (became, 1)) AS s(state, d) GROUP BY s.state
	), summed AS (
		UPDATE campaign_counts c SET n = c.n + difference.d FROM difference
		WHERE c.org_id = org AND c.campaign_id = campaign AND c.state = difference.state
			AND difference.d <> 0
		RETURNING 1
	)
	SELECT count(*) FROM moved, (SELECT count(*) FROM summed) AS _;
$$;
REVOKE ALL ON FUNCTION ledger_move(int, bigint, bigint[], smallint[], smallint[], smallint[], smallint[])
	FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_move(int, bigint, bigint[], smallint[], smallint[], smallint[], smallint[])
	TO cp_api, cp_ingest;
