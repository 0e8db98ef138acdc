FROM python:3.14-slim@sha256:51dafde81dbdb6ebde285137a295cf18a47ca95234fe388a343719cb97305b3d AS build

WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY tap_gorgias tap_gorgias
RUN python -m venv --without-pip /opt/tap-gorgias \
    && pip --python /opt/tap-gorgias/bin/python install --no-cache-dir .

FROM python:3.14-slim@sha256:51dafde81dbdb6ebde285137a295cf18a47ca95234fe388a343719cb97305b3d

COPY --from=build /opt/tap-gorgias /opt/tap-gorgias
USER 65532:65532
ENTRYPOINT ["/opt/tap-gorgias/bin/tap-gorgias"]
