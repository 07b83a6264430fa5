/* control/http/server.c - sockets, libmicrohttpd's threads, and the workers' queue. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/http/options.h"
#include "control/http/private.h"

enum {
	HEADERS_MAX = 16 * 1024,
	BACKLOG = 511,
	WORKER_STACK = 2 << 20,
	LEAVING_MAX = 256,
	SWEEP_MS = 250,
	DESCRIPTORS_OURS = 512,
	FILES_TURNS = 8, /* how often we look whether files of TLS changed */
};

static int bind_unix(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	slice_copy(sa.sun_path, sizeof(sa.sun_path), slice_str(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)unlink(path);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 && chmod(path, 0660) == 0)
		return fd;
	r = -errno;
	(void)close(fd);
	return r;
}

static int bind_ip(const char *text)
{
	struct sockaddr_storage sa;
	struct ip ip;
	uint16_t port;
	int one = 1, fd, r;

	r = ip_port_parse(slice_str(text), &ip, &port);
	if (r < 0)
		return r;
	socklen_t n = ip_sockaddr(&ip, port, &sa);
	fd = socket(ip.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&sa, n) < 0) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

static void name_address(struct http_listener *l, const char *text)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	char ip_text[IP_TEXT_MAX];
	struct ip ip;
	uint16_t port;

	slice_copy(l->address, sizeof(l->address), slice_str(text));
	if (text[0] == '/' || getsockname(l->fd, (struct sockaddr *)&sa, &n) < 0)
		return;
	ip_from_sockaddr((struct sockaddr *)&sa, &ip, &port);
	(void)snprintf(l->address, sizeof(l->address), ip.family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		       ip_format(&ip, ip_text), port);
}

static int listener_open(struct http_listener *l, const char *text)
{
	int fd = text[0] == '/' ? bind_unix(text) : bind_ip(text);

	if (fd < 0)
		return fd;
	l->fd = fd;
	if (listen(fd, BACKLOG) < 0)
		return -errno;
	name_address(l, text);
	return 0;
}

__attribute__((format(printf, 2, 0))) static void log_unheard(void *arg, const char *format,
							      va_list ap)
{
	char line[256];

	(void)arg;
	(void)vsnprintf(line, sizeof(line), format, ap);
	log_debug("http.library", kv_str("text", line));
}

/* Paths and queries stay as they came: percent.h decodes them, once. */
static size_t leave_escapes(void *cls UNUSED, struct MHD_Connection *conn UNUSED, char *text)
{
	return strlen(text);
}

bool http_is_proxy(const struct http_options *o, const struct ip *ip)
{
	for (unsigned i = 0; i < o->n_proxies; i++)
		if (ip_net_has(&o->proxies[i], ip))
			return true;
	return false;
}

static struct http_guest *greet(struct http_listener *l, struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *at =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	int fd = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	struct ip ip = { 0 };
	uint16_t port;
	bool shared;

	if (at && at->client_addr && at->client_addr->sa_family != AF_UNIX)
		ip_from_sockaddr(at->client_addr, &ip, &port);
	shared = http_is_proxy(http_options(l->server->app), &ip);
	return http_guests_enter(l->guests, fd, &ip, shared, clock_mono_ms());
}

/* The library closes the descriptor after its guest has left. */
static void door(void *cls, struct MHD_Connection *conn, void **guest,
		 enum MHD_ConnectionNotificationCode what)
{
	struct http_listener *l = cls;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*guest = greet(l, conn);
		http_tls_greet(l->server->tls, conn);
		return;
	}
	http_guest_leave(*guest);
	*guest = NULL;
}

