/* tests/sim/providers_sim.c - what each of the modelled providers answers, and why. */
#include "tests/sim/providers_sim.h"

#include "base/clock.h"

enum {
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	HOUR = 60 * MINUTE,
	SOURCES = 8,
	GREY_KEYS = 1 << 20,
	GREY_TRUST = 100
};
enum { WATCH_MS = 10 * MINUTE, BOX_MS = 15 * MINUTE, WARM_DAYS = 6 };
static const int64_t DAY = 24 * HOUR;

/* One of the sources, as the provider sees it. */
struct seen {
	struct ip ip;
	double tokens;
	int64_t tokens_ms, window_ms, boxed_until_ms, blocked_ms, blocked_until_ms, waits_until_ms;
	unsigned inside, refused, knocks; /* lately; while it is blocked */
	unsigned used, refused_today, warm;
	int64_t hour, day;
};
struct provider_sim {
	struct model model;
	enum provider_kind kind;
	double messages, days, per_ms; /* on average */
	int64_t begun_ms;
	struct seen seen[SOURCES];
	int64_t *grey_ms; /* first seen; -1: known */
	unsigned came_again;
	struct provider_facts facts;
};

static int64_t since(const struct provider_sim *p)
{
	return clock_mono_ms() - p->begun_ms;
}

static struct seen *seen_of(struct provider_sim *p, const struct ip *ip)
{
	unsigned i = 0;

	while (i < SOURCES - 1 && p->seen[i].ip.family && !ip_eq(&p->seen[i].ip, ip))
		i++;
	p->seen[i].ip = *ip;
	return &p->seen[i];
}

static bool is_day(const struct provider_sim *p)
{
	int64_t hour = since(p) / HOUR % 24;

	return hour >= 8 && hour < 20;
}

static const struct model_answer yes = { NULL, 0, false };

static struct model_answer no(struct provider_sim *p, const char *text, bool close)
{
	p->facts.refused++;
	return (struct model_answer){ text, 0, close };
}

/* ---- what several of them have ----------------------------------------------------------- */

static bool token(struct provider_sim *p, struct seen *s, double factor)
{
	double rate = p->per_ms * factor, burst = rate * MINUTE + 5;
	int64_t now = clock_mono_ms();

	s->tokens = s->tokens_ms ? s->tokens + rate * (double)(now - s->tokens_ms) : burst;
	s->tokens = MIN_OF(s->tokens, burst);
	s->tokens_ms = now;
	if (s->tokens < 1)
		return false;
	s->tokens--;
	return true;
}

static double by_the_clock(const struct provider_sim *p)
{
	return is_day(p) ? 0.6 : 1.4;
}

/* How many refusals there were in the ten minutes at hand, this one included. */
static unsigned refusals(struct seen *s)
{
	int64_t window = clock_mono_ms() / WATCH_MS;

	if (s->window_ms != window)
		s->refused = 0;
	s->window_ms = window;
	return ++s->refused;
}

static unsigned patience(const struct provider_sim *p)
{
	return (unsigned)MAX_OF(10.0, p->per_ms * WATCH_MS / 5);
}

static bool is_boxed(const struct seen *s)
{
	return clock_mono_ms() < s->boxed_until_ms;
}

static void box(struct provider_sim *p, struct seen *s)
{
	if (refusals(s) > patience(p) && !is_boxed(s))
		s->boxed_until_ms = clock_mono_ms() + BOX_MS;
}

/* ---- each of them ------------------------------------------------------------------------ */

static struct model_answer ration(struct provider_sim *p, enum model_step step, struct seen *s)
{
	if (step != MODEL_MAIL || (!is_boxed(s) && token(p, s, by_the_clock(p))))
		return yes;
	box(p, s);
	return no(p,
		  "450 4.2.1 The user you are trying to contact is receiving mail at a rate that "
		  "prevents additional messages from being delivered, rate limit exceeded",
		  false);
}

