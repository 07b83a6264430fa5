/* control/federation/fetch.c - requests to identity providers. */
#include "control/federation/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "control/federation/options.h"

/* ---- how many ------------------------------------------------------------------------------ */

enum { AT_ONCE_MAX = 64, WAIT_MS = 1000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static uint32_t under_way[AT_ONCE_MAX]; /* organisations */
static unsigned n_under_way, n_waiting;

static unsigned half_of(const struct app *app)
{
	unsigned half = (unsigned)federation_options(app)->fetches / 2;

	return half ? half : 1;
}

static bool fits(const struct app *app, uint32_t org)
{
	unsigned ours = 0;

	for (unsigned i = 0; i < n_under_way; i++)
		ours += under_way[i] == org;
	return ours < half_of(app) && n_under_way < federation_options(app)->fetches;
}

/* Few wait, and not for long: they keep workers, too. */
static bool wait_for_room(const struct app *app, uint32_t org)
{
	struct timespec until;
	int r = n_waiting < half_of(app) ? 0 : ETIMEDOUT;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_MS / 1000;
	n_waiting++;
	while (r == 0 && !fits(app, org))
		r = pthread_cond_timedwait(&ended, &lock, &until);
	n_waiting--;
	return r == 0;
}

static bool enter(const struct app *app, uint32_t org)
{
	bool in;

	pthread_mutex_lock(&lock);
	in = fits(app, org) || wait_for_room(app, org);
	if (in)
		under_way[n_under_way++] = org;
	pthread_mutex_unlock(&lock);
	return in;
}

static void leave(uint32_t org)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < n_under_way; i++)
		if (under_way[i] == org) {
			under_way[i] = under_way[--n_under_way];
			break;
		}
	pthread_cond_broadcast(&ended);
	pthread_mutex_unlock(&lock);
}

/* ---- where to ------------------------------------------------------------------------------ */

struct federation_transfer {
	const struct federation_options *options;
	struct federation_reply *reply;
	bool plain;        /* http */
	bool private_host; /* the operator named the host */
	bool refused;      /* an address was */
	bool too_long;
	char error[CURL_ERROR_SIZE];
};

static bool is_private_host(const struct federation_options *o, const char *url)
{
	OWNED_MEM char *host = NULL;
	CURLU *u = curl_url();
	struct slice e;
	bool listed = false;
	char *part = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &part, 0) == CURLUE_OK)
		host = must_copy(slice_str(part));
	curl_free(part);
	curl_url_cleanup(u);
	for (size_t pos = 0; host && option_list_next(o->private_hosts, &pos, &e);)
		listed |= slice_eq_nocase(e, slice_str(host));
	return listed;
}

static bool may_reach(const struct federation_transfer *t, const struct ip *ip)
{
	if (t->plain)
		return ip_is_loopback(ip);
	return t->private_host || !ip_is_special(ip);
}

/* libcurl has looked the name up, and connects to the address that it shows here. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose UNUSED, struct curl_sockaddr *a)
{
	struct federation_transfer *t = arg;
	struct ip ip = { 0 };
	uint16_t port;

	if (a->family == AF_INET || a->family == AF_INET6)
		ip_from_sockaddr(&a->addr, &ip, &port);
	if (!ip.family || !may_reach(t, &ip)) {
		t->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
	struct federation_transfer *t = arg;

	if (buf_append(&t->reply->body, slice_of(p, size * n)) >= 0)
		return size * n;
	t->too_long = true;
	return 0;
}

/* ---- one request --------------------------------------------------------------------------- */

static CURLcode set_bounds(CURL *e, const struct federation_transfer *t)
{
	CURLcode r = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, t->plain ? "http" : "https");

	r = r ? r : curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	r = r ? r : curl_easy_setopt(e, CURLOPT_MAXFILESIZE, (long)FEDERATION_BYTES_MAX);
	r = r ? r : curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)t->options->timeout);
	r = r ? r : curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	r = r ? r : curl_easy_setopt(e, CURLOPT_PROXY, "");
	r = r ? r : curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	r = r ? r : curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	r = r ? r : curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	r = r ? r : curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	r = r ? r : curl_easy_setopt(e, CURLOPT_USERAGENT, "postern");
	if (!r && *t->options->ca_file) {
		r = curl_easy_setopt(e, CURLOPT_CAINFO, t->options->ca_file);
		r = r ? r : curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	}
	return r;
}

