#!/bin/sh
# parallel.sh PICTURES [SHARES]: a process a share on this machine; run it again to go on where it ended.
set -eu
pictures=$1
shares=${2:-4}
command=${MOBILENET_WEBGPU:-npx mobilenet-webgpu}
seq "$shares" | parallel --jobs "$shares" --halt soon,fail=1 \
  "$command classify --out results-{}.jsonl --shard {}/$shares $pictures"
