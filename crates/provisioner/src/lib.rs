//! Makes, migrates, suspends and removes the schema and the role of a store. No Kubernetes.
