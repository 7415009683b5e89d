# packages: docker.io ufw iptables quota xfsprogs cryptsetup-bin nginx-light
# A running engine, a web server in the way, a firewall, an encrypted volume, an XFS of the old kind, quotas.
docker info --format '{{.ServerVersion}} {{.Driver}} {{.CgroupVersion}}'
ufw --force enable
vorflug record --out /out/engine.yaml
vorflug run --out /out/engine

volume() { truncate -s "$2" "/srv/$1.img" && losetup --find --show "/srv/$1.img"; }

# an encrypted volume holds the shared folder
device=$(volume secret 3G)
printf x | cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 "$device" -
printf x | cryptsetup open "$device" secret --key-file -
mkfs.ext4 -q /dev/mapper/secret
mkdir -p /opt/assist/shared && mount /dev/mapper/secret /opt/assist/shared

# the engine's folder lies on an XFS without file types
systemctl stop docker.socket docker containerd
device=$(volume xfs 2G)
mkfs.xfs -q -m crc=0 -n ftype=0 "$device"
mount "$device" /var/lib/docker
vorflug run --out /out/disks
umount /var/lib/docker

# a quota of a user
device=$(volume quota 1G)
mkfs.ext4 -q -O quota "$device"
umount /opt/assist/shared && mount -o usrquota "$device" /opt/assist/shared && quotaon /opt/assist/shared
setquota -u nobody 0 100M 0 1000 /opt/assist/shared
repquota /opt/assist/shared
chmod 777 /opt/assist/shared
mkdir /out/quota && chown nobody /out/quota
systemd-run --wait --collect -p User=nobody -E HOME=/tmp vorflug run --out /out/quota
