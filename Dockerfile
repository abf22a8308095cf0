# syntax=docker/dockerfile:1
FROM node:20-bookworm AS panel
WORKDIR /src
COPY adapters/panel/package.json adapters/panel/package-lock.json ./
RUN npm ci
COPY adapters/panel .
RUN npm run build

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=panel /src/dist/app adapters/panel/dist/app
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X gatefold/bootstrap.Version=${VERSION}" -o /gatefold . \
 && mkdir /empty

FROM gcr.io/distroless/static-debian12:nonroot
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
