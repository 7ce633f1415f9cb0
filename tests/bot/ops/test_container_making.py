"""What an engine is asked for to make a container again: the same in everything but what is to change."""

from __future__ import annotations

from typing import Any

from bot.ops.container_making import Changes, blueprint
from bot.ops.container_networks import endpoint, standing_from

IDENTITY = "ab" * 32


def inspected(**changed: Any) -> dict[str, Any]:
    network = {"NetworkID": "n1", "Aliases": ["backend", "vcc-backend", IDENTITY[:12]], "IPAMConfig": {"IPv4Address": "172.20.0.9"}}
    return {
        "Id": IDENTITY,
        "Name": "/vcc-backend",
        "Image": "sha256:1",
        "Config": {
            "Hostname": IDENTITY[:12],
            "Env": ["A=1", "JWT_SECRET=old", "PATH=/bin"],
            "Cmd": ["redis-server", "--requirepass", "old"],
            "Entrypoint": None,
            "Labels": {"com.docker.compose.service": "backend"},
        },
        "HostConfig": {
            "Binds": ["uploads:/app/uploads:rw"],
            "Mounts": [{"Target": "/backups"}],
            "NetworkMode": "vcc_net",
            "RestartPolicy": {"Name": "always"},
        },
        "Mounts": [
            {"Type": "volume", "Name": "uploads", "Destination": "/app/uploads", "RW": True},
            {"Type": "volume", "Name": "kept", "Destination": "/backups", "RW": True},
            {"Type": "volume", "Name": "f00", "Destination": "/cache", "RW": False},
        ],
        "NetworkSettings": {"Networks": {"vcc_net": network, "another": {"NetworkID": "n2", "Aliases": None}}},
        **changed,
    }


def test_only_what_is_to_change_differs() -> None:
    told = inspected()
    asked = blueprint(told, Changes({"JWT_SECRET": "new", "B": "2"}), standing_from("backend", told), "vcc-backend:1")
    assert asked["Env"] == ["A=1", "PATH=/bin", "JWT_SECRET=new", "B=2"]
    assert (asked["Cmd"], asked["Entrypoint"], asked["Image"]) == (["redis-server", "--requirepass", "old"], None, "vcc-backend:1")
    assert asked["Labels"] == told["Config"]["Labels"]
    assert asked["HostConfig"]["RestartPolicy"] == {"Name": "always"}
    assert "Hostname" not in asked


def test_a_host_name_that_somebody_chose_stays() -> None:
    told = inspected()
    told["Config"]["Hostname"] = "chosen"
    assert blueprint(told, Changes(), standing_from("backend", told), "x")["Hostname"] == "chosen"


def test_a_volume_without_a_name_of_its_own_is_not_made_anew() -> None:
    told = inspected()
    asked = blueprint(told, Changes(), standing_from("backend", told), "x")
    assert asked["HostConfig"]["Binds"] == ["uploads:/app/uploads:rw", "f00:/cache:ro"]


def test_a_mount_that_names_no_volume_gets_the_one_it_has() -> None:
    """Asked for without a source, the engine would make a new and empty one."""
    told = inspected()
    told["HostConfig"]["Mounts"] = [{"Type": "volume", "Target": "/backups"}, {"Type": "tmpfs", "Target": "/tmp"}]
    mounts = blueprint(told, Changes(), standing_from("backend", told), "x")["HostConfig"]["Mounts"]
    assert mounts == [{"Type": "volume", "Target": "/backups", "Source": "kept"}, {"Type": "tmpfs", "Target": "/tmp"}]


def test_a_word_of_the_command_is_changed_where_its_option_stands() -> None:
    told = inspected()
    asked = blueprint(told, Changes(options={"--requirepass": "new"}), standing_from("redis", told), "x")
    assert asked["Cmd"] == ["redis-server", "--requirepass", "new"]


def test_it_is_made_in_its_first_network_under_its_names_and_its_fixed_address() -> None:
    told = inspected()
    networks = blueprint(told, Changes(), standing_from("backend", told), "x")["NetworkingConfig"]["EndpointsConfig"]
    assert networks == {"vcc_net": {"Aliases": ["backend", "vcc-backend"], "IPAMConfig": {"IPv4Address": "172.20.0.9"}}}


def test_how_it_stood_before_an_isolation_counts_and_not_how_it_stands_now() -> None:
    before = standing_from("backend", inspected())
    now = inspected(NetworkSettings={"Networks": {}})
    now["HostConfig"]["RestartPolicy"] = {"Name": "no"}
    asked = blueprint(now, Changes(), before, "x")
    assert asked["HostConfig"]["RestartPolicy"] == {"Name": "always"}
    assert list(asked["NetworkingConfig"]["EndpointsConfig"]) == ["vcc_net"]


def test_links_and_options_of_a_network_go_with_it() -> None:
    told = inspected()
    told["NetworkSettings"]["Networks"]["vcc_net"] |= {"Links": ["a:b"], "DriverOpts": {"x": "y"}, "IPAMConfig": None}
    (first, *_) = [each for each in standing_from("backend", told).attachments if each.network == "vcc_net"]
    assert endpoint(first) == {"Aliases": ["backend", "vcc-backend"], "Links": ["a:b"], "DriverOpts": {"x": "y"}}
