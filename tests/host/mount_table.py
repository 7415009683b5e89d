"""A mount table as a machine with many kinds of mounts shows it (proc_pid_mountinfo(5))."""

from __future__ import annotations

TABLE = r"""22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
40 28 8:3 / /data\040one rw,relatime shared:2 master:1 - xfs /dev/mapper/vg\134x rw,relatime,attr2
41 28 8:2 /srv/assist /opt/assist rw - ext4 /dev/sda2 rw
42 28 0:60 / /mnt/nas rw - cifs //nas.corp/share rw,vers=3.1.1,username=svc-assist,password=hunter2hunter2,uid=0
43 28 0:61 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir=/l,upperdir=/u
44 28 8:5 / /data rw - ext4 /dev/sdb1 rw
45 44 0:70 / /data rw - tmpfs tmpfs rw
46 28 0:71 / /mnt/web rw - fuse.davfs https://user:geheim99@dav.corp/x rw
"""
