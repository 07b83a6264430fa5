"""Where the engine's CPU goes: perf's samples of its process, each counted once by the first line below that fits its
call chain.  Needs perf (Debian: linux-perf) and the right to use it."""
import collections
import pathlib
import re
import subprocess
import time

# (share, what one of the frames matches); innermost frames first within a sample.
CHAIN = (
    ("crypto", r"libcrypto|libssl|libopendkim"),
    ("canonical form", r" canon_|\bsign_message"),
    ("disk", r"_sys_(p?write|pwritev|fdatasync|fsync|fallocate|pread|preadv)"),
    ("kernel: send", r"_sys_(send|write)|tcp_sendmsg"),
    ("kernel: receive", r"_sys_recv|_sys_read\b|tcp_recvmsg"),
    ("kernel: connections and files", r"_sys_(socket|connect|close|open|bind|accept|getsockopt|setsockopt|shutdown)"),
    ("kernel: events and waiting", r"_sys_(epoll|poll|futex|nanosleep|clock|sched|eventfd)"),
    ("kernel: other", r"kernel\.kallsyms"),
)
LEAF = (
    ("copies and checksums", r"mem(move|cpy|set|chr)|stuff_copy|crc32c|str(chr|len)"),
    ("compression", r"ZSTD|zstd|HUF_|FSE_"),
    ("heap", r"malloc|calloc|realloc|\bfree|_int_free"),
)


class Recorder:
    def __init__(self, pid, path):
        self.path = pathlib.Path(path)
        self.process = subprocess.Popen(["perf", "record", "-q", "-F", "997", "-g", "-o", str(path), "-p", str(pid)], stderr=subprocess.DEVNULL)
        time.sleep(0.3)

    def shares(self):
        """Ends when the engine has ended; gives shares in percent, largest first."""
        self.process.wait(30)
        text = subprocess.run(["perf", "script", "-i", str(self.path), "-F", "comm,ip,sym,dso"], capture_output=True, text=True, check=True).stdout
        counts = collections.Counter(share_of(block.splitlines()[1:]) for block in text.split("\n\n") if block.strip())
        total = sum(counts.values())
        return {name: 100 * n / total for name, n in counts.most_common()} if total else {}


def share_of(frames):
    for name, pattern in CHAIN:
        if any(re.search(pattern, f) for f in frames):
            return name
    for name, pattern in LEAF:
        if frames and re.search(pattern, frames[0]):
            return name
    return "our own code"
