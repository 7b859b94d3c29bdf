# The site in a container: a wheel, in an image that has neither compiler nor checkout. Only /data is written.
# All that is installed is named with its hash.
FROM python:3.13-slim-trixie AS build
WORKDIR /source
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /atlas \
 && /atlas/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
 && pip install --no-cache-dir --require-hashes -r requirements-build.txt
COPY . .
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /atlas/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl \
 && /atlas/bin/pip check

FROM python:3.13-slim-trixie
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --home-dir /data atlas && install -d -o atlas -g atlas /data
COPY --from=build /atlas /atlas
ENV PATH=/atlas/bin:$PATH PYTHONUNBUFFERED=1 PYTHONUTF8=1 DATA_DIR=/data HOST=0.0.0.0 PORT=8000
USER atlas
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=300s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["model-atlas", "serve"]
