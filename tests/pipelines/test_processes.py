import socket
from pathlib import Path

import pytest

from pipelines.processes import NotReady, ProcessEnded, Processes
from pipelines.serve import check_free, free_port
from serving.errors import PortTaken
from tests.waiting import eventually

SERVER = """
import http.server, sys
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


def test_waits_until_it_answers_and_stops_it(tmp_path: Path):
    port = free_port()
    with Processes(tmp_path) as processes:
        processes.start("web", ["-c", SERVER, str(port)])
        processes.wait_for(f"http://127.0.0.1:{port}/", seconds=20)
    check_free("127.0.0.1", port, "--port")


def test_a_proxy_for_the_internet_is_not_asked_for_our_own_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    port = free_port()
    with Processes(tmp_path) as processes:
        processes.start("web", ["-c", SERVER, str(port)])
        processes.wait_for(f"http://127.0.0.1:{port}/", seconds=20)


def test_an_address_of_the_other_family_is_looked_at_too():
    check_free("::1", free_port(), "COPYDESK_PORT")


def test_one_that_ends_is_named_with_its_last_words(tmp_path: Path):
    with Processes(tmp_path) as processes:
        processes.start("short", ["-c", "print('out of paper'); raise SystemExit(3)"])
        with pytest.raises(ProcessEnded, match=r"(?s)short ended with exit code 3.*out of paper"):
            processes.wait_for(f"http://127.0.0.1:{free_port()}/", seconds=20)


def test_one_that_never_answers_is_not_waited_for_for_ever(tmp_path: Path):
    with Processes(tmp_path) as processes:
        processes.start("mute", ["-c", "import time; time.sleep(600)"])
        with pytest.raises(NotReady, match=r"did not answer within 1 seconds: look into .*mute\.log"):
            processes.wait_for(f"http://127.0.0.1:{free_port()}/", seconds=1)


def test_one_that_ignores_the_signal_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipelines.processes.STOP_SECONDS", 0.5)
    processes = Processes(tmp_path)
    processes.start("stubborn", ["-c", STUBBORN])
    eventually("it ignores the signal", lambda: "up" in (tmp_path / "stubborn.log").read_text())
    processes.stop()  # else it would be there for longer than a test may take
    processes.check()


def test_a_port_that_is_taken_is_named_with_the_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"port {port} on 127.0.0.1 is taken .*set COPYDESK_PORT"):
            check_free("127.0.0.1", port, "COPYDESK_PORT")
