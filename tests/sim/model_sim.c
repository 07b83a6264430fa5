/* tests/sim/model_sim.c - the script word "model": a session whose answers a model gives. */
#include "tests/sim/model_sim.h"

#include "base/clock.h"
#include "tests/sim/conn_sim_int.h"

static struct {
	char name[32];
	struct model *model;
} models[32];
static unsigned n_models;

void model_sim_add(const char *name, struct model *m)
{
	assert(n_models < ARRAY_LEN(models));
	slice_copy(models[n_models].name, sizeof(models[0].name), slice_str(name));
	models[n_models++].model = m;
}

struct model *model_sim_find(struct slice name)
{
	for (unsigned i = 0; i < n_models; i++)
		if (slice_eq(name, slice_str(models[i].name)))
			return models[i].model;
	return NULL;
}

void model_sim_forget(void)
{
	n_models = 0;
}

int sim_model_connects(struct sim_peer *p)
{
	struct slice name = buf_data(&p->host->lines[0].text);
	struct model_answer a;

	p->model = model_sim_find(name);
	assert(p->model);
	p->caller.source = conn_local_ip(p->conn);
	a = p->model->answer(p->model, MODEL_CONNECT, &p->caller);
	return a.close ? -1 : a.delay_ms < 0 ? 0 : 1;
}

void sim_model_ends(struct sim_peer *p)
{
	if (p->model && p->caller.inside)
		(void)p->model->answer(p->model, MODEL_CLOSED, &p->caller);
	p->model = NULL;
}

/* Asks once, waits, says it.  False: not yet. */
static bool reply(struct sim_peer *p, enum model_step step, const char *usual, bool *ret_good)
{
	const char *text;

	if (!p->asked) {
		p->answer = p->model->answer(p->model, step, &p->caller);
		p->asked = true;
		if (p->answer.delay_ms > 0) {
			p->wake_ms = clock_mono_ms() + p->answer.delay_ms;
			return false;
		}
	}
	p->asked = false;
	text = p->answer.text ? p->answer.text : usual;
	buf_put(&p->outbox, slice_str(text));
	buf_put(&p->outbox, SLICE("\r\n"));
	p->fin = p->fin || p->answer.close;
	*ret_good = *text < '4';
	return true;
}

static unsigned number_of(struct slice s)
{
	unsigned n = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		n = (n ^ (unsigned char)s.p[i]) * 16777619u;
	return n >> 3;
}

static void say(struct sim_peer *p, const char *text)
{
	buf_put(&p->outbox, slice_str(text));
	buf_put(&p->outbox, SLICE("\r\n"));
}

static bool command(struct sim_peer *p)
{
	struct slice line = buf_data(&p->command);

	if (slice_strip(&line, SLICE("MAIL"))) {
		p->rcpt_good = false;
		return reply(p, MODEL_MAIL, "250 2.1.0 ok", &p->mail_good);
	}
	if (slice_strip(&line, SLICE("RCPT"))) {
		if (!p->mail_good) {
			say(p, "503 5.5.1 MAIL first");
			return true;
		}
		p->caller.rcpt = number_of(line);
		return reply(p, MODEL_RCPT, "250 2.1.5 ok", &p->rcpt_good);
	}
	if (slice_strip(&line, SLICE("EHLO"))) {
		say(p, "250-mx.test\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES");
	} else if (slice_strip(&line, SLICE("DATA"))) {
		say(p, p->rcpt_good ? "354 go on" : "503 5.5.1 RCPT first");
		p->in_body = p->rcpt_good;
	} else if (slice_strip(&line, SLICE("QUIT"))) {
		say(p, "221 2.0.0 bye");
		p->fin = true;
	} else {
		say(p, "250 2.0.0 ok");
	}
	return true;
}

bool sim_model_run(struct sim_peer *p, const struct sim_line *l)
{
	bool unused;

	(void)l;
	if (!p->greeted && !reply(p, MODEL_GREET, "220 mx.test", &unused))
		return false;
	p->greeted = true;
	while (!p->fin) {
		if (p->in_body && !p->body_here && !sim_take_body(p))
			return false;
		p->body_here = p->in_body;
		if (p->in_body) {
			if (!reply(p, MODEL_DOT, "250 2.0.0 taken", &unused))
				return false;
			p->in_body = p->body_here = false;
			continue;
		}
		if (!p->has_command && !sim_take_line(p, &p->command))
			return false;
		p->has_command = true;
		if (!command(p))
			return false;
		p->has_command = false;
	}
	return false;
}