static CURLcode set_request(CURL *e, struct federation_transfer *t,
			    const struct federation_request *q, const struct curl_slist *headers)
{
	CURLcode r = set_bounds(e, t);

	r = r ? r : curl_easy_setopt(e, CURLOPT_URL, q->url);
	r = r ? r : curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	r = r ? r : curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	r = r ? r : curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	r = r ? r : curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
	r = r ? r : curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	r = r ? r : curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
	if (!q->form.n)
		return r;
	r = r ? r : curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)q->form.n);
	return r ? r : curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->form.p);
}

static int judge(const struct federation_transfer *t, CURLcode r)
{
	const char *why = *t->error ? t->error : curl_easy_strerror(r);

	if (r == CURLE_OK)
		return 0;
	if (t->refused)
		why = "its host has a private address";
	slice_copy(t->reply->why, sizeof(t->reply->why), slice_str(why));
	return t->refused                                    ? E_DENIED
	       : t->too_long || r == CURLE_FILESIZE_EXCEEDED ? E_LIMIT
	       : r == CURLE_OPERATION_TIMEDOUT               ? E_TIMEOUT
							     : -EIO;
}

static int transfer(struct federation_transfer *t, const struct federation_request *q)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
	struct buf line = { 0 };
	CURL *e = curl_easy_init();
	CURLcode r = CURLE_FAILED_INIT;
	long status = 0;

	if (q->authorization) {
		buf_putf(&line, "Authorization: %s", q->authorization);
		headers = curl_slist_append(headers, buf_cstr(&line));
	}
	if (e)
		r = set_request(e, t, q, headers);
	if (e && r == CURLE_OK)
		r = curl_easy_perform(e);
	if (e)
		(void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
	t->reply->status = (unsigned)status;
	curl_easy_cleanup(e);
	curl_slist_free_all(headers);
	buf_free(&line);
	return judge(t, r);
}

int federation_fetch(const struct app *app, const struct federation_request *q,
		     struct federation_reply *ret)
{
	const struct federation_options *o = federation_options(app);
	struct federation_transfer t = { .options = o, .reply = ret };
	struct slice url = slice_str(q->url);
	int r;

	*ret = (struct federation_reply){ .body = { .max = FEDERATION_BYTES_MAX } };
	t.plain = !slice_strip(&url, SLICE("https://"));
	if (t.plain && (!o->http_loopback || !slice_strip(&url, SLICE("http://")))) {
		slice_copy(ret->why, sizeof(ret->why), SLICE("its URL is not https"));
		return E_DENIED;
	}
	t.private_host = !t.plain && is_private_host(o, q->url);
	if (!enter(app, q->org)) {
		slice_copy(ret->why, sizeof(ret->why), SLICE("too many requests are under way"));
		return E_FULL;
	}
	r = transfer(&t, q);
	leave(q->org);
	return r;
}

int federation_fetch_json(const struct app *app, const struct federation_request *q,
			  char why[FEDERATION_WHY_MAX], json_t **ret)
{
	struct federation_reply reply;
	int r = federation_fetch(app, q, &reply);
	struct slice body = buf_data(&reply.body);

	slice_copy(why, FEDERATION_WHY_MAX, slice_str(reply.why));
	if (r >= 0 && reply.status != 200) {
		(void)snprintf(why, FEDERATION_WHY_MAX, "it answered %u", reply.status);
		r = -EIO;
	}
	if (r >= 0) {
		*ret = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(*ret)) {
			json_decref(*ret);
			*ret = NULL;
			slice_copy(why, FEDERATION_WHY_MAX, SLICE("it answered no JSON object"));
			r = -EIO;
		}
	}
	if (reply.body.p)
		explicit_bzero(reply.body.p, reply.body.cap);
	buf_free(&reply.body);
	return r;
}
