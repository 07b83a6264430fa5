/* mta/smtp/options.h - options of client sessions: port, TLS, how long each step may take. */
#pragma once
#include "base/settings.h"
#include "mta/smtp/session.h"

struct smtp_options {
	int64_t port;
	char *tls;
	struct smtp_timeouts timeouts;
	char *ignore_list;
	enum tls_policy policy; /* from tls */
	unsigned ignore;        /* from ignore_list: EHLO_ bits (ehlo.h) */
};
extern const struct option_set smtp_option_set;
