/* control/campaigns/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* campaigns.status */
enum campaign_status {
	CAMPAIGN_DRAFT = 1,
	CAMPAIGN_SCHEDULED = 2,
	CAMPAIGN_SENDING = 3,
	CAMPAIGN_PAUSED = 4,
	CAMPAIGN_CANCELLED = 5,
};
/* campaigns.unfit: why it went back to draft when it was due */
enum campaign_unfit {
	UNFIT_NO = 0,
	UNFIT_SENDER = 1,   /* the sender has no verified domain */
	UNFIT_TEMPLATE = 2, /* there is none, or it does not compile */
	UNFIT_EXPIRED = 3,
	UNFIT_EMPTY = 4,     /* nobody is in its audience */
	UNFIT_HELD = 5,      /* all of its audience are unsubscribed or suppressed */
	UNFIT_SUSPENDED = 6, /* the organisation may not send */
	UNFIT_DOMAIN = 7,    /* the sender's domain has been degraded for too long */
};
/* campaigns.paused_by */
enum campaign_pause {
	PAUSED_BY_MEMBER = 0, /* or it is not paused */
	PAUSED_BY_DOMAIN = 1, /* the sender's domain has been degraded for too long */
	PAUSED_BY_LOSS = 2,   /* the database was restored to before what the engine still tells */
	PAUSED_BY_ENGINE = 3, /* the engine has other mail under its ids */
};
/* campaign_recipients.state, messages.state; campaign_counts has the sums of the stored ones */
enum ledger_state {
	LEDGER_WAITING = 1,
	LEDGER_QUEUED = 2, /* never stored: a waiting recipient whose piece the engine has */
	LEDGER_DEFERRED = 3,
	LEDGER_DELIVERED = 4, /* this and what follows is terminal */
	LEDGER_BOUNCED = 5,
	LEDGER_EXPIRED = 6,
	LEDGER_SUPPRESSED = 7,
	LEDGER_CANCELLED = 8,
	LEDGER_STATES = 9,
};
/* campaign_recipients.reason */
enum ledger_reason {
	REASON_NONE = 0,
	REASON_AT_START = 1,   /* suppressed when the audience was frozen */
	REASON_AT_SENDING = 2, /* suppressed later, before RCPT */
	REASON_CONTACT_GONE = 3,
	REASON_CAMPAIGN = 4,        /* the campaign was cancelled */
	REASON_NO_MAILBOX = 5,      /* the remote server knows no such recipient */
	REASON_POLICY = 6,          /* any other refusal */
	REASON_ENGINE_LOST = 7,     /* the engine that had it is gone, and engine.lost is "end" */
	REASON_CONTACT_CHANGED = 8, /* wants no mail any more, or has another address */
	REASON_SIMULATED = 9,       /* a test key sent it: nothing was sent */
};
/* campaign_recipients.later: what came back as mail, beside the state; bits */
enum ledger_later {
	LATER_RETURNED = 1,
	LATER_HARD = 2, /* returned, and the address is at fault for good */
	LATER_COMPLAINT = 4,
	LATER_UNSUBSCRIBED = 8,
	LATER_AUTO_REPLY = 16,
	LATER_DELAYED = 32,
	LATER_OTHER = 64,
};
/* campaign_chunks.state */
enum ledger_piece_state {
	PIECE_CUT = 1, /* never stored: a piece is in doubt as soon as it is cut */
	PIECE_IN_DOUBT = 2,
	PIECE_ACCEPTED = 3,
};
/* How long mail of a campaign without an expires_at is tried, from its start and without the time
 * that it is paused: five days.  0015_paused_time.sql says the same. */
enum { CAMPAIGN_LIFE_MS = 432000000 };
