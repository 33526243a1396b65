# What holds a pod's namespaces open: a program that waits for its end.
FROM scratch
COPY --from=builder / /
USER 65535:65535
ENTRYPOINT ["/pause"]
