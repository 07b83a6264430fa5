/* mta/site/tickets.c - a few sessions of a host, by the check they were made under. */
#include "mta/site/tickets.h"

struct tls_session *tickets_find(const struct tickets *t, uint64_t digest)
{
	for (unsigned i = 0; i < TICKETS_MAX && t->at[i].session; i++)
		if (t->at[i].digest == digest)
			return t->at[i].session;
	return NULL;
}

void tickets_keep(struct tickets *t, uint64_t digest, struct tls_session *session)
{
	unsigned i = 0;

	while (i < TICKETS_MAX - 1 && t->at[i].session && t->at[i].digest != digest)
		i++;
	(void)tls_session_unref(t->at[i].session);
	memmove(&t->at[1], &t->at[0], i * sizeof(t->at[0]));
	t->at[0].digest = digest;
	t->at[0].session = session;
}

void tickets_drop(struct tickets *t)
{
	for (unsigned i = 0; i < TICKETS_MAX; i++)
		t->at[i].session = tls_session_unref(t->at[i].session);
}
