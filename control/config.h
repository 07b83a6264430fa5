/* control/config.h - the control plane's options: control.conf(5). */
#pragma once
#include "base/options.h"

struct config {
	/* database */
	char *db_conninfo, *db_bootstrap_user, *db_owner_user, *db_api_user, *db_ingest_user;
	int64_t db_statement_timeout;
	/* HTTP */
	char *api_listen, *public_listen, *admin_listen, *admin_token_file;
	char *trusted_proxies;
	int64_t http_workers, http_queue, http_connections, http_timeout, http_upload_max;
	bool cookie_secure;
	/* accounts */
	bool signup;
	char *signup_verification;
	int64_t session_life, session_idle, auth_burst, auth_per_minute, password_memory;
	/* files */
	char *secrets_file, *data_dir;
	/* sending domains */
	char *dns_servers, *spf_include, *return_path_host, *tracking_host, *public_url, *pool;
	int64_t dns_timeout;
	/* engine */
	char *engine_socket, *engine_name;
	char *log_level;
};

extern const struct option config_options[];
extern const size_t config_options_n;
