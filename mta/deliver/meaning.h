/* mta/deliver/meaning.h - what a host's answer means for the recipient, by the rules of
 * postern-rules(5), and what follows: class and rule in the outcome, end or retry, and when.
 * Owns:   the outcome's class and rule point into the struct. */
#pragma once
#include "mta/deliver/deliverer.h"

/* A host that names a short time again and again is asked by the schedule after this many tries. */
enum { NAMED_TRIES = 5, AT_ONCE_MS = 1000 };

struct meaning {
	enum judge_class class;     /* JUDGE_OTHER where nobody was asked */
	struct judge_action action; /* of what a host said; else JUDGE_RETRY */
	uint32_t named_s;           /* when the host wants to be asked again; 0: it did not say */
	bool elsewhere, held;       /* it goes from another source at once; a hold was made */
	char rule[2 * JUDGE_NAME_MAX];
};
/* Judges what a host answered to this recipient: a deferral may become a bounce and the other way
 * round.  Of what we decided ourselves (code 0) only the class is noted. */
void meaning_judge(struct deliverer *dr, struct outcome *o, struct meaning *ret);
/* What a host said of us before any recipient was named; false: nobody was asked. */
bool meaning_of_session(struct deliverer *dr, const struct verdict *v, struct slice host,
			struct meaning *ret);
/* It says that we send too much, or that our mail as such is not wanted: less may help. */
bool meaning_is_trouble(const struct meaning *m, const struct verdict *v);
/* The class and the rule of a deferral or bounce that came about otherwise; nothing follows. */
void meaning_note(struct deliverer *dr, struct outcome *o, struct meaning *ret);
/* The outcome is about something else than the reply. */
void meaning_forget(struct outcome *o);
/* The time of the next try, given the schedule's. */
int64_t meaning_next_ms(const struct meaning *m, const struct outcome *o, int64_t scheduled_ms);
