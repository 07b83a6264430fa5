/* mta/submit/part.c - submission as a service of mta/smtpd, and as a part of the engine. */
#include "mta/queue/queue.h"
#include "mta/smtpd/clients.h"
#include "mta/submit/auth.h"
#include "mta/submit/envelope.h"
#include "mta/submit/lane.h"
#include "mta/submit/sender.h"

static struct slice allow(void *state, const struct ip *peer)
{
	const struct submit_lane *on = state;

	if (net_list_has(&on->options->nets, peer) || credentials_any(on->credentials))
		return SMTPD_GO_ON;
	return SLICE("554 5.7.1 mail is not accepted from your address\r\n");
}

static struct slice closed(void *state)
{
	const struct submit_lane *on = state;

	if (engine_stopping(on->engine))
		return SLICE("421 4.3.2 shutting down\r\n");
	if (spool_failed(engine_spool(on->engine)))
		return SLICE("451 4.3.0 the disk has failed, try again later\r\n");
	return SMTPD_GO_ON;
}

static struct slice begin_mail(void *state, struct smtpd_session *s)
{
	struct slice refusal = submit_auth_may_send(state, s, false);

	return refusal.n ? refusal : submit_sender_mail(state, s);
}

static void safe(void *state, const struct smtpd_taken *t)
{
	const struct submit_lane *on = state;

	queue_job_added(on->engine, t->job);
}

static struct smtpd_clients clients = SMTPD_CLIENTS_INIT;
static const struct smtpd_service service = {
	.name = "submit",
	.clients = &clients,
	.own_size = sizeof(struct submit_session),
	.chunking = true,
	.keywords = submit_keywords,
	.n_keywords = SUBMIT_KEYWORDS,
	.params = submit_params,
	.n_params = SUBMIT_PARAMS,
	.path = submit_envelope_path,
	.connect = allow,
	.auth_offered = submit_auth_offered,
	.auth = submit_auth_judge,
	.ended = submit_auth_end,
	.closed = closed,
	.mail = begin_mail,
	.rcpt = submit_message_rcpt,
	.begin = submit_message_begin,
	.message = submit_message_take,
	.safe = safe,
};

/* ---- the part ---------------------------------------------------------------------------- */

static void read_options(struct submit_lane *on)
{
	const struct settings *all = engine_settings(on->engine);
	const struct submit_options *o = settings_of(all, &submit_option_set);

	on->options = o;
	on->host = host_options(all);
	on->settings = (struct smtpd_settings){
		.hostname = on->host->hostname,
		.tls_cert = o->tls_cert,
		.tls_key = o->tls_key,
		.max_size = o->max_size,
		.max_line = SUBMIT_LINE_MAX,
		.max_rcpts = o->max_rcpts,
		.max_sessions = o->max_sessions,
		.max_sessions_client = o->max_sessions_client,
		.timeout = o->timeout,
		.proxy_from = o->proxies.n ? &o->proxies : NULL,
	};
}

static void submit_stop(void *state)
{
	struct submit_lane *on = state;

	on->server = smtpd_server_free(on->server);
	buf_free(&on->own_fields);
	buf_free(&on->field_values);
	buf_free(&on->content_meta);
	buf_free(&on->job_meta);
	free(on);
}

static int submit_start(struct lane *lane, void **ret_state)
{
	struct submit_lane *on = must_alloc(sizeof(*on));
	struct smtpd_server_options o = {
		.lane = lane,
		.service = &service,
		.state = on,
		.settings = &on->settings,
		.counters = &on->counters.smtpd,
	};
	int r;

	on->lane = lane;
	on->engine = lane_engine(lane);
	on->senders = senders_of(on->engine);
	on->credentials = credentials_of(on->engine);
	on->tenancy = tenancy_of(on->engine);
	read_options(on);
	o.listen = on->options->listeners.at;
	o.n_listen = on->options->listeners.n;
	o.listen_tls = on->options->listeners_tls.at;
	o.n_listen_tls = on->options->listeners_tls.n;
	r = smtpd_server_new(&on->server, &o);
	if (r < 0) {
		submit_stop(on);
		return r;
	}
	*ret_state = on;
	return 0;
}

/* SIGTERM: a message that is being sent may be finished; the next MAIL is answered with 421. */
static void submit_quiet(void *state)
{
	struct submit_lane *on = state;

	smtpd_server_quiet(on->server);
}

static void submit_reload(void *state)
{
	struct submit_lane *on = state;

	read_options(on);
	smtpd_server_reload(on->server);
}

#define ROW(member, type, help)                                                                    \
	{                                                                                          \
		"submission_" #member, type, help, offsetof(struct submit_counters, smtpd.member)  \
	}
static const struct counter_row counter_rows[] = {
	ROW(sessions_open, GAUGE, "Submission sessions now"),
	ROW(sessions, COUNTER, "Submission sessions so far"),
	ROW(messages, COUNTER, "Messages taken by submission"),
	ROW(recipients, COUNTER, "Recipients taken by submission"),
	ROW(bytes, COUNTER, "Bytes of messages taken by submission"),
	ROW(refused, COUNTER, "Connections and messages refused"),
	ROW(tls, COUNTER, "Submission sessions that began TLS"),
	{ "submission_foreign", COUNTER,
	  "Senders refused because their domain is not known as theirs",
	  offsetof(struct submit_counters, foreign) },
	{ "submission_auth", COUNTER, "Names and passwords that were right",
	  offsetof(struct submit_counters, auth) },
	{ "submission_auth_failed", COUNTER, "Names and passwords that were wrong",
	  offsetof(struct submit_counters, auth_failed) },
	{ "submission_auth_slowed", COUNTER,
	  "Names and passwords that were not looked at, after too many wrong ones",
	  offsetof(struct submit_counters, auth_slowed) },
	{ "submission_auth_revoked", COUNTER,
	  "Messages refused because their session's name was taken away",
	  offsetof(struct submit_counters, auth_revoked) },
	{ "submission_over_limit", COUNTER, "Messages refused over the limit of their name",
	  offsetof(struct submit_counters, over_limit) },
	{ "submission_queue_full", COUNTER, "Messages refused because their tenant's queue is full",
	  offsetof(struct submit_counters, queue_full) },
	{ "submission_suppressed", COUNTER, "Recipients refused because they are suppressed",
	  offsetof(struct submit_counters, suppressed) },
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

const struct part submit_part = {
	.name = "submission",
	.start = submit_start,
	.reload = submit_reload,
	.quiet = submit_quiet,
	.stop = submit_stop,
	.counters = &counter_set,
	.counters_at = offsetof(struct submit_lane, counters),
};
