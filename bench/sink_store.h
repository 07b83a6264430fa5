/* bench/sink_store.h - what the sink keeps: the numbers of the recipients it has seen, and with
 * --store each message without dot stuffing, as one JSON line {"rcpt":..,"from":..,"ip":..,
 * "tls":..,"bytes":N}, N bytes and a newline.
 * Blocks: on the disk, once per megabyte and in store_flush().
 * Limits: numbers below 268,435,456; a write that fails loses what was collected. */
#pragma once
#include "bench/sink_peer.h"

/* Appends to path from now on; -errno. */
int store_open(const char *path) MUST_CHECK;
void store_message(struct peer *p, struct slice wire);
/* Writes what is collected, if anything is. */
void store_flush(void);
/* True when a recipient of the form u<number>@... was seen before. */
bool store_seen_before(const char *rcpt);
