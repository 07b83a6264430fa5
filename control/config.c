/* control/config.c - one row an option; control.conf(5) and the sample are held to it by a test. */
#include "control/config.h"

#define AT(member) offsetof(struct config, member)
#define SEC(n) ((int64_t)(n)*1000)
#define MIN(n) SEC((n)*60)
#define DAY(n) SEC((n)*86400LL)
#define MIB(n) ((int64_t)(n) << 20)

/* clang-format off */
const struct option config_options[] = {
	{"database.conninfo", T_STR, AT(db_conninfo), 0, 0, "dbname=postern", false,
	 "Where PostgreSQL is, in libpq's words, without user: host=, port=, dbname=, sslmode=, passfile="},
	{"database.bootstrap_user", T_STR, AT(db_bootstrap_user), 0, 63, "postgres", false,
	 "Superuser that --bootstrap connects as, once, to make the roles"},
	{"database.owner_user", T_STR, AT(db_owner_user), 0, 63, "cp_owner", false,
	 "Role that owns the tables and runs --migrate"},
	{"database.api_user", T_STR, AT(db_api_user), 0, 63, "cp_api", false,
	 "Role that answers requests, under row-level security"},
	{"database.ingest_user", T_STR, AT(db_ingest_user), 0, 63, "cp_ingest", false,
	 "Role of the background workers"},
	{"database.statement_timeout", T_DURATION, AT(db_statement_timeout), SEC(1), MIN(60), "20s", false,
	 "Longest a statement of a request may run"},

	{"http.api.listen", T_STR, AT(api_listen), 0, 0, "127.0.0.1:8080", false,
	 "Address and port, or path of a Unix socket, of the API"},
	{"http.public.listen", T_STR, AT(public_listen), 0, 0, "127.0.0.1:8081", false,
	 "Address and port of what recipients reach: unsubscribe and tracking; empty for none"},
	{"http.admin.listen", T_STR, AT(admin_listen), 0, 0, "", false,
	 "Loopback address and port, or path of a Unix socket, of the platform's API; empty for none"},
	{"http.admin.token_file", T_STR, AT(admin_token_file), 0, 0, "", false,
	 "File with the bearer token of the platform's API; without it that API answers nobody"},
	{"http.trusted_proxies", T_LIST, AT(trusted_proxies), 0, 0, "", false,
	 "Networks of reverse proxies whose X-Forwarded-For is believed"},
	{"http.workers", T_INT, AT(http_workers), 1, 256, "4", false,
	 "Threads that answer requests, each with one database connection"},
	{"http.queue", T_INT, AT(http_queue), 1, 100000, "1024", false,
	 "Requests that may wait for a worker; more are answered 503"},
	{"http.connections", T_INT, AT(http_connections), 8, 100000, "1024", false,
	 "Connections open at a time, a listener"},
	{"http.timeout", T_DURATION, AT(http_timeout), SEC(1), MIN(10), "30s", false,
	 "A connection that is silent this long is closed"},
	{"http.upload_max", T_SIZE, AT(http_upload_max), MIB(1), MIB(65536), "1G", false,
	 "Largest file that may be imported"},
	{"http.cookie_secure", T_BOOL, AT(cookie_secure), 0, 0, "yes", false,
	 "Session cookies only over HTTPS, and tell browsers to stay there"},

	{"signup.allowed", T_BOOL, AT(signup), 0, 0, "no", false,
	 "Whether anybody may make an organisation at /v1/auth/signup; the platform's API always may"},
	{"signup.verification", T_STR, AT(signup_verification), 0, 16, "none", false,
	 "none: the first admin may log in at once; operator: after the platform's API says so"},
	{"auth.session_life", T_DURATION, AT(session_life), MIN(1), DAY(90), "14d", false,
	 "A session ends this long after the login"},
	{"auth.session_idle", T_DURATION, AT(session_idle), MIN(1), DAY(90), "2d", false,
	 "A session ends when it was not used this long"},
	{"auth.burst", T_INT, AT(auth_burst), 1, 1000000, "20", false,
	 "Logins and sign-ups one address may try at once"},
	{"auth.per_minute", T_INT, AT(auth_per_minute), 1, 1000000, "10", false,
	 "Logins and sign-ups one address may try a minute in the long run"},
	{"auth.password_memory", T_SIZE, AT(password_memory), MIB(8), MIB(1024), "64M", false,
	 "Memory that hashing one password takes (argon2id)"},

	{"secrets.key_file", T_STR, AT(secrets_file), 0, 0, "/etc/postern/control.key", false,
	 "Secrets of this instance; --make-secrets writes a new one"},
	{"data.dir", T_STR, AT(data_dir), 0, 0, "/var/lib/postern-control", false,
	 "Folder for uploads that wait to be imported"},

	{"dns.servers", T_LIST, AT(dns_servers), 0, 0, "", false,
	 "Resolvers asked when a domain is verified, address:port; empty takes /etc/resolv.conf"},
	{"dns.timeout", T_DURATION, AT(dns_timeout), 100, MIN(1), "5s", false,
	 "Longest one question may take when a domain is verified"},
	{"domains.spf", T_STR, AT(spf_include), 0, 450, "", false,
	 "What senders add to their SPF record, e.g. include:spf.example.net or ip4:203.0.113.7"},
	{"domains.return_path_host", T_STR, AT(return_path_host), 0, 253, "", false,
	 "Host that takes bounces: the MX of return-path names; empty for none"},
	{"domains.tracking_host", T_STR, AT(tracking_host), 0, 253, "", false,
	 "Host of the public listener: the CNAME target of tracking names; empty for none"},
	{"public.url", T_STR, AT(public_url), 0, 0, "http://127.0.0.1:8081", false,
	 "How recipients reach the public listener, without a final slash"},

	{"engine.socket", T_STR, AT(engine_socket), 0, 0, "/run/postern/link.sock", false,
	 "The engine's link"},
	{"engine.name", T_STR, AT(engine_name), 0, 64, "control", false,
	 "Name of this consumer of the engine's events"},
	{"engine.pool", T_STR, AT(pool), 0, 64, "", false,
	 "Egress pool that campaigns are sent from; empty is the engine's default"},
	{"log.level", T_STR, AT(log_level), 0, 8, "info", true, "error, warn, info or debug"},
};
/* clang-format on */
const size_t config_options_n = ARRAY_LEN(config_options);
