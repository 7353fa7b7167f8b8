# syntax=docker/dockerfile:1

# Statically linked, so that it runs anywhere: the command line has no name resolution and no locale that a
# static glibc would lack.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN cargo build --release --locked --target "$(rustc --print host-tuple)" \
    && mv target/*/release/lbaudit /lbaudit

# For CI systems that run scripts inside of the image, and for `diff --git` and `check --since`:
# docker build --target ci .
FROM debian:bookworm-slim AS ci
# The release of Debian pins the versions. A CI system checks out as another user than that of the image.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory "*"
COPY --from=build /lbaudit /usr/local/bin/lbaudit
USER 65532:65532
CMD ["lbaudit", "--help"]

# The program and nothing else: docker run --rm -v "$PWD:/work:ro" lbaudit check .
FROM scratch
COPY --from=build /lbaudit /lbaudit
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/lbaudit"]
CMD ["check", "."]
