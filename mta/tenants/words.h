/* mta/tenants/words.h - limits as operators write them: words "name=value", in an option and in
 * orders.
 *
 *	words    = word *( SP word )
 *	word     = "rate=" ( rate / "none" )        (messages per time over all, as 100/s)
 *	         / "connections=" ( n / "none" )    (to one provider, that carry its mail)
 *	         / "queue=" ( n / "none" )          (recipients queued)
 *	         / "weight=" n                      (1 to 100: its share of the turns)
 *	         / name "=default"                  (in orders: nothing is said any more)
 *
 * Owns:   nothing; a struct tenant_words is a value.
 * Fails:  E_SYNTAX with what was expected; *ret is then not to be used. */
#pragma once
#include "base/buf.h"
#include "base/options.h"

enum tenant_key { TENANT_RATE, TENANT_CONNECTIONS, TENANT_QUEUE, TENANT_WEIGHT, TENANT_KEYS };
enum { TENANT_UNSAID = -1, TENANT_NONE = 0, TENANT_WEIGHT_MAX = 100 };
struct tenant_words {
	int64_t v[TENANT_KEYS]; /* a rate is so many per day */
};
extern const struct tenant_words tenant_words_empty;

/* Changes in *ret what the words name; each may be named once.  weight_only: of a campaign.  error
 * has OPTION_ERROR_MAX bytes. */
int tenant_words_read(struct slice text, bool weight_only, struct tenant_words *ret,
		      char *error) MUST_CHECK;
/* What is said, in the order of the keys; reading it again gives the same. */
void tenant_words_show(const struct tenant_words *w, struct buf *out);
/* One value as a word's right side. */
void tenant_value_show(enum tenant_key key, int64_t v, struct buf *out);
const char *tenant_key_name(enum tenant_key key);
bool tenant_words_say_nothing(const struct tenant_words *w);