static struct model_answer doorman(struct provider_sim *p, enum model_step step, struct seen *s)
{
	if (step == MODEL_DOT)
		return (struct model_answer){ NULL, (int64_t)(7 / p->per_ms), false };
	if (step != MODEL_GREET)
		return yes;
	if (s->inside < (is_day(p) ? 4 : 10) && !is_boxed(s))
		return yes;
	box(p, s);
	p->facts.turned_away++;
	return (struct model_answer){ "421 4.7.0 Too many concurrent connections from your address",
				      0, true };
}

static struct model_answer grey(struct provider_sim *p, enum model_step step,
				const struct model_caller *c)
{
	int64_t *first = &p->grey_ms[c->rcpt % GREY_KEYS], now = clock_mono_ms();

	if (step == MODEL_DOT)
		return (struct model_answer){ NULL, (int64_t)(10 / p->per_ms), false };
	if (step != MODEL_RCPT)
		return yes;
	if (p->came_again >= GREY_TRUST || *first < 0)
		return (struct model_answer){ NULL, 200, false };
	if (*first && now - *first >= 5 * MINUTE) {
		*first = -1;
		p->came_again++;
		return (struct model_answer){ NULL, 200, false };
	}
	*first = *first ? *first : now;
	p->facts.refused++;
	return (struct model_answer){ "451 4.7.1 Greylisting in action, please come back later",
				      200, false };
}

static void block(struct provider_sim *p, struct seen *s)
{
	s->blocked_ms = clock_mono_ms();
	s->blocked_until_ms = s->blocked_ms + p->facts.least_block_ms;
	s->knocks = 0;
	p->facts.blocks++;
}

static struct model_answer blocker(struct provider_sim *p, enum model_step step, struct seen *s)
{
	if (step != MODEL_MAIL)
		return yes;
	if (clock_mono_ms() < s->blocked_until_ms) {
		if (clock_mono_ms() - s->blocked_ms > MINUTE && ++s->knocks % 20 == 0)
			s->blocked_until_ms += HOUR;
		p->facts.longest_block_ms =
		    MAX_OF(p->facts.longest_block_ms, s->blocked_until_ms - s->blocked_ms);
		return no(p, "550 5.7.1 Service unavailable, client blocked using bl.test", false);
	}
	if (token(p, s, by_the_clock(p)))
		return yes;
	if (refusals(s) > patience(p)) {
		block(p, s);
		p->facts.longest_block_ms =
		    MAX_OF(p->facts.longest_block_ms, p->facts.least_block_ms);
	}
	return no(p, "451 4.7.1 Rate limit exceeded, too many messages from your address", false);
}

static double warmth(unsigned day)
{
	return day >= WARM_DAYS ? 1 : 1.0 / (double)(1 << (WARM_DAYS - day + 1) / 2);
}

/* Of the day `warm`, so that all of them are enough. */
static double quota(const struct provider_sim *p, unsigned warm)
{
	double sum = 0;

	for (unsigned d = 0; d < 14; d++)
		sum += warmth((unsigned)d);
	return p->messages / 0.8 / sum * warmth(warm) / (p->days / 14 * 24);
}

static struct model_answer warmup(struct provider_sim *p, enum model_step step, struct seen *s)
{
	int64_t hour = since(p) / HOUR;
	int64_t day = (int64_t)((double)since(p) / (p->days * (double)DAY) * 14);

	if (step != MODEL_MAIL)
		return yes;
	if (s->day != day) {
		s->warm += s->refused_today <= 100 + quota(p, s->warm);
		s->refused_today = 0;
		s->day = day;
	}
	if (s->hour != hour)
		s->used = 0;
	s->hour = hour;
	if (s->used < quota(p, s->warm) + 1) {
		s->used++;
		return yes;
	}
	s->refused_today++;
	return no(
	    p,
	    "421 4.7.0 You have exceeded the hourly sending limit for a new sender, rate limited",
	    true);
}

static struct model_answer outage(struct provider_sim *p, enum model_step step, struct seen *s)
{
	double part = (double)since(p) / (p->days * (double)DAY) * 14;
	bool refuses = part > 3 && part<3.25, deaf = part> 7 && part < 7.125;

