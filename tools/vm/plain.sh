# packages: auditd nftables
# A plain Debian, as root, in a group with a quota three groups up, and as nobody.
vorflug record --out /out/plain.yaml
vorflug run --out /out/root

systemctl set-property --runtime outer.slice CPUQuota=150% MemoryMax=900M
quota() { systemd-run --wait --collect -p Slice=outer-middle-inner.slice -E HOME=/root "$@"; }
quota vorflug record --out /out/quota.yaml
quota vorflug run --out /out/quota

mkdir /out/nobody && chown nobody /out/nobody
systemd-run --wait --collect -p User=nobody -E HOME=/tmp vorflug run --out /out/nobody
