#!/usr/bin/env bash
# Souk on a Kubernetes of this machine: `make up CLUSTER=1`.
#   on-cluster.sh prepare   a cluster whose node has the image, and a PostgreSQL that its pods reach; prints a shell's words for where they are
#   on-cluster.sh up        that, the chart in it, and ports of this machine that lead to it
#   on-cluster.sh down      all of it goes, with its data
#   on-cluster.sh kind      only a cluster of kind's, for `make cluster`; false where there can be none
# The cluster is the one of `make cluster` with a real node and none that only says so (needs root); where Docker, kind, kubectl and helm are
# there it is one of kind's, unless SOUK_CLUSTER=modules. The path with kind has never been run: there was no Docker where it was written.
#   SOUK_CLUSTER_HOME       the folder of all this (.souk/on-cluster)
#   SOUK_CLUSTER_DATABASE   the name of the platform's database (souk)
#   SOUK_IMAGE              an OCI archive that is there already, instead of one that is built as `make image` does
#   SOUK_COMMAND            the `souk` command that was built
#   SOUK_CHART              the chart to install (charts/souk); one that is there already is upgraded
#   SOUK_CONTROL_PORT, SOUK_RUNTIME_PORT   where the planes are reached (8080, 8081)
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
home=$(realpath -m "${SOUK_CLUSTER_HOME:-.souk/on-cluster}")
cluster=$home/cluster
database=${SOUK_CLUSTER_DATABASE:-souk}
chart=${SOUK_CHART:-charts/souk}
control=${SOUK_CONTROL_PORT:-8080} runtime=${SOUK_RUNTIME_PORT:-8081}
domain=shops.localhost

say() { printf '· %s\n' "$*" >&2; }
fail() { printf '✘ %s\n' "$*" >&2; exit 1; }

# Where the `souk` command is.
souk() {
    local program
    for program in ${SOUK_COMMAND:-target/debug/souk target/fast/souk target/release/souk}; do
        [ -x "$program" ] && { realpath "$program"; return; }
    done
    fail "souk is not built: make build"
}

by_kind() {
    local program
    [ "${SOUK_CLUSTER:-}" != modules ] || return 1
    for program in docker kind kubectl helm; do command -v "$program" >/dev/null || return 1; done
    docker info >/dev/null 2>&1
}

# Prints where the image lies, as an archive.
archive() {
    [ -z "${SOUK_IMAGE:-}" ] || { echo "$SOUK_IMAGE"; return; }
    say "building the image's programs (release, static)"
    scripts/image-root.sh target/image/root >&2
    python3 scripts/image.py target/image/root "$home/souk.tar" localhost/souk:dev >/dev/null
    echo "$home/souk.tar"
}

