#!/bin/sh
# Installs the locked packages into /opt/catalogizer, each verified by its hash; the tools for it are not installed there.
set -eu
export UV_SYSTEM_CERTS=1 # the system's list of certificates, as pip here
python3.11 -m venv /opt/tools
/opt/tools/bin/pip install --quiet --no-cache-dir --require-hashes --requirement /requirements/bootstrap.txt
python3.11 -m venv --without-pip /opt/catalogizer
VIRTUAL_ENV=/opt/catalogizer /opt/tools/bin/uv pip sync --quiet --no-cache --no-build --require-hashes \
    /requirements/image.txt
cd /opt/catalogizer
rm -rf .lock lib64 include bin/*
ln -s /usr/bin/python3.11 bin/python
printf '#!/opt/catalogizer/bin/python -P\nfrom cli.main import run\n\nrun()\n' > bin/catalogizer
chmod 755 bin/catalogizer
