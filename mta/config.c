#include "mta/config.h"

#include <stdio.h>

#include "base/file.h"
#include "mta/config_derive.h"

#define AT(member) offsetof(struct mta_config, member)
#define T(member) AT(timeouts.member)
#define YEAR (366 * 24 * 3600 * 1000LL)
enum { KIB = 1024, MIB = 1024 * 1024, GIB = 1024 * 1024 * 1024 };
enum { SEC = 1000, MINUTE = 60 * 1000, HOUR = 3600 * 1000, DAYS = 24 * 3600 * 1000 };

/* clang-format off: a table */
static const struct option table[] = {
	{ "hostname", T_STR, AT(hostname), 0, 253, "", false,
	  "Name of this host, used in EHLO, Received and Message-ID; default: the system's." },
	{ "user", T_STR, AT(user), 0, 32, "postern", false,
	  "User to become when started as root; empty stays root." },
	{ "log.level", T_STR, AT(log_level), 0, 8, "info", true, "error, warn, info or debug." },
	{ "log.deliveries", T_BOOL, AT(log_deliveries), 0, 0, "no", true,
	  "Write a line for every delivered recipient, not only for failures." },
	{ "lanes", T_INT, AT(lanes), 0, 64, "0", false,
	  "Threads that deliver; 0: one a processor." },
	{ "files.max", T_INT, AT(files_max), 64, 4194304, "65536", false,
	  "Descriptor limit asked of the system." },
	{ "stop.grace", T_DURATION, AT(stop_grace), 0, 300 * SEC, "5s", true,
	  "How long transactions in flight may go on after SIGTERM." },

	{ "spool.dir", T_STR, AT(spool_dir), 1, 1024, "/var/spool/postern", false,
	  "Folder of the log." },
	{ "spool.segment", T_SIZE, AT(spool_segment), MIB, GIB, "64M", false,
	  "Size of a segment file." },
	{ "spool.reserve", T_SIZE, AT(spool_reserve), 0, INT64_MAX, "256M", false,
	  "Below this much free space new mail is refused." },
	{ "spool.lazy_commit", T_DURATION, AT(spool_lazy_commit), 0, 10 * SEC, "20ms", false,
	  "Longest wait of an outcome for a sync of its own." },
	{ "spool.clean_ratio", T_INT, AT(spool_clean_ratio), 110, 10000, "300", false,
	  "Compact when the log is larger than this many percent of what is live." },

	{ "listen.submission", T_LIST, AT(submission_listen), 0, 0, "", false,
	  "Addresses that take mail by SMTP, such as 127.0.0.1:587." },
	{ "submission.networks", T_LIST, AT(submission_networks), 0, 0, "127.0.0.0/8, ::1", true,
	  "Clients that may submit." },
	{ "submission.max_size", T_SIZE, AT(submission_max_size), KIB, 64 * MIB, "25M", true,
	  "Largest message taken." },
	{ "submission.max_rcpts", T_INT, AT(submission_max_rcpts), 1, 1000, "1000", true,
	  "Recipients a message." },
	{ "submission.max_sessions", T_INT, AT(submission_max_sessions), 1, 100000, "2000", true,
	  "Sessions at a time, over all lanes." },
	{ "submission.max_sessions_client", T_INT, AT(submission_max_sessions_client), 1, 100000,
	  "500", true, "Sessions at a time of one address." },
	{ "submission.timeout", T_DURATION, AT(submission_timeout), SEC, HOUR, "5m", true,
	  "Longest wait for a client's command (RFC 5321 section 4.5.3.2.7)." },
	{ "tls.cert", T_STR, AT(tls_cert), 0, 1024, "", true,
	  "PEM chain for STARTTLS on the submission listener; empty: not offered." },
	{ "tls.key", T_STR, AT(tls_key), 0, 1024, "", true,
	  "PEM private key that belongs to tls.cert." },

	{ "link.socket", T_STR, AT(link_socket), 0, 107, "", false,
	  "Unix socket for the control plane; empty: none." },
	{ "link.group", T_STR, AT(link_group), 0, 32, "", false,
	  "Group whose members may use the link, besides root and our own user." },
	{ "link.buffer", T_SIZE, AT(link_buffer), MIB, GIB, "64M", true,
	  "Bytes of one link client that may wait for a sync." },
	{ "admin.socket", T_STR, AT(admin_socket), 0, 107, "/run/postern/admin.sock", false,
	  "Unix socket for the postern command; empty: none." },
	{ "keys.dir", T_STR, AT(keys_dir), 0, 1024, "/var/lib/postern/keys", false,
	  "Folder of DKIM keys: <domain>/<selector>.pem." },

	{ "dns.servers", T_LIST, AT(dns_servers), 0, 0, "", false,
	  "Resolvers, such as 127.0.0.1:53; default: those in /etc/resolv.conf." },
	{ "dns.timeout", T_DURATION, AT(dns_timeout), 100, MINUTE, "3s", false,
	  "Wait for one answer." },
	{ "dns.tries", T_INT, AT(dns_tries), 1, 32, "4", false,
	  "Tries of a question over all servers." },
	{ "dns.cache", T_INT, AT(dns_cache), 16, 16777216, "65536", false,
	  "Answers kept, a lane." },
	{ "dns.pending", T_INT, AT(dns_pending), 1, 16384, "512", false,
	  "Questions on the way at a time, a lane." },
	{ "dns.ipv4", T_BOOL, AT(dns_ipv4), 0, 0, "yes", true, "Deliver over IPv4." },
	{ "dns.ipv6", T_BOOL, AT(dns_ipv6), 0, 0, "yes", true, "Deliver over IPv6." },
	{ "route.allow", T_LIST, AT(route_allow), 0, 0, "", true,
	  "Networks among the special ones (loopback, private ...) that are true mail hosts "
	  "here." },
	{ "route.own_names", T_LIST, AT(route_own_names), 0, 0, "", true,
	  "Names under which MX records may point at us, besides hostname." },
	{ "route.own_ips", T_LIST, AT(route_own_ips), 0, 0, "", true,
	  "Addresses under which MX records may point at us." },

	{ "egress.sources", T_LIST, AT(egress_sources), 0, 0, "", true,
	  "Source addresses, each \"pool address ehlo-name\"; the pool \"default\" serves jobs "
	  "without one." },
	{ "source.connections", T_INT, AT(source_connections), 1, 1000000, "20000", true,
	  "Connections at a time from one source address." },
	{ "smtp.port", T_INT, AT(smtp_port), 1, 65535, "25", true,
	  "Port of the hosts we deliver to." },
	{ "smtp.tls", T_STR, AT(smtp_tls), 0, 8, "may", true,
	  "never, may (when the host offers STARTTLS) or must." },
	{ "smtp.timeout.connect", T_DURATION, T(connect), 100, HOUR, "1m", true, "Connecting." },
	{ "smtp.timeout.greeting", T_DURATION, T(greeting), 100, HOUR, "5m", true,
	  "Waiting for the greeting (RFC 5321 section 4.5.3.2.1)." },
	{ "smtp.timeout.ehlo", T_DURATION, T(ehlo), 100, HOUR, "5m", true,
	  "Waiting for the EHLO reply." },
	{ "smtp.timeout.starttls", T_DURATION, T(starttls), 100, HOUR, "2m", true,
	  "STARTTLS reply and handshake." },
	{ "smtp.timeout.mail", T_DURATION, T(mail), 100, HOUR, "5m", true,
	  "MAIL (RFC 5321 section 4.5.3.2.2)." },
	{ "smtp.timeout.rcpt", T_DURATION, T(rcpt), 100, HOUR, "5m", true,
	  "RCPT (section 4.5.3.2.3)." },
	{ "smtp.timeout.data", T_DURATION, T(data), 100, HOUR, "2m", true,
	  "DATA (section 4.5.3.2.4)." },
	{ "smtp.timeout.block", T_DURATION, T(block), 100, HOUR, "3m", true,
	  "A block of the message being taken (section 4.5.3.2.5)." },
	{ "smtp.timeout.dot", T_DURATION, T(dot), 100, HOUR, "10m", true,
	  "The answer after the final dot (section 4.5.3.2.6)." },
	{ "smtp.timeout.rset", T_DURATION, T(rset), 100, HOUR, "20s", true, "RSET." },
	{ "smtp.timeout.quit", T_DURATION, T(quit), 100, HOUR, "2s", true, "QUIT." },
	{ "transactional.share", T_INT, AT(transactional_share), 1, 99, "90", true,
	  "Percent of the turns at a site that transactional mail may have while bulk mail "
	  "waits." },
	{ "tenant.weight", T_LIST, AT(tenant_weight), 0, 0, "", true,
	  "Shares of tenants at a site, each \"tenant weight\"; 1 for who is not named." },
	{ "site.connections", T_INT, AT(site_connections), 1, 100000, "20", true,
	  "Connections at a time to one site (the set of MX hosts of a domain), over all lanes." },
	{ "site.connections_start", T_INT, AT(site_start), 1, 100000, "2", true,
	  "Connections with which a site begins; success raises them to site.connections." },
	{ "site.connections_kept", T_INT, AT(site_connections_kept), 0, 1000, "1", true,
	  "Connections of site.connections that never carry bulk mail, at most a quarter." },
	{ "site.messages", T_INT, AT(site_messages_per_connection), 1, 1000000, "100", true,
	  "Messages a connection." },
	{ "site.rate", T_INT, AT(site_rate), 0, 1000000, "0", true,
	  "Messages a second to one site; 0: no limit." },
	{ "site.idle", T_DURATION, AT(site_idle), 0, 5 * MINUTE, "5s", true,
	  "How long a connection without work is kept." },
	{ "site.backoff_min", T_DURATION, AT(site_backoff_min), 10, DAYS, "30s", true,
	  "First pause of a site none of whose hosts can be reached; doubles up to "
	  "site.backoff_max." },
	{ "site.backoff_max", T_DURATION, AT(site_backoff_max), 10, DAYS, "30m", true,
	  "Longest pause of a site." },
	{ "host.bad", T_DURATION, AT(host_bad), 10, DAYS, "5m", true,
	  "How long an address that failed is passed over." },

	{ "retry.schedule", T_LIST, AT(retry_schedule), 0, 0, "5m, 10m, 20m, 30m, 1h, 2h, 4h", true,
	  "Delays between tries; the last one repeats." },
	{ "retry.jitter", T_INT, AT(retry_jitter), 0, 90, "20", true,
	  "Percent by which a delay varies either way." },
	{ "expire.after", T_DURATION, AT(expire_after), MINUTE, YEAR, "5d", true,
	  "Lifetime of submitted mail; jobs of the link bring their own." },
	{ "bounce.messages", T_BOOL, AT(bounce_messages), 0, 0, "yes", true,
	  "Tell the sender of submitted mail about failures (RFC 3464)." },

	{ "cache.jobs", T_SIZE, AT(cache_chunks), MIB, GIB, "64M", true,
	  "Decoded recipients kept, a lane." },
	{ "cache.contents", T_SIZE, AT(cache_contents), MIB, GIB, "64M", true,
	  "Messages kept, a lane." },
	{ "lane.sessions", T_INT, AT(lane_sessions), 1, 100000, "5000", true,
	  "Delivery sessions at a time, a lane." },
};
/* clang-format on */

