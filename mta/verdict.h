/* mta/verdict.h - what the world answered about one recipient: data, never an error. */
#pragma once
#include "base/base.h"

enum verdict_kind { VERDICT_NONE, VERDICT_DELIVERED, VERDICT_DEFERRED, VERDICT_BOUNCED };
enum { VERDICT_TEXT_MAX = 512 };

struct verdict {
	enum verdict_kind kind;
	uint16_t code;           /* 0: no reply; ours or the connection's doing */
	uint16_t dsn[3];         /* RFC 3463; derived from the code when the reply had none */
	bool site;               /* says something about the host or site, not about this recipient
				  * (421, 4xx at the greeting, connection trouble) */
	uint16_t text_n;
	char text[VERDICT_TEXT_MAX];
};
