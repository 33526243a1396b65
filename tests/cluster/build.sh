#!/usr/bin/env bash
# Builds a real Kubernetes for the tests from Go modules, with the ordinary go client, once: later calls do nothing.
#   build.sh        etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl (one program), kwok, helm
#   build.sh node   the same with kubelet and kube-proxy
# It costs about ten minutes of two cores and 5 GB of Go's caches; the programs (270 MB) are kept outside the clone. Go is fetched where it
# is missing. Exit status 3: it cannot be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=1.35.4
out=${SOUK_KUBERNETES:-${XDG_CACHE_HOME:-$HOME/.cache}/souk/kubernetes-$version}
. "$here/../../scripts/fetch.sh"
mkdir -p "$out"

# Two test runs at once build once.
exec 9>"$out/.lock"
flock 9

export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-mod=readonly -buildvcs=false -trimpath"
build() { # program, folder of its module, package, further flags
    local program=$1 module=$2 package=$3
    shift 3
    [ -x "$out/$program" ] && return 0
    souk_need_go || { echo "Go 1.25 or newer is needed to build Kubernetes (https://go.dev/dl)" >&2; exit 3; }
    echo "· building $program $version (once)" >&2
    # Linked beside its place and moved there: a program that exists is whole.
    (cd "$module" && go build "$@" -o "$out/.$program" "$package")
    mv "$out/.$program" "$out/$program"
}

flags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags="$flags -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=35 -X $package.gitTreeState=clean"
    flags="$flags -X $package.gitCommit=0000000000000000000000000000000000000000 -X $package.buildDate=1970-01-01T00:00:00Z"
done
if [ "${1:-}" = node ]; then
    build kubebox-node "$here/kubernetes" . -tags node -ldflags "$flags"
    for name in kubelet kube-proxy forward; do ln -sf kubebox-node "$out/$name"; done
fi
build kubebox "$here/kubernetes" . -ldflags "$flags"
for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubectl; do ln -sf kubebox "$out/$name"; done
build kwok "$here/kubernetes/kwok" sigs.k8s.io/kwok/cmd/kwok -ldflags "-s -w"
helm=helm.sh/helm/v3/pkg/chartutil
build helm "$here/kubernetes" helm.sh/helm/v3/cmd/helm -ldflags "-s -w -X $helm.k8sVersionMajor=1 -X $helm.k8sVersionMinor=35"
echo "$out"
