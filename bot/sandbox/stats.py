"""Real resource figures of a container's processes, in the JSON shape of Docker's stats. Knows nothing of HTTP."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psutil

from bot.sandbox.container import Container
from bot.sandbox.json_log import stamp
from bot.sandbox.shapes import NEVER

SECOND = 1_000_000_000


@dataclass(slots=True)
class _Use:
    user: float = 0.0
    system: float = 0.0
    memory: int = 0
    read: int = 0
    written: int = 0
    processes: int = 0


def _use_of(pid: int) -> _Use:
    """What a process and all it started use; those that end while we look count for nothing."""
    use = _Use()
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return use
    for process in family:
        try:
            with process.oneshot():
                times, memory = process.cpu_times(), process.memory_info()
                threads = process.num_threads()
        except psutil.Error:
            continue
        use.user += times.user
        use.system += times.system
        use.memory += memory.rss
        use.processes += threads
        _add_disk(use, process)
    return use


def _add_disk(use: _Use, process: psutil.Process) -> None:
    try:
        counters = process.io_counters()
    except (psutil.Error, AttributeError):  # not on every system, not for every user
        return
    use.read += counters.read_bytes
    use.written += counters.write_bytes


def _cpu(use: _Use) -> dict[str, Any]:
    machine = psutil.cpu_times()
    busy = machine.user + machine.system + machine.idle + getattr(machine, "iowait", 0.0) + getattr(machine, "nice", 0.0)
    return {
        "cpu_usage": {
            "total_usage": int((use.user + use.system) * SECOND),
            "usage_in_kernelmode": int(use.system * SECOND),
            "usage_in_usermode": int(use.user * SECOND),
        },
        "system_cpu_usage": int(busy * SECOND),
        "online_cpus": psutil.cpu_count() or 1,
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }


def _no_cpu() -> dict[str, Any]:
    return {
        "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }


def _networks() -> dict[str, Any]:
    # A process without a network of its own has no counters of its own: these are the machine's loopback totals.
    counters = psutil.net_io_counters(pernic=True).get("lo")
    if counters is None:
        return {}
    return {
        "eth0": {
            "rx_bytes": counters.bytes_recv,
            "rx_packets": counters.packets_recv,
            "rx_errors": counters.errin,
            "rx_dropped": counters.dropin,
            "tx_bytes": counters.bytes_sent,
            "tx_packets": counters.packets_sent,
            "tx_errors": counters.errout,
            "tx_dropped": counters.dropout,
        }
    }


def sample(container: Container, before: dict[str, Any] | None) -> dict[str, Any]:
    """One reading; ``before`` is the previous one, which the client needs for a percentage."""
    answer: dict[str, Any] = {"name": f"/{container.service.container_name}", "id": container.id, "num_procs": 0, "storage_stats": {}}
    answer["preread"] = before["read"] if before else NEVER
    answer["precpu_stats"] = before["cpu_stats"] if before else _no_cpu()
    if not container.running:
        empty = {"read": NEVER, "pids_stats": {}, "cpu_stats": _no_cpu(), "memory_stats": {}, "blkio_stats": {}}
        return {**answer, **empty, "precpu_stats": _no_cpu()}
    use = _use_of(container.state.pid)
    answer.update(
        read=stamp(time.time_ns()),
        pids_stats={"current": use.processes, "limit": 18446744073709551615},
        cpu_stats=_cpu(use),
        memory_stats={"usage": use.memory, "stats": {"inactive_file": 0}, "limit": psutil.virtual_memory().total},
        blkio_stats={
            "io_service_bytes_recursive": [
                {"major": 254, "minor": 0, "op": "read", "value": use.read},
                {"major": 254, "minor": 0, "op": "write", "value": use.written},
            ]
        },
        networks=_networks(),
    )
    return answer


def process_table(container: Container) -> dict[str, Any]:
    """``docker top``: the columns of ``ps -ef``."""
    titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    rows: list[list[str]] = []
    try:
        root = psutil.Process(container.state.pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        family = []
    for process in family:
        try:
            rows.append(_row(process))
        except psutil.Error:
            continue
    return {"Titles": titles, "Processes": rows}


def _row(process: psutil.Process) -> list[str]:
    with process.oneshot():
        spent = sum(process.cpu_times()[:2])
        started = time.strftime("%H:%M", time.gmtime(process.create_time()))
        command = " ".join(process.cmdline()) or process.name()
        used = f"{int(spent) // 3600:02d}:{int(spent) // 60 % 60:02d}:{int(spent) % 60:02d}"
        return [process.username(), str(process.pid), str(process.ppid()), "0", started, "?", used, command]
