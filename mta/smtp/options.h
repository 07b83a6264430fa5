/* mta/smtp/options.h - options of client sessions: port, TLS, how long each step may take. */
#pragma once
#include "base/settings.h"
#include "mta/smtp/session.h"
#include "mta/smtp/tls_word.h"

struct smtp_options {
	int64_t port;
	char *tls;
	struct smtp_timeouts timeouts;
	char *ignore_list;
	char *ca_file;
	enum tls_word policy; /* from tls */
	bool old_word;        /* tls is "must" */
	unsigned ignore;      /* from ignore_list: EHLO_ bits (ehlo.h) */
};
extern const struct option_set smtp_option_set;
/* What is allowed but hardly meant. */
void smtp_options_check(const struct smtp_options *o, void (*warn)(void *arg, const char *text),
			void *arg);