	if (step == MODEL_CONNECT && (refuses || deaf)) {
		p->facts.turned_away++;
		return (struct model_answer){ NULL, deaf ? -1 : 0, refuses };
	}
	if (step != MODEL_MAIL)
		return yes;
	if (refuses || deaf)
		return no(p, "421 4.3.2 shutting down", true);
	return token(p, s, 1) ? yes : no(p, "450 4.7.1 Too many messages, slow down", false);
}

static struct model_answer tarpit(struct provider_sim *p, enum model_step step,
				  const struct seen *s)
{
	double crowd = s->inside / 6.0;

	if (step == MODEL_GREET)
		return (struct model_answer){ NULL, s->inside >= 6 ? 30 * SECOND : 200, false };
	if (step == MODEL_DOT)
		return (struct model_answer){ NULL,
					      (int64_t)(5.4 / p->per_ms * (1 + crowd * crowd) / 2),
					      false };
	return yes;
}

static struct model_answer hints(struct provider_sim *p, enum model_step step, struct seen *s)
{
	int64_t now = clock_mono_ms();

	if (step != MODEL_MAIL)
		return yes;
	if (now >= s->waits_until_ms) {
		if (now / (5 * MINUTE) != s->window_ms)
			s->used = 0;
		s->window_ms = now / (5 * MINUTE);
		if (s->used < p->per_ms * 5 * MINUTE + 1) {
			s->used++;
			return yes;
		}
	}
	s->waits_until_ms = now + 5 * MINUTE;
	return no(p, "421 Too much mail from you, please try again in 300 seconds", true);
}

/* ---- the model --------------------------------------------------------------------------- */

static const char *const names[PROVIDERS] = { "ration", "doorman", "grey",   "blocker",
					      "warmup", "outage",  "tarpit", "hints" };

const char *provider_sim_name(enum provider_kind kind)
{
	return names[kind];
}

static struct model_answer ask(struct provider_sim *p, enum model_step step, struct seen *s,
			       const struct model_caller *c)
{
	switch (p->kind) {
	case PROVIDER_RATION:
		return ration(p, step, s);
	case PROVIDER_DOORMAN:
		return doorman(p, step, s);
	case PROVIDER_GREY:
		return grey(p, step, c);
	case PROVIDER_BLOCKER:
		return blocker(p, step, s);
	case PROVIDER_WARMUP:
		return warmup(p, step, s);
	case PROVIDER_OUTAGE:
		return outage(p, step, s);
	case PROVIDER_TARPIT:
		return tarpit(p, step, s);
	default:
		return hints(p, step, s);
	}
}

static struct model_answer answer(struct model *m, enum model_step step, struct model_caller *c)
{
	struct provider_sim *p = container_of(m, struct provider_sim, model);
	struct seen *s = seen_of(p, &c->source);
	struct model_answer a;

	if (step == MODEL_CLOSED) {
		s->inside--;
		return yes;
	}
	p->facts.connects += step == MODEL_CONNECT;
	a = ask(p, step, s, c);
	if (step == MODEL_GREET && !a.close) {
		c->inside = true;
		s->inside++;
	}
	p->facts.taken += step == MODEL_DOT;
	return a;
}

struct provider_sim *provider_sim_new(enum provider_kind kind, double messages, double days)
{
	struct provider_sim *p = must_alloc(sizeof(*p));

	p->model.answer = answer;
	p->kind = kind;
	if (kind == PROVIDER_GREY)
		p->grey_ms = must_alloc(GREY_KEYS * sizeof(*p->grey_ms));
	p->messages = messages;
	p->days = days;
	p->per_ms = messages / (days * 0.8 * (double)DAY);
	p->begun_ms = clock_mono_ms();
	p->facts.least_block_ms = 4 * HOUR;
	return p;
}

struct provider_sim *provider_sim_free(struct provider_sim *p)
{
	if (p)
		free(p->grey_ms);
	free(p);
	return NULL;
}

struct model *provider_sim_model(struct provider_sim *p)
{
	return &p->model;
}

const struct provider_facts *provider_sim_facts(const struct provider_sim *p)
{
	return &p->facts;
}
