/* mta/smtp/options.h - options of client sessions: port, TLS, how long each step may take. */
#pragma once
#include "base/settings.h"
#include "mta/smtp/session.h"

struct smtp_options {
	int64_t port;
	char *tls;
	struct smtp_timeouts timeouts;
	enum tls_policy policy; /* from tls */
};
extern const struct option_set smtp_option_set;
