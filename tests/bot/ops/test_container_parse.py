"""The engine's JSON becomes our values as the docker client would show it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.ops.container_parse import cpu_percent, disk_from, moment, service_from, usage_from
from bot.ops.container_values import Mount, Port
from tests.bot.ops.fake_engine import container


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-22T10:00:00.5Z", 1769076000.5),
        ("2026-01-22T10:00:00Z", 1769076000.0),
        ("2026-01-22T10:00:00.123456789Z", 1769076000.123456789),
        ("2026-01-22T19:00:00.25+09:00", 1769076000.25),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
        ("soon", None),
    ],
)
def test_times_are_read_to_the_fraction_and_never_is_none(text: str | None, seconds: float | None) -> None:
    assert moment(text) == (None if seconds is None else pytest.approx(seconds, abs=1e-6))


def test_a_running_container_is_read_in_full() -> None:
    service = service_from(container("backend", health="healthy", restarts=2))
    assert (service.name, service.container_name, service.number, service.project) == ("backend", "vcc-backend-1", 1, "vcc")
    assert (service.state, service.health, service.exit_code, service.restarts, service.pid) == ("running", "healthy", None, 2, 42)
    assert (service.started_at, service.finished_at) == (1769076000.5, None)
    assert service.ports == (Port(3000, "tcp", 3000, "0.0.0.0"), Port(9000, "udp"))
    assert service.networks == ("vcc_net",)
    assert service.mounts == (Mount("volume", "uploads", "/v", "/app/uploads", True),)
    assert (service.log_driver, service.log_path) == ("json-file", "/data/log.json")


def test_a_dead_container_tells_how_it_ended() -> None:
    service = service_from(container("backend", running=False, exit_code=137, oom=True))
    assert (service.running, service.exit_code, service.oom_killed, service.health) == (False, 137, True, "")


def test_a_container_that_says_next_to_nothing_is_no_accident() -> None:
    service = service_from({"Id": "x", "NetworkSettings": {"Ports": None}, "Mounts": None, "State": {"Health": {"Status": "none"}}})
    assert (service.container_id, service.health, service.ports, service.mounts) == ("x", "", (), ())


def sample(total: int, system: int, **rest: object) -> dict[str, object]:
    return {"cpu_usage": {"total_usage": total}, "system_cpu_usage": system, "online_cpus": 2, **rest}


def test_one_busy_core_of_two_is_a_hundred_percent() -> None:
    assert cpu_percent(sample(0, 0), sample(500, 1000)) == pytest.approx(100.0)


def test_a_counter_that_went_back_is_zero_not_negative() -> None:
    assert cpu_percent(sample(500, 1000), sample(100, 2000)) == 0.0
    assert cpu_percent(sample(100, 1000), sample(200, 1000)) == 0.0
    assert cpu_percent({}, {}) == 0.0


@pytest.mark.parametrize("cache", ["inactive_file", "total_inactive_file"])
def test_memory_leaves_out_the_page_cache_under_both_kinds_of_cgroup(cache: str) -> None:
    after = {
        "memory_stats": {"usage": 1000, "limit": 4000, "stats": {cache: 400}},
        "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
        "blkio_stats": {
            "io_service_bytes_recursive": [{"op": "Read", "value": 5}, {"op": "write", "value": 6}, {"op": "sync", "value": 9}]
        },
        "pids_stats": {"current": 7},
    }
    usage = usage_from(service_from(container("backend")), {}, after)
    assert (usage.memory_bytes, usage.memory_limit_bytes, usage.memory_percent) == (600, 4000, 15.0)
    assert (usage.network_received_bytes, usage.network_sent_bytes) == (11, 22)
    assert (usage.block_read_bytes, usage.block_written_bytes, usage.processes) == (5, 6, 7)


@pytest.mark.parametrize(("before", "percent"), [(None, None), (sample(0, 0), 25.0), (sample(900, 100), None)])
def test_without_a_first_sample_or_with_counters_that_began_anew_its_use_is_not_known(
    before: dict[str, object] | None, percent: float | None
) -> None:
    assert usage_from(service_from(container("backend")), before, {"cpu_stats": sample(500, 4000)}).cpu_percent == percent


def test_the_disk_counts_what_could_be_removed() -> None:
    disk = disk_from(
        {
            "LayersSize": 900,
            "Images": [{"Size": 500, "SharedSize": 100, "Containers": 0}, {"Size": 600, "SharedSize": -1, "Containers": 2}],
            "Containers": [{"SizeRw": 7}, {}],
            "Volumes": [{"Name": "a", "UsageData": {"Size": 10, "RefCount": 1}}, {"Name": "b", "UsageData": {"Size": -1, "RefCount": -1}}],
            "BuildCache": [{"Size": 3, "InUse": True}, {"Size": 4, "InUse": False}, {"Size": 99, "Shared": True}],
        }
    )
    assert (disk.layers_bytes, disk.images, disk.images_unused, disk.images_unused_bytes) == (900, 2, 1, 400)
    assert (disk.containers, disk.containers_written_bytes, disk.volumes_bytes) == (2, 7, 10)
    assert [(volume.name, volume.size_bytes, volume.users) for volume in disk.volumes] == [("a", 10, 1), ("b", None, 0)]
    assert (disk.build_cache_bytes, disk.build_cache_unused_bytes) == (7, 4)


@pytest.mark.parametrize(
    ("state", "meant"), [("running", True), ("restarting", True), ("paused", True), ("exited", False), ("created", False), ("dead", False)]
)
def test_what_dies_and_comes_back_was_stopped_by_nobody(state: str, meant: bool) -> None:
    assert replace(service_from(container("backend")), state=state).meant_to_run is meant
