# syntax=docker/dockerfile:1
FROM node:20-bookworm AS panel
WORKDIR /src
COPY adapters/panel/package.json adapters/panel/package-lock.json ./
RUN npm ci
COPY adapters/panel .
RUN npm run build

FROM golang:1.26-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends libvips-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=panel /src/dist/app adapters/panel/dist/app
ARG VERSION=dev
# As make build RENDERER=vips.
RUN CGO_ENABLED=1 go build -trimpath -tags=nodynamic,vips -ldflags "-s -w -X gatefold/bootstrap.Version=${VERSION}" -o /gatefold . \
 && /gatefold version | grep -q "renderer vips" \
 && mkdir /empty

# libvips of the same release as above. pg_dump and redis-cli make backups.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libvips42 postgresql-client redis-tools \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /gatefold /usr/local/bin/gatefold
# A volume takes the owner of the folder it is mounted on.
COPY --from=build --chown=65532:65532 /empty /data
ENV DATA_DIR=/data LOG_FORMAT=json
VOLUME /data
EXPOSE 8080
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/gatefold"]
CMD ["serve"]
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["/usr/local/bin/gatefold", "health"]
