/* mta/config.h - the engine's options: one table, one struct, read once and never changed; a reload
 * makes a new struct and the old one stays for those who still look at it.
 *
 * Owns:   config_read() gives the caller the config; mta_config_free() ends it.
 * Blocks: on the file.  Fails: E_SYNTAX with file, line and what is expected in the caller's text.
 * Limits: see the table in config.c; docs/man/mta.conf.5 explains every row. */
#pragma once
#include "base/address.h"
#include "base/log.h"
#include "base/options.h"
#include "mta/smtp/session.h"

enum {
	CONFIG_SOURCES_MAX = 256,
	CONFIG_NETS_MAX = 64,
	CONFIG_RETRIES_MAX = 64,
	CONFIG_LISTENERS_MAX = 16,
	CONFIG_DNS_MAX = 8,
	CONFIG_WEIGHTS_MAX = 1024,
};

struct egress_source {
	const char *pool, *ehlo;
	struct ip ip; /* family 0: whatever the system picks */
	char ip_text[IP_TEXT_MAX];
};
struct tenant_weight {
	uint64_t tenant;
	uint16_t weight;
};
struct net_list {
	struct ip_net nets[CONFIG_NETS_MAX];
	unsigned n;
};
struct listener {
	struct ip ip;
	uint16_t port;
};

struct mta_config {
	/* rows of the table */
	char *user, *hostname;
	char *log_level;
	bool log_deliveries;
	int64_t lanes, files_max;
	int64_t stop_grace;
	char *spool_dir;
	int64_t spool_segment, spool_reserve, spool_lazy_commit, spool_clean_ratio;
	char *submission_listen;   /* list */
	char *submission_networks; /* list */
	int64_t submission_max_size, submission_max_rcpts, submission_max_sessions,
	    submission_max_sessions_client, submission_timeout;
	char *tls_cert, *tls_key;
	char *link_socket, *link_group, *admin_socket;
	int64_t link_buffer;
	char *keys_dir;
	char *dns_servers; /* list */
	int64_t dns_timeout, dns_tries, dns_cache, dns_pending;
	bool dns_ipv4, dns_ipv6;
	char *route_allow, *route_own_names, *route_own_ips; /* lists */
	char *egress_sources;                                /* list */
	int64_t smtp_port;
	char *smtp_tls;
	struct smtp_timeouts timeouts;
	int64_t transactional_share;
	char *tenant_weight; /* list */
	int64_t site_connections, site_connections_kept, site_messages_per_connection, site_rate,
	    site_idle, site_start, site_backoff_min, site_backoff_max, host_bad;
	int64_t source_connections;
	char *retry_schedule; /* list */
	int64_t retry_jitter, expire_after;
	int64_t cache_chunks, cache_contents, lane_sessions;
	bool bounce_messages;

	/* made from the rows by config_read */
	enum log_level level;
	enum tls_policy tls_policy;
	struct ip_net route_allow_nets[CONFIG_NETS_MAX];
	unsigned n_route_allow;
	const char *own_names[CONFIG_NETS_MAX];
	unsigned n_own_names;
	struct ip own_ips[CONFIG_NETS_MAX];
	unsigned n_own_ips;
	struct net_list submission_nets;
	struct listener submission[CONFIG_LISTENERS_MAX];
	unsigned n_submission;
	struct listener dns[CONFIG_DNS_MAX];
	unsigned n_dns;
	struct egress_source sources[CONFIG_SOURCES_MAX];
	unsigned n_sources;
	struct tenant_weight weights[CONFIG_WEIGHTS_MAX]; /* by tenant */
	unsigned n_weights;
	int64_t retries[CONFIG_RETRIES_MAX]; /* milliseconds after attempt 1, 2 ... */
	unsigned n_retries;
	char *names[CONFIG_SOURCES_MAX * 2 + CONFIG_NETS_MAX]; /* memory behind the texts above */
	unsigned n_names;
	struct mta_config *older; /* kept by the engine until it ends */
};
struct mta_config *mta_config_free(struct mta_config *c);
DEFINE_OWNED(mta_config)

/* error holds OPTION_ERROR_MAX bytes.  path NULL: the defaults alone. */
int config_read(struct mta_config **ret, const char *path, char *error) MUST_CHECK;
int config_parse(struct mta_config **ret, struct slice text, const char *name_for_errors,
		 char *error) MUST_CHECK;
/* The table, for those who show or document it. */
const struct option *config_table(size_t *ret_n);
/* First option that differs and only takes effect at a restart; NULL when there is none. */
const char *config_needs_restart(const struct mta_config *a, const struct mta_config *b);
uint16_t config_tenant_weight(const struct mta_config *c, uint64_t tenant); /* 1 unless given */
/* Delay before the next try after `attempts` tries, without jitter. */
int64_t config_retry_ms(const struct mta_config *c, unsigned attempts);
