"""Names of control groups as systemd and container engines give them."""

from __future__ import annotations

import pytest

from vorflug.model.control_group import GroupOwner, group_owner

ID, OTHER = "0123456789abcdef" * 4, "f" * 64


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/system.slice/nginx.service", GroupOwner(unit="nginx.service")),
        ("/system.slice/system-openvpn.slice/openvpn@corp.service", GroupOwner(unit="openvpn@corp.service")),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/caddy.service",
            GroupOwner(unit="caddy.service"),
        ),
        ("/user.slice/user-1000.slice/session-3.scope", GroupOwner()),
        ("/init.scope", GroupOwner()),
        ("/", GroupOwner()),
        ("", GroupOwner()),
        (f"/system.slice/docker-{ID}.scope", GroupOwner("docker", ID)),
        (f"/docker/{ID}", GroupOwner("docker", ID)),
        (f"/system.slice/nerdctl-{ID}.scope", GroupOwner("containerd", ID)),
        (
            f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-{ID}.scope",
            GroupOwner("containerd", ID),
        ),
        (f"/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:{ID}", GroupOwner("containerd", ID)),
        (f"/kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope", GroupOwner("cri-o", ID)),
        (f"/machine.slice/libpod-{ID}.scope/container", GroupOwner("podman", ID)),
        (f"/kubepods/besteffort/pod1234/{ID}", GroupOwner("kubernetes", ID)),
        ("/lxc.payload.web/system.slice/nginx.service", GroupOwner("lxc", "web")),
        # the innermost of nested ones
        (f"/docker/{OTHER}/docker/{ID}", GroupOwner("docker", ID)),
        (f"/docker/{OTHER}/kubepods/besteffort/pod1/{ID}", GroupOwner("kubernetes", ID)),
        # a name that only looks like an id
        ("/system.slice/docker-0123.scope", GroupOwner()),
        ("/system.slice/docker.service", GroupOwner(unit="docker.service")),
    ],
)
def test_whom_a_group_belongs_to(path, owner):
    assert group_owner(path) == owner
