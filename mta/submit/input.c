/* Submission as a service of mta/smtpd, and as an input of the engine. */
#include "mta/smtpd/clients.h"
#include "mta/submit/lane.h"

static struct slice allow(void *state, const struct ip *peer)
{
	const struct submit_lane *on = state;

	if (submit_options_allow(&on->setup.own, peer))
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

static void safe(void *state, const struct smtpd_taken *t)
{
	const struct submit_lane *on = state;

	engine_job_added(on->engine, t->job);
}

static struct smtpd_clients clients = SMTPD_CLIENTS_INIT;
static const struct smtpd_service service = {
	.name = "submit",
	.clients = &clients,
	.connect = allow,
	.closed = closed,
	.rcpt = submit_message_rcpt,
	.begin = submit_message_begin,
	.message = submit_message_take,
	.safe = safe,
};

/* ---- the input --------------------------------------------------------------------------- */

static void read_setup(struct submit_lane *on)
{
	const struct submit_options *o = &on->setup.own;

	submit_setup_from(&on->setup, engine_config(on->engine));
	on->settings = (struct smtpd_settings){
		.hostname = on->setup.hostname,
		.tls_cert = o->tls_cert,
		.tls_key = o->tls_key,
		.max_size = o->max_size,
		.max_rcpts = o->max_rcpts,
		.max_sessions = o->max_sessions,
		.max_sessions_client = o->max_sessions_client,
		.timeout = o->timeout,
	};
}

static void submit_stop(void *state)
{
	struct submit_lane *on = state;

	submit_counters_part(on);
	on->server = smtpd_server_free(on->server);
	buf_free(&on->own_fields);
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
		.counters = &on->counters,
		.listen = on->setup.own.addresses,
	};
	int r;

	on->engine = lane_engine(lane);
	read_setup(on);
	o.n_listen = on->setup.own.n_addresses;
	submit_counters_join(on);
	r = smtpd_server_new(&on->server, &o);
	if (r < 0) {
		submit_stop(on);
		return r;
	}
	*ret_state = on;
	return 0;
}

/* SIGTERM: those who are in the middle of a message may finish it; the next MAIL is answered with
 * 421. */
static void submit_quiet(void *state)
{
	struct submit_lane *on = state;

	smtpd_server_quiet(on->server);
}

static void submit_reload(void *state)
{
	struct submit_lane *on = state;

	read_setup(on);
	smtpd_server_reload(on->server);
}

const struct input submit_input = {
	.name = "submission",
	.front = false,
	.start = submit_start,
	.quiet = submit_quiet,
	.stop = submit_stop,
	.reload = submit_reload,
};
