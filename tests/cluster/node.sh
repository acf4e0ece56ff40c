#!/bin/sh
# The first process of a node, in namespaces of its own for mounts, processes and the network.
# Usage: node.sh NAME ADDRESS FOLDER PROGRAMS
set -eu
name=$1 address=$2 folder=$3 programs=$4

# Volumes are mounted by the kubelet and must be seen by containers, but not outside the node.
mount --make-rshared /
# What is needed is put where the next mounts do not hide it.
mount -t tmpfs node /mnt
mkdir /mnt/node /mnt/programs
mount --bind "$folder" /mnt/node
mount --bind "$programs" /mnt/programs
# Programs have fixed ideas of where they keep things; they all come to be in the node's folder.
mkdir -p /mnt/node/lib/kubelet /mnt/node/lib/containerd /mnt/node/log /mnt/node/logs
mount --bind /mnt/node/lib /var/lib
mount --bind /mnt/node/log /var/log
mount -t tmpfs node /run
cd /mnt/node
export PATH="/mnt/programs:$PATH"

# Starts a program in the background, and again whenever it ends.
keep() {
    while :; do
        "$@" >>"logs/$1.log" 2>&1 || true
        sleep 1
    done &
}

keep containerd -c /mnt/node/containerd.toml
tries=0
until ctr version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 600 ]; then
        tail -n 20 logs/containerd.log >&2
        exit 1
    fi
    sleep 0.05
done
for image in /mnt/programs/images/*.tar; do
    ctr -n k8s.io images import "$image" >>logs/images.log 2>&1
done

# The network is there, and the control plane answers.
until [ -e connected ]; do sleep 0.05; done
keep kube-proxy --config=/mnt/node/proxy.json
keep kubelet --config=/mnt/node/kubelet.json --kubeconfig=/mnt/node/kubeconfig \
    --hostname-override="$name" --node-ip="$address"
# As the first process, it is the parent of all orphans.
while :; do wait; sleep 1; done
