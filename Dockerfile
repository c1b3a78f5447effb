# The five services in one image: `ticketing serve auth`, `... tickets`, and so on.

FROM rust:1.95.0-bookworm AS base
WORKDIR /src

# Manifests and empty entry points only. The next stage copies this result, and what it
# copies stays the same until a manifest changes, so the dependencies are built once.
FROM base AS manifests
COPY . .
RUN find . -name '*.rs' \
        ! -path '*/src/lib.rs' ! -path '*/src/main.rs' ! -path '*/src/bin/*' \
        ! -path '*/tests/*' ! -path '*/benches/*' ! -path '*/examples/*' ! -name build.rs \
        -delete \
    && find . -name '*.rs' -print0 \
        | xargs -0 -n 1 sh -c 'echo "fn main() {}" > "$1"' sh \
    && find . -type f ! -name '*.rs' ! -name Cargo.toml ! -name Cargo.lock -delete \
    && mkdir -p system/ticketing/src \
    && echo "fn main() {}" > system/ticketing/src/main.rs

FROM base AS build
COPY --from=manifests /src .
RUN cargo build --locked --release --package ticketing
COPY . .
# Cargo compares times, and the copied sources are older than what was just built from
# the empty ones.
RUN find . -name '*.rs' -exec touch {} + \
    && cargo build --locked --release --package ticketing \
    && cp target/release/ticketing /ticketing

FROM debian:12.12-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY deploy/ready.sh /usr/local/bin/ready
COPY --from=build /ticketing /usr/local/bin/ticketing
USER 65532:65532
ENV LISTEN=0.0.0.0:3000
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 CMD ["ready", "3000"]
ENTRYPOINT ["ticketing"]
CMD ["serve", "all"]
