-- Campaigns that a test key has sent: no engine gets them (control/campaigns/trial.c).
ALTER TABLE campaigns ADD COLUMN test boolean NOT NULL DEFAULT false;
CREATE INDEX campaigns_trial ON campaigns (started_at) WHERE test;