const struct option *config_table(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(table);
	return table;
}

struct mta_config *mta_config_free(struct mta_config *c)
{
	if (!c)
		return NULL;
	options_free(table, ARRAY_LEN(table), c);
	for (unsigned i = 0; i < c->n_names; i++)
		free(c->names[i]);
	free(c);
	return NULL;
}

int config_parse(struct mta_config **ret, struct slice text, const char *name_for_errors,
		 char *error)
{
	OWNED(mta_config) c = must_alloc(sizeof(*c));
	int r;

	r = options_parse(table, ARRAY_LEN(table), c, text, name_for_errors, error);
	if (r < 0)
		return r;
	r = config_derive(c, name_for_errors, error);
	if (r < 0)
		return r;
	*ret = TAKE(c);
	return 0;
}

int config_read(struct mta_config **ret, const char *path, char *error)
{
	struct buf text;
	int r = 0;

	buf_init(&text, 0);
	if (path)
		r = file_read(path, MIB, &text);
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%s: %s", path, err_text(r));
	else
		r = config_parse(ret, buf_data(&text), path ? path : "default", error);
	buf_free(&text);
	return r;
}

const char *config_needs_restart(const struct mta_config *a, const struct mta_config *b)
{
	const char *found = NULL;
	struct buf x, y;

	buf_init(&x, 0);
	buf_init(&y, 0);
	for (size_t i = 0; i < ARRAY_LEN(table) && !found; i++) {
		if (table[i].reload)
			continue;
		buf_clear(&x);
		buf_clear(&y);
		options_show(&table[i], a, &x);
		options_show(&table[i], b, &y);
		if (!slice_eq(buf_data(&x), buf_data(&y)))
			found = table[i].name;
	}
	buf_free(&x);
	buf_free(&y);
	return found;
}

uint16_t config_tenant_weight(const struct mta_config *c, uint64_t tenant)
{
	unsigned low = 0, high = c->n_weights;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (c->weights[middle].tenant < tenant)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->n_weights && c->weights[low].tenant == tenant ? c->weights[low].weight : 1;
}

int64_t config_retry_ms(const struct mta_config *c, unsigned attempts)
{
	unsigned i = attempts ? attempts - 1 : 0;

	return c->retries[MIN_OF(i, c->n_retries - 1)];
}
