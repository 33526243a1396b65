#!/usr/bin/env bash
# A real node for a cluster of cluster.sh: containerd, kubelet and kube-proxy in a network namespace of their own, which reaches
# this machine by a pair of virtual cards and nothing beyond. It is tainted souk.dev/real, so that only whoever says so is put there.
#   node.sh up FOLDER             starts it; prints the namespace's name, our address in it, and the node's
#   node.sh import FOLDER IMAGE   gives it an image (an OCI archive), also under its digest: name@sha256:…
#   node.sh forward FOLDER PORT   what listens at 127.0.0.1:PORT here is reached there, at our address
#   node.sh down FOLDER
# Needs root. Ends with 3 where the programs cannot be had, and with 4 where the kernel refuses: the last line says what.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
action=${1:-help} folder=$(realpath -m "${2:-$PWD/.souk/cluster}")
node=$folder/node

missing() { echo "no real node: $*" >&2; exit 3; }
refused() { echo "no real node, the kernel refuses: $*" >&2; exit 4; }

alive() { case $(awk '/^State:/ { print $2 }' "/proc/$1/status" 2>/dev/null) in "" | Z) return 1 ;; esac; }

start() { # name, command …
    local name=$1
    shift
    setsid "$@" >"$node/$name.log" 2>&1 </dev/null &
    echo $! >"$node/$name.pid"
}

stop() {
    local name pid
    for name in "$@"; do
        pid=$(cat "$node/$name.pid" 2>/dev/null) || continue
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 30); do alive "$pid" || break; sleep 0.1; done
        kill -9 "$pid" 2>/dev/null || true
        while alive "$pid"; do sleep 0.05; done
        rm -f "$node/$name.pid"
    done
}

until_true() { # what it is, command …
    local what=$1 end=$((SECONDS + 90))
    shift
    while [ $SECONDS -lt $end ]; do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.2
    done
    echo "gave up waiting for $what; its log is in $node" >&2
    return 1
}

# Not `ip netns exec`: that mounts /sys anew and hides the cgroups.
inside() { nsenter --net="/run/netns/$name" -- "$@"; }
containers() { ctr -a "$node/containerd.sock" -n k8s.io "$@"; }

demand_programs() {
    [ "$(id -u)" = 0 ] || missing "it needs root"
    local packages="containerd runc containernetworking-plugins nftables iptables conntrack iproute2"
    if ! command -v containerd runc nft conntrack ip >/dev/null || [ ! -x /usr/lib/cni/bridge ]; then
        command -v apt-get >/dev/null || missing "install $packages"
        echo "· installing $packages" >&2
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } >/dev/null 2>&1 ||
            missing "$packages cannot be installed"
    fi
}

demand_kernel() {
    local controller
    for controller in /sys/fs/cgroup/memory /sys/fs/cgroup; do [ -d "$controller" ] && break; done
    mkdir "$controller/souk-probe" 2>"$node/why" || refused "a control group: $(cat "$node/why")"
    rmdir "$controller/souk-probe"
    unshare --mount --pid --fork true 2>"$node/why" || refused "namespaces: $(cat "$node/why")"
}

network() { # sets number, name, ours, theirs
    for number in $(shuf -i 1-250); do
        ip -o addr show | grep -q " 10\.245\.$number\." && continue
        break
    done
    name=souk-$number ours=10.245.$number.1 theirs=10.245.$number.2
    ip netns add "$name" 2>"$node/why" || refused "ip netns add: $(cat "$node/why")"
    ip link add "souk$number" type veth peer name eth0 netns "$name" 2>"$node/why" || refused "a pair of virtual cards: $(cat "$node/why")"
    printf '%s\n' "$name" "$ours" "$theirs" >"$node/network"
    ip addr add "$ours/30" dev "souk$number"
    ip link set "souk$number" up
    ip -n "$name" link set lo up
    ip -n "$name" addr add "$theirs/30" dev eth0
    ip -n "$name" link set eth0 up
    # A connection to a Service needs some route before it is translated; this pair swallows what is not. There is no default route.
    ip -n "$name" link add services type veth peer name nowhere
    ip -n "$name" link set services up
    ip -n "$name" link set nowhere up
    ip -n "$name" route add 10.96.0.0/16 dev services
    inside sysctl -qw net.ipv4.ip_forward=1
}

known() { # sets name, ours, theirs of a node that is up
    { read -r name && read -r ours && read -r theirs; } <"$node/network"
}

