#!/bin/sh
# What `make test` runs test programs through: Kubernetes is stopped after its tests, which the others would feel (half a core).
code=0
"$@" || code=$?
case "${1##*/}" in
cluster-*)
	home=$(cd "$(dirname "$0")/.." && pwd)
	"$home/tests/cluster/cluster.sh" down "$home/.souk/test-cluster" || true
	SOUK_CLUSTER_HOME="$home/.souk/test-install" "$home/scripts/on-cluster.sh" down || true
	;;
esac
exit "$code"
