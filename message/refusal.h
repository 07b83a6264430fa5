/* message/refusal.h - what a refusal says about the mailbox: RFC 3463 statuses, and the words that
 * mail hosts use.
 *
 * Guarantee: errs towards "it may exist": what is refused for its content, its sender, its size, a
 *            full mailbox, a quota, a rate, a policy or an address of ours never says that a
 *            mailbox is gone, whatever status stands before it.
 * Limits:    reads the first kilobyte of a text; the words are English, and a few of other
 *            languages. */
#pragma once
#include "base/base.h"

/* Is there no such mailbox, or no such domain, for good?  code is the reply's, 0 when no host said
 * it but we found out (that a domain does not exist, say); status is "5.1.1", or "" without one. */
bool refusal_says_gone(unsigned code, struct slice status, struct slice text);
