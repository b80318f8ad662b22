# Python 3.12.15 on Debian 12, for all processors; a tag alone is another image every few weeks. The
# newest digest: docker buildx imagetools inspect python:3.12-slim-bookworm
FROM python:3.12-slim-bookworm@sha256:34386ef0cb081344d7ec1c103ba398e6e9f64e9ab3a1509accc92a4e24a07258 AS base

# Build: a virtual environment from the lock, with the package in it.
FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1
WORKDIR /source
COPY tools ./tools
COPY requirements.lock ./
RUN python tools/install.py /opt/alk-cds requirements.lock
COPY pyproject.toml LICENSE README.md ./
COPY cds_service ./cds_service
COPY hooks ./hooks
COPY fhir_fixtures ./fhir_fixtures
RUN /opt/alk-cds/bin/pip install --no-deps --no-build-isolation . \
    && /opt/alk-cds/bin/pip check

# Run: nothing but the environment, as a user without a name or rights.
FROM base
LABEL org.opencontainers.image.title="alk-cds" \
      org.opencontainers.image.description="CDS Hooks decision support for ALK-positive lung cancer" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/alk-cds /opt/alk-cds
# A named volume mounted on /data takes over this owner, so that the user below can write to it.
RUN install --directory --owner=10001 --group=10001 --mode=0700 /data
ENV PATH=/opt/alk-cds/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ALK_CDS_BIND=0.0.0.0:8000 \
    ALK_CDS_DATABASE_URL=sqlite:////data/alk-cds.sqlite3
WORKDIR /data
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
# gunicorn --config python:cds_service.operations.gunicorn_conf "cds_service.app:create_app()"
CMD ["gunicorn", "--config", "python:cds_service.operations.gunicorn_conf", "cds_service.app:create_app()"]
