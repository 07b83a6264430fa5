-- Who answers side by side: a lock of each process, held by its connection.

-- part: share_lock
l.locktype = 'advisory' AND l.classid = hashtext('postern limits')::oid
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: share_hold
-- Once for each connection.
-- role: cp_ingest
SELECT pg_try_advisory_lock_shared(hashtext('postern limits'), 0)
WHERE NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_backend_pid() AND :share_lock);

-- name: share_count
-- role: cp_ingest
SELECT count(DISTINCT l.pid) FROM pg_locks l WHERE :share_lock;
