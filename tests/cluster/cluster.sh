#!/usr/bin/env bash
# A real Kubernetes on this machine, for tests and for trying things: etcd, kube-apiserver, kube-controller-manager and
# kube-scheduler as plain processes on loopback, and kwok nodes that take pods without running them (node.sh adds one that does).
#   cluster.sh up [folder]      starts it (once) and prints where its kubeconfig is
#   cluster.sh down [folder]    stops what `up` started and removes the folder
#   cluster.sh status [folder]  what runs, and how much memory it has
# SOUK_CLUSTER_NODES: how many of those nodes, 3 unless set.
# The folder is .souk/cluster of the working directory unless named. build.sh builds the programs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
action=${1:-help}
folder=${2:-$PWD/.souk/cluster}
nodes=${SOUK_CLUSTER_NODES:-3}

# A process whose parent is slow to collect it is dead all the same.
alive() { case $(awk '/^State:/ { print $2 }' "/proc/$1/status" 2>/dev/null) in "" | Z) return 1 ;; esac; }

start() { # name, command …
    local name=$1
    shift
    setsid "$@" >"$folder/$name.log" 2>&1 </dev/null &
    echo $! >"$folder/$name.pid"
}

stop() { # names: nobody's data is in there, so nobody is given time (kube-apiserver would take ten seconds)
    local name pid
    for name in "$@"; do
        pid=$(cat "$folder/$name.pid" 2>/dev/null) || continue
        kill -9 "$pid" 2>/dev/null || true
        while alive "$pid"; do sleep 0.05; done
        rm -f "$folder/$name.pid"
    done
}

until_true() { # what it is, command …
    local what=$1 attempt
    shift
    for attempt in $(seq 600); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        alive "$(cat "$folder/apiserver.pid")" || break
        sleep 0.1
    done
    echo "gave up waiting for $what; its log is in $folder" >&2
    return 1
}

