# One image, every program of a platform: /souk-tenant-runtime (what it starts unless told otherwise), /souk-control-plane,
# /souk-operator and /souk (events, audit, rehearsals), static, in an otherwise empty root. The chart names the program of each pod.
#   docker build -t souk .
# Without Docker: `make image` builds the same final stage, from the lines below, as an OCI archive.

FROM rust:1.95-bookworm AS builder
WORKDIR /src
COPY . .
RUN scripts/image-root.sh /root-of-image

FROM scratch
COPY --from=builder /root-of-image/ /
LABEL org.opencontainers.image.title="Souk" \
      org.opencontainers.image.description="A headless commerce platform for many stores: control plane, operator, tenant runtime" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
# Nobody in /etc/passwd but this one, who owns nothing.
USER 65532:65532
WORKDIR /
EXPOSE 8080 9090
ENTRYPOINT ["/souk-tenant-runtime"]
CMD ["serve"]
