#!/bin/sh
# First start: on loopback only, make the root user, stop. Then, and every later time, the real start with authentication.
set -eu
if [ ! -e /data/db/.root-created ]; then
    mongod --fork --logpath /tmp/first-start.log --bind_ip 127.0.0.1 --dbpath /data/db >/dev/null
    node /app/create_root.js
    mongod --shutdown --dbpath /data/db >/dev/null
    touch /data/db/.root-created
fi
exec mongod --auth --dbpath /data/db --setParameter diagnosticDataCollectionEnabled=false --wiredTigerCacheSizeGB 0.25 "$@"
