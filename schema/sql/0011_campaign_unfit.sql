-- Why a scheduled campaign went back to draft when it was due.
ALTER TABLE campaigns
	ADD COLUMN unfit smallint NOT NULL DEFAULT 0;        -- 0 it did not, 1 sender, 2 template, 3 expired,
	                                                     -- 4 empty audience, 5 nobody to send to
