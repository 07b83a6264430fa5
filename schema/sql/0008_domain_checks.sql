-- What decided about a record of a sending domain: the term of SPF, the tag of DMARC, or the fault.
ALTER TABLE domain_records ADD COLUMN why text NOT NULL DEFAULT '';
