/* base/sandbox.c - limits and the filter of system calls. */
#include "base/sandbox.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* The address sanitizer maps terabytes of shadow. */
#if defined(__SANITIZE_ADDRESS__)
#define BOUNDED_MEMORY false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BOUNDED_MEMORY false
#endif
#endif
#ifndef BOUNDED_MEMORY
#define BOUNDED_MEMORY true
#endif

static int limit(int what, rlim_t most)
{
	const struct rlimit l = { most, most };

	return setrlimit((__rlimit_resource_t)what, &l) < 0 ? -errno : 0;
}

static int set_limits(unsigned cpu_s, size_t memory)
{
	const struct {
		int what;
		rlim_t most;
	} all[] = {
		{ RLIMIT_CPU, cpu_s }, { RLIMIT_FSIZE, 0 },  { RLIMIT_CORE, 0 },
		{ RLIMIT_NPROC, 0 },   { RLIMIT_NOFILE, 3 }, { RLIMIT_AS, memory },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(all) && r == 0; i++)
		if (all[i].what != RLIMIT_AS || BOUNDED_MEMORY)
			r = limit(all[i].what, all[i].most);
	return r;
}

#ifdef ARCH
#define ARG(n) (offsetof(struct seccomp_data, args) + (n) * sizeof(uint64_t))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define GIVE(what) BPF_STMT(BPF_RET | BPF_K, what)
#define NO (SECCOMP_RET_ERRNO | EPERM)
/* This call is allowed. */
#define ALLOW(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), GIVE(SECCOMP_RET_ALLOW)
/* It is, when the low half of an argument is this value, and the high half is zero. */
#define ALLOW_WITH(nr, n, value)                                                                   \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 6), LOAD(ARG(n)),                               \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 3), LOAD(ARG(n) + 4),                    \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), GIVE(SECCOMP_RET_ALLOW), GIVE(NO)
/* It is, when none of these bits is set in an argument. */
#define ALLOW_WITHOUT(nr, n, bits)                                                                 \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4), LOAD(ARG(n)),                               \
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0), GIVE(SECCOMP_RET_ALLOW), GIVE(NO)

static int set_filter(void)
{
	struct sock_filter rows[] = {
		LOAD(offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		GIVE(SECCOMP_RET_KILL_PROCESS),
		LOAD(offsetof(struct seccomp_data, nr)),
		ALLOW(__NR_brk),
		ALLOW(__NR_munmap),
		ALLOW(__NR_mremap),
		ALLOW(__NR_madvise),
		ALLOW(__NR_futex),
		ALLOW(__NR_getrandom),
		ALLOW(__NR_clock_gettime),
		ALLOW(__NR_rt_sigreturn),
		ALLOW(__NR_restart_syscall),
		ALLOW(__NR_exit),
		ALLOW(__NR_exit_group),
		ALLOW_WITH(__NR_read, 0, STDIN_FILENO),
		ALLOW_WITH(__NR_write, 0, STDOUT_FILENO),
		ALLOW_WITHOUT(__NR_mmap, 2, PROT_EXEC),
		ALLOW_WITHOUT(__NR_mprotect, 2, PROT_EXEC),
		GIVE(NO),
	};
	const struct sock_fprog all = { ARRAY_LEN(rows), rows };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) < 0)
		return -errno;
	return 0;
}
#else
static int set_filter(void)
{
	return E_VERSION;
}
#endif

int sandbox_enter(unsigned cpu_s, size_t memory)
{
	int r;

	if (close_range(STDERR_FILENO, ~0U, 0) < 0)
		return -errno;
	r = set_limits(cpu_s, memory);
	return r == 0 ? set_filter() : r;
}
