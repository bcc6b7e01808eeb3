#!/bin/sh
# Runs a program in the world that pgvigil.service leaves it: confined.sh UID HOME CREDENTIALS SEEN… -- PROGRAM…
# in a mount namespace of its own, which `unshare --mount --ipc --propagation private` has made.
# HOME becomes /var/lib/pgvigil, the one place to write; CREDENTIALS is what LoadCredential= copies.
# SEEN are the directories of the program, visible wherever they lie: a checkout is often in somebody's home.
set -eu
uid=$1 home=$2 credentials=$3
shift 3

# Remember what is about to be hidden, where nothing is.
stage=/media
mount -t tmpfs -o mode=755 tmpfs "$stage"
mkdir "$stage/home" "$stage/credentials"
mount --bind "$home" "$stage/home"
mount --bind "$credentials" "$stage/credentials"
seen=""
n=0
while [ "$1" != -- ]; do
    n=$((n + 1))
    mkdir "$stage/$n"
    mount --bind "$1" "$stage/$n"
    seen="$seen $n:$1"
    shift
done
shift

# PrivateDevices=
for device in null zero full random urandom; do
    : > "$stage/$device"
    mount --bind /dev/$device "$stage/$device"
done
mount -t tmpfs -o mode=755 tmpfs /dev
for device in null zero full random urandom; do
    : > /dev/$device
    mount --move "$stage/$device" /dev/$device
done

# ProtectHome=, PrivateTmp=, StateDirectory= and LoadCredential=
for hidden in /home /root /run /tmp /var/lib /var/tmp; do mount -t tmpfs -o mode=755 tmpfs $hidden; done
chmod 1777 /tmp /var/tmp
for one in $seen; do
    mkdir -p "${one#*:}"
    mount --move "$stage/${one%%:*}" "${one#*:}"
done
mkdir -p /var/lib/pgvigil /run/credentials/pgvigil.service
mount --move "$stage/home" /var/lib/pgvigil
chown "$uid:$uid" /var/lib/pgvigil
mount -t tmpfs -o mode=700 tmpfs /run/credentials/pgvigil.service
cp "$stage"/credentials/* /run/credentials/pgvigil.service
chown -R "$uid:$uid" /run/credentials/pgvigil.service
chmod 400 /run/credentials/pgvigil.service/*
umount "$stage/credentials" "$stage"

# ProtectProc= and ProcSubset=, ProtectSystem=
mount -t proc -o nosuid,nodev,noexec,hidepid=invisible,subset=pid proc /proc
while read -r _ place _; do
    case $place in
        /proc | /tmp | /var/tmp | /var/lib/pgvigil) ;;
        /proc/*) umount -l "$place" 2>/dev/null || : ;;
        *) mount -o remount,bind,ro "$place" 2>/dev/null || : ;;
    esac
done < /proc/self/mounts

cd /var/lib/pgvigil
umask 077
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