free_ports() { # sets `ports` to as many neighbouring free ports as asked for
    local base port
    # Below the ports that Linux gives to outgoing connections.
    for base in $(shuf -i 2000-3200 -n 50); do
        base=$((base * 10))
        ports=()
        for port in $(seq "$base" $((base + $1 - 1))); do
            (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue 2
            ports+=("$port")
        done
        return 0
    done
    return 1
}

kubeconfig() { # user
    cat >"$folder/$1.kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{ name: souk, cluster: { server: "https://127.0.0.1:$api", certificate-authority: "$folder/server.crt" } }]
users: [{ name: $1, user: { token: "$1-$token" } }]
contexts: [{ name: souk, context: { cluster: souk, user: $1 } }]
current-context: souk
END
}

up() {
    programs=$("$here/build.sh")
    if [ -f "$folder/admin.kubeconfig" ] && [ -f "$folder/apiserver.pid" ] && alive "$(cat "$folder/apiserver.pid")"; then
        echo "$folder/admin.kubeconfig"
        return
    fi
    down
    mkdir -p "$folder"
    chmod 700 "$folder"
    free_ports 6
    api=${ports[0]} etcd=${ports[1]} peers=${ports[2]} controllers=${ports[3]} scheduler=${ports[4]} kwok=${ports[5]}

    # One key: the server's, as us, as a real node and as pods call it; the one it asks kubelets with (logs, port-forward); and the one that
    # signs the tokens of service accounts.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /O=system:masters/CN=souk-test-cluster \
        -config <(printf '[req]\ndistinguished_name=name\nx509_extensions=v3\n[name]\n[v3]\nsubjectAltName=IP:127.0.0.1,DNS:localhost,IP:10.96.0.1,DNS:kubernetes.default.svc\n') \
        -keyout "$folder/server.key" -out "$folder/server.crt" 2>/dev/null
    openssl ec -in "$folder/server.key" -pubout -out "$folder/server.pub" 2>/dev/null
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    cat >"$folder/tokens.csv" <<END
admin-$token,admin,admin,"system:masters"
operator-$token,operator,operator
control-plane-$token,control-plane,control-plane
controllers-$token,system:kube-controller-manager,controllers
scheduler-$token,system:kube-scheduler,scheduler
kubelet-$token,system:node:real,kubelet,"system:nodes"
proxy-$token,system:kube-proxy,proxy
END
    for user in admin operator control-plane controllers scheduler kubelet proxy; do kubeconfig $user; done
    # Every write, by whom, and all that ours do: tests count them.
    cat >"$folder/audit.yaml" <<'END'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- { level: Metadata, users: [operator, control-plane] }
- { level: None, verbs: [get, list, watch] }
- { level: Metadata }
END

    start etcd "$programs/etcd" --data-dir "$folder/etcd" --unsafe-no-fsync --log-level warn \
        --listen-client-urls "http://127.0.0.1:$etcd" --advertise-client-urls "http://127.0.0.1:$etcd" \
        --listen-peer-urls "http://127.0.0.1:$peers" --initial-advertise-peer-urls "http://127.0.0.1:$peers" \
        --initial-cluster "default=http://127.0.0.1:$peers"
    start apiserver "$programs/kube-apiserver" --etcd-servers "http://127.0.0.1:$etcd" \
        --bind-address 127.0.0.1 --secure-port "$api" --advertise-address 127.0.0.1 --endpoint-reconciler-type none \
        --tls-cert-file "$folder/server.crt" --tls-private-key-file "$folder/server.key" \
        --enable-admission-plugins NodeRestriction,PodNodeSelector,PodTolerationRestriction --allow-privileged=true \
        --token-auth-file "$folder/tokens.csv" --authorization-mode Node,RBAC --service-cluster-ip-range 10.96.0.0/16 \
        --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$folder/server.pub" \
        --service-account-signing-key-file "$folder/server.key" \
        --kubelet-client-certificate "$folder/server.crt" --kubelet-client-key "$folder/server.key" \
        --kubelet-preferred-address-types InternalIP \
        --audit-policy-file "$folder/audit.yaml" --audit-log-path "$folder/audit.log"
    kubectl() { "$programs/kubectl" --kubeconfig "$folder/admin.kubeconfig" "$@"; }
    until_true "the API server" kubectl get --raw /readyz
    # The default request rates would take seconds to begin; and a busy machine must not lose nodes that are only late.
    start controllers "$programs/kube-controller-manager" --kubeconfig "$folder/controllers.kubeconfig" \
        --bind-address 127.0.0.1 --secure-port "$controllers" --leader-elect=false --kube-api-qps 200 --kube-api-burst 400 \
        --use-service-account-credentials --service-account-private-key-file "$folder/server.key" \
        --root-ca-file "$folder/server.crt" --node-monitor-grace-period 1h
    start scheduler "$programs/kube-scheduler" --kubeconfig "$folder/scheduler.kubeconfig" \
        --bind-address 127.0.0.1 --secure-port "$scheduler" --leader-elect=false --kube-api-qps 200 --kube-api-burst 400
    # Pod addresses of its own invention: nothing on this machine or beyond is ever asked for them.
    start kwok "$programs/kwok" --kubeconfig "$folder/admin.kubeconfig" --manage-all-nodes=false \
        --manage-nodes-with-annotation-selector kwok.x-k8s.io/node=fake \
        --cidr 10.128.0.1/16 --node-ip 127.0.0.1 --server-address "127.0.0.1:$kwok"
    [ "$nodes" = 0 ] || for node in $(seq "$nodes"); do
        cat <<END
---
apiVersion: v1
kind: Node
metadata:
  name: node-$node
  annotations: { kwok.x-k8s.io/node: fake }
  labels: { kubernetes.io/hostname: node-$node, kubernetes.io/os: linux, topology.kubernetes.io/zone: zone-$node }
status:
  allocatable: { cpu: "32", memory: 256Gi, pods: "1000" }
  capacity: { cpu: "32", memory: 256Gi, pods: "1000" }
END
    done | kubectl apply -f - >/dev/null
    until_true "the controller manager" kubectl -n default get serviceaccount default
    echo "$folder/admin.kubeconfig"
}

down() {
    "$here/node.sh" down "$folder"
    stop kwok scheduler controllers apiserver etcd
    rm -rf "$folder"
}

status() {
    local name pid memory
    for name in etcd apiserver controllers scheduler kwok; do
        if pid=$(cat "$folder/$name.pid" 2>/dev/null) && alive "$pid"; then
            memory=$(awk '/^VmRSS/ { printf "%.0f MB", $2 / 1024 }' "/proc/$pid/status")
            printf '%-12s runs as %s with %s\n' "$name" "$pid" "$memory"
        else
            printf '%-12s does not run\n' "$name"
        fi
    done
}

case $action in
up | down | status) "$action" ;;
*) sed -n '2,9s/^# //p' "$0"; exit 2 ;;
esac
