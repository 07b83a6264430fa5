/* mta/smtp/transcript.h - what a session said and heard: commands and replies, never a message and
 * never what belongs to AUTH.  Kept as bytes, so that nothing is formatted unless somebody asks.
 *
 * Owns:    nothing; a member of the session.
 * Threads: the lane's.
 * Limits:  the opening's first TRANSCRIPT_OPENING bytes, and of the rest the last TRANSCRIPT_RECENT
 *          or fewer, from the beginning of the transaction in hand; TRANSCRIPT_LINE of a line. */
#pragma once
#include "base/base.h"

enum { TRANSCRIPT_OPENING = 768, TRANSCRIPT_RECENT = 1280, TRANSCRIPT_LINE = 320 };
/* TRANSCRIPT_BODY: the message went here; its text is a uint64_t, how many bytes. */
enum transcript_who { TRANSCRIPT_WE, TRANSCRIPT_THEY, TRANSCRIPT_NOTE, TRANSCRIPT_BODY };

/* Follows a session line by line (trace). */
struct transcript_watch {
	void (*line)(struct transcript_watch *w, enum transcript_who who, struct slice text);
};
struct transcript {
	int64_t began_ms;
	uint16_t opening_n, recent_n;
	bool cut;    /* lines are missing between opening and recent */
	bool secret; /* an AUTH exchange goes on */
	bool open;   /* the opening is over */
	struct transcript_watch *watch;
	char opening[TRANSCRIPT_OPENING], recent[TRANSCRIPT_RECENT];
};
void transcript_add(struct transcript *t, enum transcript_who who, struct slice text,
		    int64_t now_ms);
/* From here on lines are of this transaction. */
static inline void transcript_begin(struct transcript *t)
{
	t->cut = t->cut || t->recent_n > 0;
	t->recent_n = 0;
	t->open = true;
}
/* Gives the lines of `n` bytes of opening or recent; ms: since the session began. */
void transcript_each(const char *bytes, size_t n,
		     void (*each)(void *arg, enum transcript_who who, uint32_t ms,
				  struct slice text),
		     void *arg);