up() {
    demand_programs
    programs=$("$here/build.sh" node)
    down
    mkdir -p "$node/cni"
    chmod 711 "$folder"
    demand_kernel
    network
    # The kubelet sets these for the whole machine; `down` puts them back.
    sysctl vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops >"$node/sysctl"
    : >"$node/resolv.conf"
    # On a layered file system of our own kind (a container's), layers cannot be stacked again.
    snapshotter=overlayfs
    mkdir -p "$node/probe/"{lower,upper,work,merged}
    mount -t overlay overlay -o "lowerdir=$node/probe/lower,upperdir=$node/probe/upper,workdir=$node/probe/work" "$node/probe/merged" 2>"$node/why" &&
        umount "$node/probe/merged" || snapshotter=native
    for file in containerd.toml kubelet.yaml kube-proxy.yaml bridge.conflist; do
        sed -e "s|@NODE@|$node|g; s|@ADDRESS@|$theirs|g; s|@PODS@|10.244.$number.0/24|g; s|@SNAPSHOTTER@|$snapshotter|g" "$here/node/$file" >"$node/$file"
    done
    mv "$node/bridge.conflist" "$node/cni/"
    ip route add "10.244.$number.0/24" via "$theirs"
    # The API server listens on loopback; the node comes to it by a way of its own.
    local server
    server=$(awk -F'https://' '/server:/ { sub(/[^0-9.:].*/, "", $2); print $2; exit }' "$folder/admin.kubeconfig")
    start forward-api "$programs/forward" "$ours:${server#*:}" "$server"
    # To pods it is a Service like any other.
    "$programs/kubectl" --kubeconfig "$folder/admin.kubeconfig" apply -f - >/dev/null <<END
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: kubernetes, namespace: default, labels: { kubernetes.io/service-name: kubernetes } }
addressType: IPv4
endpoints: [{ addresses: ["$ours"], conditions: { ready: true } }]
ports: [{ name: https, port: ${server#*:}, protocol: TCP }]
END
    for user in kubelet proxy; do
        sed -e "s|https://$server\"|https://$ours:${server#*:}\", tls-server-name: localhost|" "$folder/$user.kubeconfig" >"$node/$user.kubeconfig"
    done
    start containerd nsenter --net="/run/netns/$name" -- containerd --config "$node/containerd.toml"
    until_true "containerd" ctr -a "$node/containerd.sock" version
    mkdir -p "$node/pause"
    cc -static -Os -o "$node/pause/pause" "$here/node/pause.c"
    python3 "$here/../../scripts/image.py" --dockerfile "$here/node/pause.Dockerfile" "$node/pause" "$node/pause.tar" localhost/pause:dev >/dev/null
    containers images import "$node/pause.tar" >/dev/null
    start kubelet nsenter --net="/run/netns/$name" -- "$programs/kubelet" --config "$node/kubelet.yaml" \
        --kubeconfig "$node/kubelet.kubeconfig" --hostname-override real --node-ip "$theirs" --root-dir "$node/kubelet" \
        --cert-dir "$node/kubelet/pki" --node-labels souk.dev/real=true,topology.kubernetes.io/zone=zone-1
    start proxy nsenter --net="/run/netns/$name" -- "$programs/kube-proxy" --config "$node/kube-proxy.yaml" --hostname-override real
    until_true "the node" "$programs/kubectl" --kubeconfig "$folder/admin.kubeconfig" wait --for=condition=Ready node/real --timeout=1s || {
        tail -5 "$node/kubelet.log" >&2
        exit 1
    }
    cat "$node/network"
}

import() {
    local reference
    reference=$(containers images import "$1" | awk '/^unpacking/ { print $2 }')
    # A pod that pins a digest is given only an image that goes by it.
    local digest
    digest=$(containers images ls "name==$reference" | awk 'NR == 2 { print $3 }')
    containers images tag --force "$reference" "${reference%:*}@$digest" >/dev/null
    echo "${reference%:*}@$digest"
}

forward() {
    known
    start "forward-$1" "$("$here/build.sh" node)/forward" "$ours:$1" "127.0.0.1:$1"
}

down() {
    [ -d "$node" ] || return 0
    local container mount pid
    for pid in "$node"/forward-*.pid; do [ -e "$pid" ] && stop "$(basename "$pid" .pid)"; done
    stop proxy kubelet
    if [ -S "$node/containerd.sock" ]; then
        for container in $(containers tasks ls -q 2>/dev/null); do containers tasks kill -s KILL "$container" 2>/dev/null || true; done
        sleep 0.5
        for container in $(containers tasks ls -q 2>/dev/null); do containers tasks delete -f "$container" >/dev/null 2>&1 || true; done
        for container in $(containers containers ls -q 2>/dev/null); do containers containers delete "$container" >/dev/null 2>&1 || true; done
    fi
    stop containerd
    awk -v start="$node/" 'index($2, start) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r mount; do umount -l "$mount" || true; done
    if [ -f "$node/network" ]; then
        known
        # Namespaces of pods whose card was one of ours go with it.
        ip netns del "$name" 2>/dev/null || true
        ip link del "souk${name#souk-}" 2>/dev/null || true
        find /sys/fs/cgroup/*/kubepods -depth -type d -exec rmdir {} + 2>/dev/null || true
    fi
    local programs
    programs=$("$here/build.sh" node) && "$programs/kubectl" --kubeconfig "$folder/admin.kubeconfig" --request-timeout 3s \
        delete node real --ignore-not-found >/dev/null 2>&1 || true
    [ -f "$node/sysctl" ] && sysctl -qp "$node/sysctl" || true
    rm -rf "$node"
}

case $action in
up | down) "$action" ;;
import | forward) "$action" "$3" ;;
*) sed -n '2,9s/^# //p' "$0"; exit 2 ;;
esac
