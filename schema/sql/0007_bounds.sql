-- What one tenant may make others carry: a contact's fields travel whole with every chunk of a campaign, five
-- thousand contacts at a time, so a contact has 32 KiB of them at most.  The size is that of the value as it is
-- written, before it is compressed.
ALTER TABLE contacts ADD CONSTRAINT contacts_fields_bounded CHECK (pg_column_size(fields) <= 32768);
