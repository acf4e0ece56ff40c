# The images of both programs:
#
#   docker build --target worker --tag streaming-tda-worker:0.1.0 .
#   docker build --target operator --tag streaming-tda-operator:0.1.0 .
#
# `make images` makes them without a container engine.

FROM docker.io/library/rust:1-bookworm AS build
WORKDIR /source
COPY . .
# The toolchain is that of rust-toolchain.toml. What was compiled before is kept between builds.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked -p streaming-tda-worker -p streaming-tda-operator \
    && for name in worker operator; do \
        program=streaming-tda-$name \
        && install -D target/release/$program /images/$name/usr/local/bin/$program \
        && strip /images/$name/usr/local/bin/$program \
        # The only library that the base below does not have.
        && library=$(ldd /images/$name/usr/local/bin/$program | awk '/libz/ { print $3 }') \
        && if [ -n "$library" ]; then install -D "$library" "/images/$name$library"; fi \
        || exit 1; \
    done

# glibc, OpenSSL and certificates, for a user without rights.
FROM gcr.io/distroless/cc-debian12:nonroot AS operator
COPY --from=build /images/operator/ /
ENTRYPOINT ["/usr/local/bin/streaming-tda-operator"]

FROM gcr.io/distroless/cc-debian12:nonroot AS worker
COPY --from=build /images/worker/ /
ENTRYPOINT ["/usr/local/bin/streaming-tda-worker"]
