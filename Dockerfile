# The base image is an argument, so that it can be built where no image can be pulled.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
# Where packages come from is the builder's business: an index of their own, or wheels laid into wheels/ beside this file
# (pip download -r requirements.lock -d wheels; then PIP_NO_INDEX=1 and PIP_FIND_LINKS=/wheels). pip reads these names itself.
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
WORKDIR /app
# The lock comes along so that a missing wheels/ is no error.
COPY requirements.lock wheels* /wheels/
RUN python3 -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /wheels/requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY commands commands
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM ${BASE}
# Only what the bot needs to run; sources, wheels and the tests stay behind.
COPY --from=build /venv /venv
RUN useradd --uid 1001 --create-home --shell /usr/sbin/nologin vcc \
 && install -d -o vcc -g vcc /state /backups

WORKDIR /state
USER vcc
ENV PATH=/venv/bin:$PATH VCC_HOME=/state VCC_BACKUP_DIR=/backups VCC_HTTP_HOST=0.0.0.0 VCC_HTTP_PORT=8080
VOLUME ["/state", "/backups"]
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["vcc"]
CMD ["run"]
