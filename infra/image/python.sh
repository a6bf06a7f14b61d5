#!/bin/sh
# Fills /image with the Debian packages that Python needs, without a shell, package manager or compiler. Their
# names and versions stay in /var/lib/dpkg/status.d, where scanners of images look, and their licences in /usr/share/doc.
set -eu
packages="base-files ca-certificates libbz2-1.0 libc-bin libc6 libcrypt1 libexpat1 libffi8 libgcc-s1 liblzma5
    libpython3.11-minimal libpython3.11-stdlib libsqlite3-0 libssl3 libstdc++6 libuuid1 media-types netbase
    python3.11-minimal zlib1g"
# modules of the standard library that nothing here imports; their libraries are left out
unused="_curses _curses_panel _dbm _gdbm _tkinter nis readline"

cd "$(mktemp -d)"
apt-get update --quiet=2
# shellcheck disable=SC2086  a list of words
apt-get download --quiet=2 --option APT::Sandbox::User=root $packages

mkdir -p /image/var/lib/dpkg/status.d /image/dev /image/proc /image/sys /image/run
for folder in bin lib lib64 sbin; do
    mkdir -p "/image/usr/$folder"
    ln -s "usr/$folder" "/image/$folder"
done
for package in *.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar --extract --directory=/image --keep-directory-symlink
    dpkg-deb --field "$package" > "/image/var/lib/dpkg/status.d/$(dpkg-deb --field "$package" Package)"
done

cd /image
find usr/bin usr/sbin -mindepth 1 ! -name python3.11 -delete
find usr/share/doc ! -type d ! -name copyright -delete
rm -rf usr/share/man usr/share/info usr/share/locale usr/share/lintian usr/share/bug usr/share/python3 usr/share/pixmaps \
    usr/share/applications usr/share/binfmts var/local var/cache var/backups etc/apt etc/ca-certificates etc/skel
for module in $unused; do
    rm -f usr/lib/python3.11/lib-dynload/"$module".*
done
ln -s python3.11 usr/bin/python3

mkdir -p etc/ssl/certs usr/lib/ssl
find usr/share/ca-certificates -name '*.crt' | LC_ALL=C sort | xargs cat > etc/ssl/certs/ca-certificates.crt
rm -rf usr/share/ca-certificates
ln -s /etc/ssl/certs usr/lib/ssl/certs
ln -s /etc/ssl/certs/ca-certificates.crt usr/lib/ssl/cert.pem

printf '%s\n' 'root:x:0:0:root:/:/sbin/nologin' \
    'catalogizer:x:10001:10001::/var/lib/catalogizer:/sbin/nologin' > etc/passwd
printf '%s\n' 'root:x:0:' 'catalogizer:x:10001:' > etc/group
printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' > etc/nsswitch.conf
install --directory --owner=10001 --group=10001 --mode=0700 var/lib/catalogizer
# a new volume that is mounted there gets this owner, so that the demo library can be created in it
install --directory --owner=10001 --group=10001 --mode=0755 media
install --directory --mode=1777 tmp var/tmp
