/* mta/admin/commands.h - what may be asked: the functions behind the table in commands.c; for the
 * files of this folder alone.
 * Threads: admin_lane_*() on each lane's thread, the others on the front desk. */
#pragma once
#include "mta/admin/query.h"

const struct admin_command *admin_command_find(struct slice name);

/* senders.c, facts.c, look.c, queue.c, orders.c, ending.c, shape.c, source.c, suspend.c */
/* senders.c, facts.c, queue.c, orders.c, shape.c, source.c, suspend.c, tls.c */
/* senders.c, facts.c, queue.c, orders.c, shape.c, source.c, suspend.c */
/* adaptive.c, senders.c, facts.c, queue.c, orders.c, shape.c, suspend.c */
int admin_finish_adaptive(struct query *q);
/* What is known of sources at a site and at its provider; of the query's source alone if it names
 * one. */
void admin_put_adaptive(struct query *q, struct slice site, const char *provider);
int admin_begin_forget(struct query *q);
int admin_finish_forget(struct query *q);
/* history.c, senders.c, facts.c, queue.c, orders.c, shape.c, suspend.c */
int admin_finish_senders(struct query *q);
int admin_finish_credentials(struct query *q);
int admin_finish_status(struct query *q);
int admin_finish_books(struct query *q);
int admin_finish_rules(struct query *q);
int admin_finish_events(struct query *q);
int admin_finish_metrics(struct query *q);
int admin_finish_top(struct query *q);
int admin_finish_config(struct query *q);
int admin_finish_consumers(struct query *q);
void admin_lane_sources(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_sources(struct query *q);
int admin_begin_source_state(struct query *q);
int admin_begin_source_add(struct query *q);
int admin_begin_source_remove(struct query *q);
int admin_finish_source_order(struct query *q);
struct egress_fact;
/* q->source is the address of an entry; *f gets the first, of the pool when one is given. */
int admin_known_source(struct query *q, const char *pool, struct egress_fact *f) MUST_CHECK;
int admin_begin_source_check(struct query *q);
int admin_finish_source_check(struct query *q);
int admin_begin_queue(struct query *q);
void admin_lane_queue(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_queue(struct query *q);
int admin_begin_show(struct query *q);
int admin_finish_show(struct query *q);
int admin_begin_why(struct query *q);
void admin_lane_why(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_why(struct query *q);
int admin_begin_order(struct query *q);
int admin_begin_move(struct query *q);
int admin_begin_release(struct query *q);
int admin_finish_release(struct query *q);
int admin_begin_resume(struct query *q);
int admin_finish_order(struct query *q);
int admin_finish_find(struct query *q);
int admin_finish_undo(struct query *q);
int admin_finish_orders(struct query *q);
int admin_finish_order_show(struct query *q);
/* Parts of an order's answer. */
void admin_order_report(struct query *q);
int admin_order_preview(struct query *q); /* the count and a sample, and the question is over */
int admin_finish_cancel(struct query *q);
void admin_lane_retry(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_retry(struct query *q);
int admin_begin_suspend(struct query *q);
void admin_lane_suspend(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_suspend(struct query *q);
int admin_finish_tenants(struct query *q);
int admin_finish_tenant_limit(struct query *q);
int admin_finish_tenant_undo(struct query *q);
int admin_begin_shape_order(struct query *q);
int admin_finish_shape_order(struct query *q);
int admin_finish_shape_show(struct query *q);
int admin_finish_shape_orders(struct query *q);
int admin_begin_shape_explain(struct query *q);
void admin_lane_shape_explain(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_shape_explain(struct query *q);
int admin_finish_shape_test(struct query *q);
void admin_lane_routes(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_routes(struct query *q);
int admin_begin_route_test(struct query *q);
int admin_finish_route_test(struct query *q);
int admin_begin_tls_explain(struct query *q);
void admin_lane_tls_explain(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_tls_explain(struct query *q);
int admin_begin_transcript(struct query *q);
void admin_lane_transcript(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_transcript(struct query *q);
/* Reads the log for a job, then answers; q->live: without finding anything too. */
int admin_read_history(struct query *q);
int admin_begin_trace(struct query *q);
void admin_lane_trace(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_trace(struct query *q);
int admin_begin_content(struct query *q);
void admin_lane_content(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_content(struct query *q);
int admin_begin_warmup_show(struct query *q);
int admin_begin_warmup_set(struct query *q);
int admin_begin_warmup_pause(struct query *q);
int admin_begin_warmup_end(struct query *q); /* of a plan or a pause */
int admin_finish_warmup_show(struct query *q);
int admin_finish_warmup_order(struct query *q);
int admin_finish_warmup_resume(struct query *q);
int admin_finish_reload(struct query *q);
void admin_lane_flush_dns(struct query *q, struct query_part *p, struct lane *l);
int admin_finish_flush_dns(struct query *q);
