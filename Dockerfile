# Two images, in which nothing has to be written to at run time:
#
#   webhook  the admission webhook and its audit, for deploy/chart/gate-webhook: no git, no compiler, no package manager
#   gate     the command with git and the extra `opa`, for docker-compose.yml and CI (the default)
#
# Tags can be moved, so what is built upon is pinned by digest. The digests below stand for the ones that you have looked
# at: no image has them, so nothing is built before you say which. `docker buildx imagetools inspect` prints them:
#
#   docker build --target webhook --tag registry.example/gate/webhook \
#     --build-arg RUST_IMAGE=rust:1.95-slim-bookworm@sha256:... \
#     --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:... .
ARG RUST_IMAGE=rust:1.95-slim-bookworm@sha256:0000000000000000000000000000000000000000000000000000000000000000
ARG PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:0000000000000000000000000000000000000000000000000000000000000000

FROM ${RUST_IMAGE} AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-pip python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY requirements requirements
RUN python3 -m venv /build && /build/bin/pip install --require-hashes -r requirements/build.lock
COPY . .
RUN PATH="/build/bin:$PATH" CARGO_ENCODED_RUSTFLAGS="$(python3 tools/rustflags.py)" \
    maturin build --release --locked --interpreter /build/bin/python --out /wheel

# Packages by the hashes of their lock files, then without what installs packages.
FROM ${PYTHON_IMAGE} AS gate-packages
COPY --from=build /source/requirements /requirements
COPY --from=build /wheel /wheel
RUN python -m venv /opt/gate \
    && /opt/gate/bin/pip install --no-cache-dir --require-hashes \
         -r /requirements/runtime.lock -r /requirements/opa.lock \
    && /opt/gate/bin/pip install --no-cache-dir --no-deps /wheel/*.whl \
    && /opt/gate/bin/pip uninstall --yes pip setuptools

FROM ${PYTHON_IMAGE} AS webhook-packages
COPY --from=build /source/requirements /requirements
COPY --from=build /wheel /wheel
RUN python -m venv /opt/gate \
    && /opt/gate/bin/pip install --no-cache-dir --require-hashes \
         -r /requirements/runtime.lock -r /requirements/opa.lock -r /requirements/server.lock \
    && /opt/gate/bin/pip install --no-cache-dir --no-deps /wheel/*.whl \
    && /opt/gate/bin/pip uninstall --yes pip setuptools

FROM ${PYTHON_IMAGE} AS webhook
RUN rm -rf /usr/local/lib/python3.*/ensurepip /usr/local/lib/python3.*/site-packages/pip* /usr/local/bin/pip* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin gate
COPY --from=webhook-packages /opt/gate /opt/gate
ENV PATH=/opt/gate/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /
EXPOSE 8443 8080
ENTRYPOINT ["gate"]
CMD ["webhook", "serve", "--help"]

FROM ${PYTHON_IMAGE} AS gate
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin gate
COPY --from=gate-packages /opt/gate /opt/gate
ENV PATH=/opt/gate/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["gate"]
CMD ["--help"]
