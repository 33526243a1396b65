//! The operator on a real Kubernetes (etcd, kube-apiserver, kube-controller-manager, kube-scheduler) over a real PostgreSQL.
//! Pods are scheduled, but kwok only says that they run; those of `node` do run, on a real kubelet and containerd.
//!
//! Every test has a namespace and an operator of its own. The cluster is left running for the next time
//! (`make cluster-down`).

mod arrival;
mod bench;
mod birth;
mod chart;
mod deletion;
mod faults;
mod figures;
mod front;
mod hibernation;
mod node;
mod operators;
mod plane;
mod refusals;
mod release;
mod repair;
mod rights;
mod scale;
