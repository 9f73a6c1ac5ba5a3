#!/usr/bin/env bash
# Two network namespaces stand for two machines with 100 Mbit/s and 10 ms between them.
#
#     benchmarks/slow_link.sh rnnlm train --corpus ptb --layers 2 --sync-every 500 --threads 1 --output runs/slow
#
# Runs a program in two processes of MPICH, one in each namespace. As root; needs ip (Debian: iproute2).
# RATE (bits a second) and DELAY (seconds, there and back) may be set.
# A small relay passes the packets on, as tc's netem would: many kernels of virtual machines lack that.
set -euo pipefail
folder=$(mktemp -d)
relay=
remove() {
    [ -z "$relay" ] || kill "$relay" 2>/dev/null || true
    for name in rnnlm0 rnnlm1; do  # a process may be left that waits for one that was killed
        ip netns pids "$name" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
    done
    ip netns del rnnlm0 2>/dev/null || true
    ip netns del rnnlm1 2>/dev/null || true
    rm -rf "$folder"
}
trap remove EXIT

cat > "$folder/relay.py" <<'PYTHON'
import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import sys
import time

rate, delay = float(sys.argv[1]), float(sys.argv[2]) / 2
ends = []
for i in (0, 1):
    if ctypes.CDLL(None).setns(os.open(f"/run/netns/rnnlm{i}", os.O_RDONLY), 0x40000000):
        sys.exit("no access to the namespace")
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, 0x400454CA, struct.pack("16sH22x", f"rnnlm{i}".encode(), 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
    for line in (f"address add 10.77.0.{i + 1}/24 dev rnnlm{i}", "link set lo up", f"link set rnnlm{i} mtu 9000 up"):
        subprocess.run(["ip", *line.split()], check=True)
    ends.append(end)
free, waiting, count = [0.0, 0.0], [], 0
open(sys.argv[3], "w").close()  # ready
while True:
    timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
    for end in select.select(ends, [], [], timeout)[0]:
        i, packet = ends.index(end), os.read(end, 65536)
        free[i] = max(free[i], time.monotonic()) + 8 * len(packet) / rate
        heapq.heappush(waiting, (free[i] + delay, count := count + 1, ends[1 - i], packet))
    while waiting and waiting[0][0] <= time.monotonic():
        *_, end, packet = heapq.heappop(waiting)
        os.write(end, packet)
PYTHON

ip netns add rnnlm0
ip netns add rnnlm1
python3 "$folder/relay.py" "${RATE:-100e6}" "${DELAY:-0.01}" "$folder/ready" &
relay=$!
until [ -e "$folder/ready" ]; do
    kill -0 "$relay"
    sleep 0.1
done

# In the place of ssh: mpiexec calls it with options, the name of a machine and a command.
cat > "$folder/into" <<'SCRIPT'
#!/usr/bin/env bash
while [ "${1#-}" != "$1" ]; do shift; done
machine=$1
shift
exec ip netns exec rnnlm$((${machine##*.} - 1)) bash -c "$*"
SCRIPT
chmod +x "$folder/into"
mpiexec=$(command -v mpiexec)
# Otherwise it would find that both machines have the same memory.
UCX_TLS=tcp ip netns exec rnnlm0 "$mpiexec" -launcher ssh -launcher-exec "$folder/into" \
    -localhost 10.77.0.99 -iface rnnlm0 -hosts 10.77.0.1,10.77.0.2 -n 2 -ppn 1 "$@"
