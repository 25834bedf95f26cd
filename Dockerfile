# The gate with the extra `opa`, for docker-compose.yml. Nothing in it has to be written to at run time.
# Tags can be moved: pin both images by the digests that you have looked at.

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-pip python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY requirements requirements
RUN python3 -m venv /build && /build/bin/pip install --require-hashes -r requirements/build.lock
COPY . .
RUN PATH="/build/bin:$PATH" CARGO_ENCODED_RUSTFLAGS="$(python3 tools/rustflags.py)" \
    maturin build --release --locked --interpreter /build/bin/python --out /wheel

FROM python:3.11-slim-bookworm AS packages
COPY --from=build /source/requirements /requirements
COPY --from=build /wheel /wheel
RUN python -m venv /opt/gate \
    && /opt/gate/bin/pip install --no-cache-dir --require-hashes \
         -r /requirements/runtime.lock -r /requirements/opa.lock \
    && /opt/gate/bin/pip install --no-cache-dir --no-deps /wheel/*.whl \
    && /opt/gate/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin gate
COPY --from=packages /opt/gate /opt/gate
ENV PATH=/opt/gate/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["gate"]
CMD ["--help"]
