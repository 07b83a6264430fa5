/* mta/policy/fetch_curl.c - the real fetcher: libcurl's multi interface on one thread. */
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>

#include "mta/policy/fetch.h"

enum { QUIET_MS = 5000, URL_MAX = 1100, RESOLVE_MAX = 512 + 300 };

struct fetcher {
	pthread_t thread;
	pthread_mutex_t lock;
	CURLM *multi;
	struct list waiting; /* under the lock, as these two */
	unsigned n_waiting;
	bool stopping;
	struct list active; /* the thread's */
	unsigned n_active;
	bool quiet_due;
	char *ca_file;
	void (*quiet)(void *arg);
	void *arg;
};
struct transfer {
	CURL *easy;
	struct curl_slist *resolve, *headers;
	char error[CURL_ERROR_SIZE];
};

/* ---- one request ------------------------------------------------------------------------- */

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;

	/* Fewer than given ends the transfer. */
	return buf_append(&f->body, slice_of(p, size * n)) < 0 ? 0 : size * n;
}

/* "host:port:a,b": nothing is resolved again. */
static struct curl_slist *addresses(const struct fetch *f)
{
	char line[RESOLVE_MAX], ip[IP_TEXT_MAX];
	int n = snprintf(line, sizeof(line), "%.253s:%u:", f->host, f->port);

	for (unsigned i = 0; i < f->n_ips && n < (int)sizeof(line) - IP_TEXT_MAX - 2; i++) {
		ip_format(&f->ips[i], ip);
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%s", i ? "," : "", ip);
	}
	return curl_slist_append(NULL, line);
}

static CURLcode set_bounds(CURL *e, const struct fetcher *of)
{
	CURLcode r = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");

	r = r ? r : curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	r = r ? r : curl_easy_setopt(e, CURLOPT_MAXFILESIZE, (long)FETCH_BYTES_MAX);
	r = r ? r : curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)FETCH_MS_MAX);
	r = r ? r : curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS_MAX);
	r = r ? r : curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	r = r ? r : curl_easy_setopt(e, CURLOPT_PROXY, "");
	r = r ? r : curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	r = r ? r : curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	r = r ? r : curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	r = r ? r : curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	r = r ? r : curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	r = r ? r : curl_easy_setopt(e, CURLOPT_USERAGENT, "postern");
	if (!r && *of->ca_file) {
		r = curl_easy_setopt(e, CURLOPT_CAINFO, of->ca_file);
		r = r ? r : curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	}
	return r;
}

static CURLcode set_upload(struct transfer *t, const struct fetch *f)
{
	char line[128];
	CURLcode r;

	if (!f->upload.n)
		return CURLE_OK;
	(void)snprintf(line, sizeof(line), "Content-Type: %s", f->content_type);
	t->headers = curl_slist_append(NULL, line);
	r = curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	r = r ? r : curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)f->upload.n);
	return r ? r : curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, f->upload.p);
}

static CURLcode set_request(const struct fetcher *of, struct transfer *t, struct fetch *f)
{
	char url[URL_MAX];
	CURLcode r = set_bounds(t->easy, of);

	(void)snprintf(url, sizeof(url), "https://%s:%u%s", f->host, f->port, f->path);
	t->resolve = addresses(f);
	r = r ? r : curl_easy_setopt(t->easy, CURLOPT_URL, url);
	r = r ? r : curl_easy_setopt(t->easy, CURLOPT_RESOLVE, t->resolve);
	r = r ? r : curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take_body);
	r = r ? r : curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, f);
	r = r ? r : curl_easy_setopt(t->easy, CURLOPT_PRIVATE, f);
	r = r ? r : curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	return r ? r : set_upload(t, f);
}

static void transfer_free(struct transfer *t)
{
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->resolve);
	curl_slist_free_all(t->headers);
	free(t);
}

static void finish(struct fetch *f, enum fetch_fault fault, const char *reason)
{
	f->fault = fault;
	(void)slice_copy(f->reason, sizeof(f->reason), slice_str(reason));
	list_remove(&f->link);
	f->done(f); /* f may be gone now */
}

static void start(struct fetcher *of, struct fetch *f)
{
	struct transfer *t = must_alloc(sizeof(*t));

	t->easy = curl_easy_init();
	if (t->easy && f->n_ips && set_request(of, t, f) == CURLE_OK &&
	    curl_multi_add_handle(of->multi, t->easy) == CURLM_OK) {
		f->state = t;
		list_push(&of->active, &f->link);
		of->n_active++;
		return;
	}
	transfer_free(t);
	finish(f, FETCH_FAILED, "the request could not be made");
}

