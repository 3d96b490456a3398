#!/usr/bin/env bash
# Builds the image and starts it, without a Docker engine: Debian's buildah runs the Dockerfile on a base image that is
# made on the spot from Debian's packages and the Node of node_modules. Needs root, and a package registry to install from.
# Without buildah it says so and succeeds; REQUIRE_IMAGE=1 makes that a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
  echo "skipped: $1"
  exit "${REQUIRE_IMAGE:-0}"
}
[ "$(id -u)" = 0 ] || skip 'building an image without an engine needs root'
for tool in buildah mmdebstrap curl; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (apt-get install buildah mmdebstrap curl)"
done
[ -x node_modules/node/bin/node ] || skip 'node_modules is missing (npm ci)'

work=$(mktemp -d)
port=${PORT:-3987}
running=
# Everything lives in one folder: no image or container of the machine is touched, and nothing stays behind.
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
buildah() { command buildah --root "$work/storage" --runroot "$work/run" "$@"; }
# The process at the end of the chain from this script to the application.
application() {
  local pid=$running child
  while child=$(pgrep -P "$pid" | head -n 1) && [ -n "$child" ]; do pid=$child; done
  echo "$pid"
}

cleanup() {
  [ -z "$running" ] || kill -KILL "$(application)" 2>/dev/null || true
  buildah rm --all >/dev/null 2>&1 || true
  # What buildah leaves mounted when it is interrupted.
  awk -v under="$work/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount
  rm -rf "$work"
}
trap cleanup EXIT

say() { echo "$(date +%T) $*"; }
fail() {
  say "FAILED: $1"
  [ ! -f "$work/log" ] || sed 's/^/  | /' "$work/log"
  exit 1
}

say 'base image: Debian bookworm with Node'
mmdebstrap --quiet --variant=minbase --include=ca-certificates bookworm "$work/base.tar"
base=$(buildah from scratch)
buildah add --quiet "$base" "$work/base.tar" / >/dev/null
rm "$work/base.tar"
buildah copy --quiet "$base" node_modules/node/bin/node /usr/local/bin/node >/dev/null
npm=$(realpath "$(command -v npm)")
buildah copy --quiet "$base" "${npm%/bin/npm-cli.js}" /usr/local/lib/node_modules/npm >/dev/null
# What the real base image has besides, and this machine's certificates, which a private registry or proxy may need.
buildah copy --quiet "$base" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >/dev/null
buildah run "$base" -- sh -c 'ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && useradd --uid 1000 --create-home node'
buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$base"
buildah commit --quiet --rm "$base" docker.io/library/node:24-bookworm-slim >/dev/null

say 'image: docker/Dockerfile'
buildah build --quiet --pull-never --format docker -f docker/Dockerfile -t rowhouse . >"$work/log" 2>&1 || fail 'the Dockerfile does not build'
rm "$work/log"

container=$(buildah from --pull-never localhost/rowhouse)
# What a start in production has to be given. All else is the image's own.
secret=$(head -c 48 /dev/urandom | base64 -w0)
run() { buildah run --env "JWT_SECRET=$secret" --env "PORT=$port" "$container" -- "$@"; }

for unwanted in node_modules/jest node_modules/@nestjs/cli apps libs .npmrc; do
  run test ! -e "$unwanted" || fail "the image contains $unwanted"
done

start() {
  ! curl -so /dev/null "http://127.0.0.1:$port" || fail "port $port is taken; name a free one with PORT"
  run node --enable-source-maps dist/apps/api/src/main.js >"$work/log" 2>&1 &
  running=$!
  for _ in $(seq 100); do
    ! curl -sf -o "$work/reply" "http://127.0.0.1:$port/readyz" || return 0
    kill -0 "$running" 2>/dev/null || fail 'the application ended by itself'
    sleep 0.2
  done
  fail '/readyz did not answer in 20 s'
}

stop() {
  local code=0
  kill -TERM "$(application)"
  timeout 20 tail --pid="$running" -f /dev/null || fail 'SIGTERM did not end it in 20 s'
  wait "$running" || code=$?
  running=
  [ "$code" = 0 ] || fail "SIGTERM ended it with $code"
}

post() {
  curl -sS --max-time 10 -o "$work/reply" -w '%{http_code}' -H 'content-type: application/json' -d "$2" "http://127.0.0.1:$port$1"
}
expect() {
  [ "$1" = "$2" ] || { cat "$work/reply"; fail "$3 answered $1, not $2"; }
}

say 'start, as the user of the image, on sqlite'
start
[ "$(stat -c %u "/proc/$(application)")" = 1000 ] || fail 'the application does not run as user 1000'
mapfile -t health < <(buildah inspect --type image localhost/rowhouse |
  node -p "JSON.parse(fs.readFileSync(0, 'utf8')).Docker.config.Healthcheck.Test.slice(1).join('\n')")
run "${health[@]}" || fail 'the health check fails beside a running application'
password=$(head -c 18 /dev/urandom | base64)
owner="\"email\":\"owner@image.example\",\"password\":\"$password\""
expect "$(post /v1/tenants "{\"slug\":\"image-check\",\"name\":\"Image check\",\"owner\":{$owner,\"name\":\"Owner\"}}")" 201 'sign-up'

say 'stop by SIGTERM, start again: the tenant is still there'
stop
! run "${health[@]}" 2>/dev/null || fail 'the health check succeeds without an application'
start
expect "$(post /v1/auth/login "{$owner,\"tenant\":\"image-check\"}")" 200 'login'
stop

say 'the image builds, serves as its user, keeps its data and stops cleanly'
