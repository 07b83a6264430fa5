/* mta/reports/part.c - mail that comes back: a service of mta/smtpd, and a part of the engine. */
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "mta/config/host.h"
#include "mta/reports/options.h"
#include "mta/reports/rate.h"
#include "mta/reports/reading.h"
#include "mta/reports/reports.h"
#include "mta/returnpath/returnpath.h"
#include "mta/smtpd/clients.h"
#include "mta/smtpd/smtpd.h"
#include "mta/submit/options.h"
#include "spool/late.h"

struct reports_counters {
	struct smtpd_counters smtpd;
	counter strangers, hurried;
};
struct reports_lane {
	struct engine *engine;
	struct returnpath *returnpath;
	struct smtpd_server *server;
	const struct reports_options *options;
	const struct returnpath_options *returns;
	struct smtpd_settings settings;
	struct reports_counters counters;
	struct rate rate;
	struct buf envelope;
};

static struct slice closed(void *state)
{
	const struct reports_lane *on = state;

	if (engine_stopping(on->engine))
		return SLICE("421 4.3.2 shutting down\r\n");
	if (spool_failed(engine_spool(on->engine)))
		return SLICE("451 4.3.0 the disk has failed, try again later\r\n");
	return SMTPD_GO_ON;
}

/* Any sender may, also the null one: who it claims to be is never used. */
static struct slice mail(void *state, struct smtpd_session *s)
{
	struct reports_lane *on = state;
	int64_t share = on->options->rate / engine_lanes(on->engine);

	if (rate_take(&on->rate, smtpd_session_peer(s), on->options->rate ? MAX_OF(share, 1) : 0,
		      clock_mono_ms()))
		return SMTPD_GO_ON;
	count_add(&on->counters.hurried, 1);
	return SLICE("451 4.7.1 too much mail from your address, try again later\r\n");
}

/* What is wrong with an address is not told: who guesses learns nothing. */
static struct slice rcpt(void *state, struct smtpd_session *s, const struct mailbox *to)
{
	struct reports_lane *on = state;
	struct buf *rcpts = &smtpd_session_mail(s)->rcpts;
	struct slice local = mailbox_local(to), host = mailbox_domain(to);
	struct verp token;
	bool known = returnpath_read(on->returnpath, local, host, &token) == 0;

	if (!known)
		known = reports_is_mailbox(on->options, local, mailbox_text(to)) &&
			(returnpath_has_host(on->returns, host) ||
			 reports_is_mailbox(on->options, slice_of("", 0), mailbox_text(to)));
	if (!known) {
		count_add(&on->counters.strangers, 1);
		return SLICE("550 5.1.1 no such recipient here\r\n");
	}
	if (buf_append(rcpts, mailbox_text(to)) < 0 || buf_append(rcpts, slice_of("", 1)) < 0)
		return SLICE("452 4.3.1 no memory for more recipients, send again to the rest\r\n");
	return SMTPD_GO_ON;
}

static int begin(void *state UNUSED, struct smtpd_session *s)
{
	smtpd_session_mail(s)->id = (struct id128){ 0, random_u64() };
	return 0;
}

static void put_text(struct buf *out, struct slice s)
{
	buf_put(out, s);
	buf_put(out, slice_of("", 1));
}

static struct slice message(void *state, struct smtpd_session *s, struct smtpd_taken *ret)
{
	struct reports_lane *on = state;
	struct smtpd_mail *m = smtpd_session_mail(s);
	char ip[IP_TEXT_MAX];
	int r;

	buf_clear(&on->envelope);
	put_text(&on->envelope, slice_str(ip_format(smtpd_session_peer(s), ip)));
	put_text(&on->envelope, slice_of(m->from.text, m->from.n));
	buf_put(&on->envelope, buf_data(&m->rcpts));
	const struct late_mail in = { m->id, clock_wall_ms(), buf_data(&on->envelope),
				      buf_data(&m->message) };
	r = spool_put_late_mail(engine_spool(on->engine), &in, &ret->lsn);
	if (r == 0)
		return SMTPD_GO_ON;
	if (r == E_LIMIT)
		return SLICE("552 5.3.4 the message is too big\r\n");
	if (r == E_FULL)
		return SLICE("452 4.3.1 the disk is full, try again later\r\n");
	return SLICE("451 4.3.0 the message cannot be kept now, try again later\r\n");
}

