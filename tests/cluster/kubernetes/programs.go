//go:build programs

// Keeps in go.mod what is built from this module without being imported by it.
package main

import _ "helm.sh/helm/v3/cmd/helm"
