#!/bin/sh
# Runs a program in the image as an engine would: closed.sh ROOT USER:GROUP FOLDER PROGRAM... The root is read-only, /tmp and the
# state folder are empty and in memory, there is no network, no other process, no device but those that everybody has, and no
# way to more rights. Called by `unshare` in namespaces of its own, so that its mounts go with it.
set -eu
root=$1 user=$2 folder=$3
shift 3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
mount -t tmpfs -o "mode=700,uid=${user%:*},gid=${user#*:},nosuid,nodev" tmpfs "$root/var/lib/catalogizer"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$user" --groups="" "$root" \
    /usr/bin/python3 -c 'import os, sys; os.chdir(sys.argv[1]); os.execvp(sys.argv[2], sys.argv[2:])' "$folder" "$@"
