/* message/aggregate/inside.h - shared by the files of this folder only. */
#pragma once
#include "base/tree.h"
#include "message/aggregate/aggregate.h"

enum { TEXT_MOST = 512 };
/* How much JSON there may still be; rows that do not fit are left out. */
struct room {
	size_t left;
};
static inline bool room_take(struct room *r, size_t n)
{
	if (n > r->left)
		return false;
	r->left -= n;
	return true;
}
/* A text in one line, at most TEXT_MOST bytes; whoever wrote the report chose it. */
void aggregate_text(struct branch *b, const char *name, struct slice s);

/* Fill the map; E_SYNTAX: it is no such report. */
int rua_read(struct slice xml, struct branch *b, struct buf *identity) MUST_CHECK;
int aggregate_tls_report(struct slice json, struct branch *b, struct buf *identity) MUST_CHECK;
