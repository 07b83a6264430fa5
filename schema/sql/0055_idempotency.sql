-- Answers kept for Idempotency-Key: the response is sealed under the key with this number (NULL: in clear, of a release
-- before this one), for it may show a secret.  Logged, because a server that crashes empties a table that is not, and
-- then a repeated request would act again.
ALTER TABLE idempotency ADD COLUMN seal integer;
ALTER TABLE idempotency SET LOGGED;