runs() { # name of a process of the node
    local pid
    pid=$(cat "$cluster/node/$1.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null
}

with_modules() { # sets config, programs, image, server (PostgreSQL as pods reach it), admin
    local address command ours file reference=$cluster/node/reference
    [ "$(id -u)" = 0 ] || fail "a real node needs root; without it, \`make cluster\` has nodes that only say that they run pods"
    say "Kubernetes on this machine"
    config=$(SOUK_CLUSTER_NODES=0 tests/cluster/cluster.sh up "$cluster")
    runs kubelet || tests/cluster/node.sh up "$cluster" >/dev/null
    programs=$(tests/cluster/build.sh node)
    # The only node takes everything.
    "$programs/kubectl" --kubeconfig "$config" taint nodes real souk.dev/real- >/dev/null 2>&1 || true
    say "PostgreSQL beside it"
    command=$(souk)
    address=$("$command" db start --dir "$home/postgres" | tail -1)
    admin=${address##*:} admin=${admin%%/*}
    runs "forward-$admin" || tests/cluster/node.sh forward "$cluster" "$admin"
    ours=$(sed -n 2p "$cluster/node/network")
    server=$ours:$admin
    admin=${address/127.0.0.1/$ours}
    say "the image"
    file=$(archive)
    # What the node has already it need not be given again.
    if [ "$reference" -nt "$file" ]; then
        image=$(cat "$reference")
    else
        image=$(tests/cluster/node.sh import "$cluster" "$file")
        echo "$image" >"$reference"
    fi
}

kind_up() { # sets config
    say "Kubernetes by kind"
    mkdir -p "$home"
    kind get clusters 2>/dev/null | grep -qx souk || kind create cluster --name souk --wait 120s >&2
    kind get kubeconfig --name souk >"$home/kubeconfig"
    config=$home/kubeconfig
}

with_kind() {
    local password digest file
    kind_up
    programs=
    say "PostgreSQL in it"
    [ -s "$home/password" ] || openssl rand -hex 24 >"$home/password"
    chmod 600 "$home/password"
    password=$(cat "$home/password")
    kubectl --kubeconfig "$config" apply -f - >/dev/null <<END
{ apiVersion: v1, kind: Namespace, metadata: { name: postgres } }
---
{ apiVersion: v1, kind: Service, metadata: { name: postgres, namespace: postgres }, spec: { selector: { app: postgres }, ports: [{ port: 5432 }] } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: postgres, namespace: postgres }
spec:
  selector: { matchLabels: { app: postgres } }
  strategy: { type: Recreate }
  template:
    metadata: { labels: { app: postgres } }
    spec:
      containers:
        - name: postgres
          image: postgres:18
          args: [-c, max_locks_per_transaction=512, -c, max_connections=300]
          env: [{ name: POSTGRES_PASSWORD, value: "$password" }]
          readinessProbe: { exec: { command: [pg_isready, -h, 127.0.0.1, -U, postgres] }, periodSeconds: 2 }
END
    kubectl --kubeconfig "$config" -n postgres rollout status deployment/postgres --timeout=180s >&2
    server=postgres.postgres.svc:5432
    admin=postgres://postgres:$password@$server/postgres
    say "the image"
    file=$(archive)
    kind load image-archive "$file" --name souk >&2
    # A pod that pins a digest is given only an image that goes by it.
    inside() { docker exec souk-control-plane ctr -n k8s.io images "$@"; }
    digest=$(inside ls name==localhost/souk:dev | awk 'NR == 2 { print $3 }')
    inside tag --force localhost/souk:dev "localhost/souk@$digest" >/dev/null
    image=localhost/souk@$digest
}

prepare() {
    local command
    command=$(souk)
    mkdir -p "$home"
    if by_kind; then with_kind; else with_modules; fi
    cat <<END
export KUBECONFIG='$config'
export PATH='${programs:+$programs:}${command%/*}':"\$PATH"
export IMAGE='$image'
export SOUK_DATABASE_URL='postgres://$server/$database'
export SOUK_ADMIN_DATABASE_URL='$admin'
END
}

secret() {
    local keys=$home/keys name
    kubectl -n souk get secret souk >/dev/null 2>&1 && return
    mkdir -p "$keys"
    chmod 700 "$keys"
    openssl genpkey -algorithm ed25519 -out "$keys/signing-key.pem" 2>/dev/null
    openssl pkey -in "$keys/signing-key.pem" -pubout -out "$keys/signing-key.pub.pem"
    for name in lane-secret cursor-secret control-password provisioner-password relay-password; do
        openssl rand -hex 32 | tr -d '\n' >"$keys/$name"
    done
    printf %s "$SOUK_ADMIN_DATABASE_URL" >"$keys/admin-database-url"
    kubectl -n souk create secret generic souk --from-file="$keys" >/dev/null
    rm -rf "$keys"
}

# Ports of this machine lead to the Services. A forwarding ends with the pod it leads to, so it is begun again.
lead() { # service, port
    stop_leading "$1"
    setsid bash -c 'while :; do "$@"; sleep 1; done' lead kubectl -n souk port-forward "service/$1" "$2:80" \
        >"$home/$1.log" 2>&1 </dev/null &
    echo $! >"$home/$1.pid"
}

stop_leading() {
    local pid
    pid=$(cat "$home/$1.pid" 2>/dev/null) || return 0
    kill -- "-$pid" 2>/dev/null || true
    rm -f "$home/$1.pid"
}

up() {
    local words
    words=$(prepare)
    eval "$words"
    for name in souk shops; do kubectl create namespace "$name" >/dev/null 2>&1 || true; done
    secret
    # Helm makes definitions and never changes them.
    [ ! -d "$chart/crds" ] || kubectl apply --server-side --force-conflicts -f "$chart/crds/" >/dev/null
    say "helm upgrade --install souk $chart"
    helm upgrade --install souk "$chart" -n souk --wait --timeout 5m \
        --set "image.repository=${IMAGE%@*},image.digest=${IMAGE#*@},database.url=$SOUK_DATABASE_URL" \
        --set "platformDomain=$domain:$runtime,publicUrl=http://localhost:$control" \
        --set "operator.storeNamespaces={shops},controlPlane.storeNamespace=shops" \
        --set controlPlane.replicas=1,runtime.replicas=1,operator.replicas=1 >/dev/null
    lead souk-control-plane "$control"
    lead souk-runtime "$runtime"
    curl -sf -o /dev/null --retry 20 --retry-delay 1 --retry-all-errors "http://localhost:$control/openapi.json" ||
        fail "nothing answers at http://localhost:$control; see $home/souk-control-plane.log"
    cat <<END
Souk runs on Kubernetes.
  Control plane   http://localhost:$control   (http://localhost:$control/docs)
  Stores          http://{handle}.$domain:$runtime
  Store objects   namespace shops:  kubectl -n shops get sto
  For a shell:
$(sed -n 's/^export [KP]/    &/p' <<<"$words")
  A sale:
    souk rehearse --control http://localhost:$control
    helm test souk -n souk
END
}

down() {
    local command
    stop_leading souk-control-plane
    stop_leading souk-runtime
    if [ -f "$home/kubeconfig" ]; then kind delete cluster --name souk >&2 || true; fi
    [ ! -d "$cluster" ] || tests/cluster/cluster.sh down "$cluster"
    if [ -d "$home/postgres" ]; then
        command=$(souk)
        "$command" db remove --dir "$home/postgres"
    fi
    rm -rf "$home"
}

case ${1:-} in
prepare | up | down) "$1" ;;
kind)
    by_kind || exit 1
    kind_up
    echo "export KUBECONFIG='$config'"
    ;;
*) sed -n '2,16s/^# //p' "$0"; exit 2 ;;
esac
