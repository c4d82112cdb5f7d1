#!/usr/bin/env bash
# usage: scripts/onnx-cases/fetch.sh DIR
# Puts the operator test cases of the onnx package's releases (releases.txt) into DIR/<version>/onnx/backend/test/data/node:
# each wheel is downloaded with pip, checked against its hash, and only that folder of it is unpacked. Nothing is installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:?usage: fetch.sh DIR}
python=${PYTHON:-python3}
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
grep -v '^#' "$here/releases.txt" | while read -r version release platform sha256; do
  [ -d "$dir/$version" ] && continue
  echo "onnx==$version --hash=sha256:$sha256" >"$wheels/requirements.txt"
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --python-version "$release" --platform "$platform" -d "$wheels" -r "$wheels/requirements.txt"
  "$python" - "$wheels/onnx-$version"-*.whl "$dir/.$version" <<'PYTHON'
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith("onnx/backend/test/data/node/")])
PYTHON
  # Under its name only when it is whole.
  mv "$dir/.$version" "$dir/$version"
done
