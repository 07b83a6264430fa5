/* tests/unit/control/zone.h - DNS as a text, one record a line: "name TYPE data".  Data "!" is a
 * server that fails.  For unit tests and fuzzers of control/domains. */
#pragma once
#include "control/domains/inquiry.h"

struct zone {
	struct slice text; /* outlives the answers */
	unsigned asked;
};
/* For struct inquiry_door; arg is a zone. */
int zone_ask(void *arg, struct slice name, enum dns_type type, struct dns_answer **ret);
