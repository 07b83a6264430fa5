/* tests/sim/fetch_sim.c - HTTPS answered from a script. */
#include "tests/sim/fetch_sim.h"

enum { HOSTS = 32 };
static struct scripted {
	char host[256];
	enum fetch_fault fault;
	unsigned status;
	bool text;
	struct buf body;
} hosts[HOSTS];
static unsigned n_hosts, asked;
static struct buf upload;

struct fetcher {
	struct fetcher_options o;
};

void fetch_sim_forget(void)
{
	while (n_hosts)
		buf_free(&hosts[--n_hosts].body);
	buf_free(&upload);
	asked = 0;
}

static struct scripted *find(const char *host)
{
	for (unsigned i = 0; i < n_hosts; i++)
		if (strcmp(hosts[i].host, host) == 0)
			return &hosts[i];
	return NULL;
}

void fetch_sim_set(const char *host, enum fetch_fault fault, unsigned status, bool text,
		   const char *body)
{
	struct scripted *s = find(host);

	assert(s || n_hosts < HOSTS);
	if (!s)
		s = &hosts[n_hosts++];
	(void)slice_copy(s->host, sizeof(s->host), slice_str(host));
	s->fault = fault;
	s->status = status;
	s->text = text;
	buf_clear(&s->body);
	buf_put(&s->body, slice_str(body));
}

unsigned fetch_sim_asked(void)
{
	return asked;
}

struct slice fetch_sim_upload(void)
{
	return buf_data(&upload);
}

int fetcher_new(struct fetcher **ret, const struct fetcher_options *o)
{
	*ret = must_alloc(sizeof(**ret));
	(*ret)->o = *o;
	return 0;
}

struct fetcher *fetcher_free(struct fetcher *f)
{
	free(f);
	return NULL;
}

int fetch_begin(struct fetcher *of, struct fetch *f)
{
	const struct scripted *s = find(f->host);

	asked++;
	if (f->upload.n) {
		buf_clear(&upload);
		buf_put(&upload, f->upload);
	}
	f->fault = s ? s->fault : FETCH_FAILED;
	(void)slice_copy(f->reason, sizeof(f->reason),
			 slice_str(f->fault ? "the host does not answer" : ""));
	if (f->fault == FETCH_OK) {
		f->status = s->status;
		f->is_text = s->text;
		if (buf_append(&f->body, buf_data(&s->body)) < 0) {
			f->fault = FETCH_FAILED;
			(void)slice_copy(f->reason, sizeof(f->reason), SLICE("too large"));
		}
	}
	f->done(f);
	of->o.quiet(of->o.arg);
	return 0;
}