/* ---- the thread -------------------------------------------------------------------------- */

static bool is_text_plain(const char *type)
{
	struct slice s = slice_str(type ? type : ""), kind = slice_take(&s, ';');

	return slice_eq_nocase(slice_trim_set(kind, " \t"), SLICE("text/plain"));
}

static void answered(struct fetcher *of, const CURLMsg *m)
{
	CURLcode r = m->data.result;
	struct transfer *t;
	struct fetch *f;
	char reason[FETCH_FAULT_MAX];
	const char *type = NULL;
	long status = 0;

	(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
	(void)curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(m->easy_handle, CURLINFO_CONTENT_TYPE, &type);
	t = f->state;
	f->status = (unsigned)status;
	f->is_text = is_text_plain(type);
	(void)slice_copy(reason, sizeof(reason),
			 slice_str(*t->error ? t->error : curl_easy_strerror(r)));
	(void)curl_multi_remove_handle(of->multi, t->easy);
	transfer_free(t);
	of->n_active--;
	of->quiet_due = true;
	finish(f,
	       r == CURLE_OK                         ? FETCH_OK
	       : r == CURLE_PEER_FAILED_VERIFICATION ? FETCH_CERTIFICATE
						     : FETCH_FAILED,
	       r == CURLE_OK ? "" : reason);
}

/* False: it is to end. */
static bool take_waiting(struct fetcher *of)
{
	struct list *l = NULL;
	bool stopping;

	do {
		pthread_mutex_lock(&of->lock);
		stopping = of->stopping;
		l = !stopping && of->n_active < FETCH_AT_ONCE ? list_pop(&of->waiting) : NULL;
		of->n_waiting -= l != NULL;
		pthread_mutex_unlock(&of->lock);
		if (l)
			start(of, container_of(l, struct fetch, link));
	} while (l);
	return !stopping;
}

static void drop_active(struct fetcher *of)
{
	struct list *l;

	while ((l = list_pop(&of->active)) != NULL) {
		struct transfer *t = container_of(l, struct fetch, link)->state;
		(void)curl_multi_remove_handle(of->multi, t->easy);
		transfer_free(t);
	}
}

static void *run(void *arg)
{
	struct fetcher *of = arg;
	int running, left;
	CURLMsg *m;

	while (take_waiting(of)) {
		(void)curl_multi_perform(of->multi, &running);
		while ((m = curl_multi_info_read(of->multi, &left)) != NULL)
			if (m->msg == CURLMSG_DONE)
				answered(of, m);
		if (of->quiet_due && !of->n_active) {
			of->quiet_due = false;
			of->quiet(of->arg);
		}
		(void)curl_multi_poll(of->multi, NULL, 0, QUIET_MS, NULL);
	}
	drop_active(of);
	return NULL;
}

int fetch_begin(struct fetcher *of, struct fetch *f)
{
	bool full;

	pthread_mutex_lock(&of->lock);
	full = of->stopping || of->n_waiting >= FETCH_WAITING_MAX;
	if (!full) {
		list_push(&of->waiting, &f->link);
		of->n_waiting++;
	}
	pthread_mutex_unlock(&of->lock);
	if (full)
		return E_FULL;
	(void)curl_multi_wakeup(of->multi);
	return 0;
}

int fetcher_new(struct fetcher **ret, const struct fetcher_options *o)
{
	struct fetcher *of;
	int r;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	of = must_alloc(sizeof(*of));
	pthread_mutex_init(&of->lock, NULL);
	list_init(&of->waiting);
	list_init(&of->active);
	of->ca_file = must_copy(slice_str(o->ca_file));
	of->quiet = o->quiet;
	of->arg = o->arg;
	of->multi = curl_multi_init();
	r = of->multi ? -pthread_create(&of->thread, NULL, run, of) : -ENOMEM;
	if (r < 0) {
		(void)curl_multi_cleanup(of->multi);
		free(of->ca_file);
		free(of);
		return r;
	}
	*ret = of;
	return 0;
}

struct fetcher *fetcher_free(struct fetcher *of)
{
	if (!of)
		return NULL;
	pthread_mutex_lock(&of->lock);
	of->stopping = true;
	pthread_mutex_unlock(&of->lock);
	(void)curl_multi_wakeup(of->multi);
	pthread_join(of->thread, NULL);
	(void)curl_multi_cleanup(of->multi);
	pthread_mutex_destroy(&of->lock);
	free(of->ca_file);
	free(of);
	return NULL;
}
