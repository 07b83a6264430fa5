/* mta/shape/part.h - the shapes in force, as a lane sees them: what is built in, the operator's
 * files, and live orders.
 *
 * A live order is a rule of the spool, so that it survives a restart:
 *
 *	shape/<section>/<key>      value: <value> LF <author>; empty: taken back
 *
 * Owns:    shape_set() is the lane's; it is valid until changed() or reload() of the lane's parts.
 * Threads: shape_set() on the lane's; the others any.
 * Limits:  SHAPE_ORDERS_MAX live orders; an order beyond them is not in force and is logged. */
#pragma once
#include "mta/core/part.h"
#include "mta/shape/shapes.h"

enum { SHAPE_ORDERS_MAX = 4096 };

extern const struct option_set shape_option_set;
extern const struct part shape_part;

const struct shapes *shape_set(struct lane *l);
unsigned shape_generation(struct lane *l); /* another number whenever the set is another one */
/* A set as it is in force now, for those who are not on a lane, and the same without the live
 * orders; the caller frees them. */
struct shapes *shape_copy(struct engine *e);
struct shapes *shape_copy_of_files(struct engine *e);
/* 0: this text may be one more file behind the others; E_SYNTAX: error says where it is wrong. */
int shape_file_check(struct engine *e, struct slice text, const char *name, char *error) MUST_CHECK;
/* The rule's key of an order, its section in the one way it is written; value empty: to take it
 * back.  E_SYNTAX: error says what is wrong. */
int shape_order_key(struct slice section, struct slice key, struct slice value, struct buf *ret,
		    char *error) MUST_CHECK;
/* 0: such a rule makes an order. */
int shape_order_check(struct slice rule_key, struct slice rule_value) MUST_CHECK;
/* The rule was written and is durable.  It is in force on every lane soon after. */
void shape_order_changed(struct engine *e, struct slice rule_key, struct slice rule_value);
/* Calls each() for the live orders, the oldest first. */
void shape_each_order(struct engine *e,
		      void (*each)(void *arg, struct slice section, struct slice key,
				   struct slice value, struct slice author),
		      void *arg);