static void safe(void *state, const struct smtpd_taken *t UNUSED)
{
	const struct reports_lane *on = state;

	reading_more(on->engine);
}

static struct smtpd_clients clients = SMTPD_CLIENTS_INIT;
static const struct smtpd_service service = {
	.name = "reports",
	.clients = &clients,
	.closed = closed,
	.mail = mail,
	.rcpt = rcpt,
	.begin = begin,
	.message = message,
	.safe = safe,
};

/* ---- the part ---------------------------------------------------------------------------- */

static void read_options(struct reports_lane *on)
{
	const struct settings *all = engine_settings(on->engine);
	const struct submit_options *submit = settings_of(all, &submit_option_set);
	const struct reports_options *o = settings_of(all, &reports_option_set);

	on->options = o;
	on->returns = settings_of(all, &returnpath_option_set);
	on->settings = (struct smtpd_settings){
		.hostname = host_options(all)->hostname,
		.tls_cert = submit->tls_cert,
		.tls_key = submit->tls_key,
		.max_size = o->max_size,
		.max_rcpts = o->max_rcpts,
		.max_sessions = o->max_sessions,
		.max_sessions_client = o->max_sessions_client,
		.timeout = o->timeout,
	};
}

static void reports_stop(void *state)
{
	struct reports_lane *on = state;

	on->server = smtpd_server_free(on->server);
	buf_free(&on->envelope);
	free(on);
}

static int reports_start(struct lane *lane, void **ret_state)
{
	struct reports_lane *on = must_alloc(sizeof(*on));
	struct smtpd_server_options o = {
		.lane = lane,
		.service = &service,
		.state = on,
		.settings = &on->settings,
		.counters = &on->counters.smtpd,
	};
	int r;

	on->engine = lane_engine(lane);
	on->returnpath = returnpath_of(on->engine);
	read_options(on);
	o.listen = on->options->listeners.at;
	o.n_listen = on->options->listeners.n;
	r = smtpd_server_new(&on->server, &o);
	if (r < 0) {
		reports_stop(on);
		return r;
	}
	*ret_state = on;
	return 0;
}

static void reports_quiet(void *state)
{
	smtpd_server_quiet(((struct reports_lane *)state)->server);
}

static void reports_reload(void *state)
{
	struct reports_lane *on = state;

	read_options(on);
	smtpd_server_reload(on->server);
}

#define ROW(member, type, help)                                                                    \
	{                                                                                          \
		"reports_" #member, type, help, offsetof(struct reports_counters, smtpd.member)    \
	}
static const struct counter_row counter_rows[] = {
	ROW(sessions_open, GAUGE, "Sessions now that bring mail back"),
	ROW(sessions, COUNTER, "Sessions so far that brought mail back"),
	ROW(messages, COUNTER, "Mails that came back"),
	ROW(recipients, COUNTER, "Recipients of mail that came back"),
	ROW(bytes, COUNTER, "Bytes of mail that came back"),
	ROW(refused, COUNTER, "Connections and mails refused that came back"),
	ROW(tls, COUNTER, "Sessions with TLS that brought mail back"),
	{ "reports_strangers", COUNTER, "Recipients refused that were neither ours nor a mailbox",
	  offsetof(struct reports_counters, strangers) },
	{ "reports_hurried", COUNTER, "Mails put off because their peer sent too many",
	  offsetof(struct reports_counters, hurried) },
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

const struct part reports_part = {
	.name = "reports",
	.start = reports_start,
	.reload = reports_reload,
	.quiet = reports_quiet,
	.stop = reports_stop,
	.counters = &counter_set,
	.counters_at = offsetof(struct reports_lane, counters),
};
