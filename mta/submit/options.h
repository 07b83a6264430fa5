/* mta/submit/options.h - the options of submission, and what is made of them.
 * Owns:   submit_option_set's struct belongs to the settings it was read into (base/settings.h).
 * Fails:  derive: E_SYNTAX, with what is expected.
 * Limits: SUBMIT_NETS_MAX networks, SUBMIT_LISTENERS_MAX listeners. */
#pragma once
#include "base/settings.h"
#include "mta/smtpd/smtpd.h"

enum { SUBMIT_NETS_MAX = 64, SUBMIT_LISTENERS_MAX = 16 };

struct submit_options {
	/* rows */
	char *listen, *networks; /* lists */
	int64_t max_size, max_rcpts, max_sessions, max_sessions_client, timeout;
	char *tls_cert, *tls_key;
	/* made from the rows */
	struct ip_net nets[SUBMIT_NETS_MAX];
	unsigned n_nets;
	struct smtpd_address addresses[SUBMIT_LISTENERS_MAX]; /* of `listen` */
	unsigned n_addresses;
};
extern const struct option_set submit_option_set;

/* May a client of this address submit? */
bool submit_options_allow(const struct submit_options *o, const struct ip *ip);

/* All that submission reads of the configuration: its own options, and rows of others. */
struct submit_setup {
	struct submit_options own;
	const char *hostname;
	int64_t expire_after;
	bool log_deliveries;
};
struct mta_config;
/* The one place that reads struct mta_config; *ret shares its texts, and is valid as long. */
void submit_setup_from(struct submit_setup *ret, const struct mta_config *c);
