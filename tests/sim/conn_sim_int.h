/* tests/sim/conn_sim_int.h - between the simulated conn and the scripted peer behind it. */
#pragma once
#include "base/list.h"
#include "tests/sim/conn_sim.h"
#include "tests/sim/model_sim.h"

enum { SIM_WINDOW = 64 * 1024, SIM_REPLIES = 16 };
struct sim_line {
	const struct sim_word *word;
	struct buf text; /* escapes undone */
	int64_t number, number2;
};
struct sim_host {
	struct ip ip;
	uint16_t port;
	unsigned n_lines;
	struct sim_line *lines;
};
struct sim_peer {
	struct sim_host *host;
	struct conn *conn;
	unsigned line, mark;
	int64_t wake_ms;   /* 0: now */
	size_t done;       /* of the line at hand: bytes dripped, lines flooded */
	struct buf inbox;  /* came from the client */
	struct buf outbox; /* on its way to it */
	struct buf body;
	struct buf command; /* the line at hand */
	bool fin, reset, hang, in_body, broken;
	enum { SIM_TLS_NO, SIM_TLS_OK, SIM_TLS_BROKEN } tls;
	char cert[256]; /* what follows "tls" */
	int64_t slow_bytes, slow_ms, slow_next_ms, slow_left;
	uint64_t messages;
	struct model *model; /* model_sim.c */
	struct model_caller caller;
	struct model_answer answer;
	bool asked, greeted, body_here, has_command, mail_good, rcpt_good;
	uint64_t chunk; /* bytes of it to come */
	bool in_chunk, last_chunk, drops_chunk;
	struct buf late; /* the answer to it */
	const struct sim_line *alone;
	struct {
		char verb[8];
		const struct sim_line *line;
	} replies[SIM_REPLIES];
};
struct sim_word {
	const char *name;
	int numbers; /* how many come before the text */
	bool (*run)(struct sim_peer *p, const struct sim_line *l); /* true: done, go on */
};
int sim_script_parse(struct sim_host *host, struct slice script);
void sim_script_free(struct sim_host *host);
void sim_peer_run(struct sim_peer *p);
void sim_peer_free(struct sim_peer *p);
bool sim_take_line(struct sim_peer *p, struct buf *ret);
bool sim_take_body(struct sim_peer *p);
/* model_sim.c.  -1: it is refused, 0: not answered, 1: it opens. */
int sim_model_connects(struct sim_peer *p);
bool sim_model_run(struct sim_peer *p, const struct sim_line *l);
void sim_model_ends(struct sim_peer *p);
void sim_mistake(const char *format, ...) PRINTF(1, 2);
void sim_message(const struct conn *from, struct slice stuffed);
void sim_message_raw(const struct conn *from, struct slice message);

/* machine_sim.c: the machine's addresses and routes, and what left from where. */
struct sim_source {
	struct ip ip;
	bool away;
	int cut_off;
	unsigned opened, open, messages;
};
void sim_machine_reset(void);
struct sim_source *sim_source(const struct ip *ip);
int sim_route(const struct ip *from, const struct ip *to);