static int listener_start(struct http_listener *l, const struct http_options *o)
{
	const struct http_guest_rules rules = { .most = (unsigned)o->connections,
						.most_per_address = (unsigned)o->per_address,
						.head_ms = o->head_timeout,
						.kept_ms = o->timeout,
						.body_ms = o->body_timeout,
						.rate = o->body_rate };

	/* A Unix socket has permissions instead. */
	bool tls = l->address[0] != '/' && (http_tls_options(l->server->app)->on & l->kind);
	struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };

	l->guests = http_guests_new(&rules);
	/* Its own limit has room for those who are still on their way out. */
	l->daemon = MHD_start_daemon(
	    MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0U),
	    0, NULL, NULL, request_access, l, MHD_OPTION_EXTERNAL_LOGGER, log_unheard, NULL,
	    MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_LISTEN_SOCKET, l->fd,
	    MHD_OPTION_NOTIFY_COMPLETED, request_completed, l, MHD_OPTION_NOTIFY_CONNECTION, door,
	    l, MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->connections + LEAVING_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(o->timeout / 1000),
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(HEADERS_MAX + 48 * 1024),
	    MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)HEADERS_MAX,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls ? http_tls_daemon_options : none,
	    MHD_OPTION_END);
	return l->daemon ? 0 : -ENOSYS;
}

/* ---- the sweeper ------------------------------------------------------------------------- */

static void sweep_listeners(struct http_server *s)
{
	for (unsigned i = 0; i < ARRAY_LEN(s->listeners); i++) {
		struct http_guests *g = s->listeners[i].guests;
		struct http_guest_counts counts;

		if (!g || !http_guests_sweep(g, clock_mono_ms()))
			continue;
		counts = http_guests_counts(g);
		log_debug("http.late", kv_str("listener", s->listeners[i].address),
			  kv_int("here", (int64_t)counts.here),
			  kv_int("late", (int64_t)counts.late));
	}
}

