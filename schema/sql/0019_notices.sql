-- What the service did by itself: the rows of the audit that its workers wrote.
CREATE INDEX audit_notices ON audit (org_id, id) WHERE request_id = 'worker';
