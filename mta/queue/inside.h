/* mta/queue/inside.h - what the files of this folder share; for them alone. */
#pragma once
#include "mta/queue/queue.h"
#include "mta/queue/start.h"

/* part.c: valid until the engine ends. */
const struct start_jobs *queue_start_jobs(struct engine *e);

/* queue.c */
void queue_tick_init(struct queue *q);
void queue_look_again(struct queue *q); /* rules have changed */
void queue_each_flow(struct queue *q, void (*look)(struct queue *q, struct flow *f));

/* names.c */
void queue_domain_rests(struct queue *q, struct domain *d); /* nobody names it any more */
void queue_flow_rests(struct queue *q, struct flow *f);
void queue_flow_look(struct queue *q, struct flow *f); /* is it held? */
void queue_flow_weigh(struct queue *q, struct flow *f);
