-- Keys that need a client certificate: named by its SHA-256, or by its subject (RFC 4514).
ALTER TABLE api_keys
	ADD COLUMN cert_sha256 bytea CHECK (length(cert_sha256) = 32),
	ADD COLUMN cert_subject text CHECK (length(cert_subject) BETWEEN 1 AND 399),
	ADD CHECK (cert_sha256 IS NULL OR cert_subject IS NULL);
