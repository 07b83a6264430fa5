/* mta/policy/fetch.c - the life of a fetch, the same in simulation. */
#include "mta/policy/fetch.h"

void fetch_init(struct fetch *f)
{
	*f = (struct fetch){ .path = "/", .port = 443 };
	list_init(&f->link);
	buf_init(&f->body, FETCH_BYTES_MAX);
}

void fetch_end(struct fetch *f)
{
	buf_free(&f->body);
}
