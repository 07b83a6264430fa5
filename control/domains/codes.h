/* control/domains/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* domains.status */
enum sender_domain_status {
	DOMAIN_PENDING = 1,
	DOMAIN_VERIFIED = 2,
	DOMAIN_DEGRADED = 3,
};
/* domains.dmarc_policy */
enum sender_dmarc_policy {
	DMARC_NONE = 1,
	DMARC_QUARANTINE = 2,
	DMARC_REJECT = 3,
};
/* dkim_keys.type */
enum sender_key_type {
	KEY_RSA = 1,
	KEY_ED25519 = 2,
};
/* dkim_keys.status */
enum sender_key_status {
	KEY_WAITING = 1,
	KEY_SIGNING = 2,
	KEY_RETIRED = 3,
};
/* domain_records.state */
enum sender_record_state {
	RECORD_UNCHECKED = 1,
	RECORD_OK = 2,
	RECORD_MISSING = 3,
	RECORD_WRONG = 4,
	RECORD_NO_ANSWER = 5,
};