static void *sweeper(void *arg)
{
	struct http_server *s = arg;
	unsigned turns = 0;

	(void)pthread_mutex_lock(&s->lock);
	while (!s->ending) {
		struct timespec until;

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += SWEEP_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		(void)pthread_cond_clockwait(&s->sweep, &s->lock, CLOCK_MONOTONIC, &until);
		(void)pthread_mutex_unlock(&s->lock);
		sweep_listeners(s);
		if (++turns % FILES_TURNS == 0)
			http_tls_reload(s->tls, true);
		(void)pthread_mutex_lock(&s->lock);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Every connection needs a descriptor; the soft limit is often 1024. */
static void raise_descriptors(const struct http_options *o, unsigned listeners)
{
	rlim_t need = (rlim_t)(o->connections + LEAVING_MAX) * listeners + DESCRIPTORS_OURS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= need)
		return;
	limit.rlim_cur = MIN_OF(need, limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < need)
		log_warn("http.descriptors", kv_int("needed", (int64_t)need),
			 kv_int("limit", (int64_t)limit.rlim_cur));
}

int request_submit(struct call_request *q)
{
	struct http_server *s = q->server;
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	if (s->ending || s->queued >= (unsigned)http_options(s->app)->queue) {
		r = E_FULL;
	} else {
		/* Suspend it before a worker can see it, because that may resume it at once. */
		http_guest_stage(q->guest, GUEST_BUSY, 0, clock_mono_ms());
		MHD_suspend_connection(q->conn);
		list_push(&s->queue, &q->link);
		s->queued++;
		(void)pthread_cond_signal(&s->wake);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

void request_resume(struct call_request *q)
{
	MHD_resume_connection(q->conn);
}

static struct call_request *next_request(struct http_server *s)
{
	struct call_request *q = NULL;

	(void)pthread_mutex_lock(&s->lock);
	while (list_empty(&s->queue) && !s->ending)
		(void)pthread_cond_wait(&s->wake, &s->lock);
	q = list_first(&s->queue, struct call_request, link);
	if (q) {
		list_remove(&q->link);
		s->queued--;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return q;
}

static void *worker(void *arg)
{
	struct http_server *s = arg;
	OWNED(db) db = app_db(s->app, APP_API);
	struct call_request *q;

	while ((q = next_request(s))) {
		if (q->state == REQ_GATE)
			call_gate(q, db);
		else
			call_run(q, db);
		request_resume(q);
	}
	return NULL;
}

static int start_workers(struct http_server *s)
{
	pthread_attr_t attr;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, WORKER_STACK);
	while (s->n_workers < (unsigned)http_options(s->app)->workers) {
		int err = pthread_create(&s->workers[s->n_workers], &attr, worker, s);
		if (err) {
			(void)pthread_attr_destroy(&attr);
			return -err;
		}
		s->n_workers++;
	}
	(void)pthread_attr_destroy(&attr);
	return 0;
}

int http_server_start(struct http_server **ret, struct app *app, const struct http_gate *gate,
		      char *error)
{
	struct http_server *s = must_alloc(sizeof(*s));
	const struct http_options *o = http_options(app);
	const char *const where[] = { o->api_listen, o->public_listen, o->admin_listen };
	int r;

	s->app = app;
	s->gate = gate;
	list_init(&s->queue);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->wake, NULL);
	(void)pthread_cond_init(&s->sweep, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(where); i++)
		s->listeners[i] = (struct http_listener){ .server = s, .kind = 1U << i, .fd = -1 };
	raise_descriptors(o, ARRAY_LEN(where));
	r = http_contract_load(s, error);
	if (r >= 0 && http_tls_options(app)->on)
		r = http_tls_open(&s->tls, http_tls_options(app), error);
	if (r >= 0)
		r = start_workers(s);
	for (unsigned i = 0; i < ARRAY_LEN(where) && r >= 0; i++) {
		if (!where[i] || !where[i][0])
			continue;
		r = listener_open(&s->listeners[i], where[i]);
		if (r >= 0)
			r = listener_start(&s->listeners[i], o);
		if (r < 0)
			(void)snprintf(error, OPTION_ERROR_MAX, "cannot listen on %s: %s", where[i],
				       err_text(r));
	}
	if (r >= 0) {
		r = -pthread_create(&s->sweeper, NULL, sweeper, s);
		s->sweeps = r == 0;
	}
	if (r < 0) {
		(void)http_server_stop(s);
		return r;
	}
	*ret = s;
	return 0;
}

static void listener_close(struct http_listener *l)
{
	if (l->daemon)
		MHD_stop_daemon(l->daemon);
	l->guests = http_guests_free(l->guests);
	if (l->fd >= 0)
		(void)close(l->fd); /* ours again since the daemon was quiesced */
	if (l->address[0] == '/')
		(void)unlink(l->address);
}

struct http_server *http_server_stop(struct http_server *s)
{
	if (!s)
		return NULL;
	for (unsigned i = 0; i < ARRAY_LEN(s->listeners); i++)
		if (s->listeners[i].daemon)
			(void)MHD_quiesce_daemon(s->listeners[i].daemon);
	/* Workers answer what is queued and then end, so nothing is suspended any more. */
	(void)pthread_mutex_lock(&s->lock);
	s->ending = true;
	(void)pthread_cond_broadcast(&s->wake);
	(void)pthread_cond_broadcast(&s->sweep);
	(void)pthread_mutex_unlock(&s->lock);
	if (s->sweeps)
		(void)pthread_join(s->sweeper, NULL);
	for (unsigned i = 0; i < s->n_workers; i++)
		(void)pthread_join(s->workers[i], NULL);
	for (unsigned i = 0; i < ARRAY_LEN(s->listeners); i++)
		listener_close(&s->listeners[i]);
	s->tls = http_tls_close(s->tls);
	(void)pthread_cond_destroy(&s->sweep);
	(void)pthread_cond_destroy(&s->wake);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->contract);
	free(s);
	return NULL;
}

void http_server_reload(struct http_server *s)
{
	http_tls_reload(s->tls, false);
}

const char *http_server_address(const struct http_server *s, unsigned listener, char *buf)
{
	for (unsigned i = 0; i < ARRAY_LEN(s->listeners); i++)
		if (s->listeners[i].kind == listener) {
			slice_copy(buf, 128, slice_str(s->listeners[i].address));
			return buf;
		}
	return "";
}
