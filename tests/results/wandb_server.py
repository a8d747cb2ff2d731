"""A W&B server small enough to read: answers what the client asks, and keeps what it sends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ENTITY = "somebody"
KEY = "a" * 40


@dataclass
class KeptRun:
    """A run as the server ends up with it."""

    project: str
    group: str = ""
    name: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    lines: dict[int, str] = field(default_factory=dict)  # of the history, by their number
    summary: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def history(self) -> list[dict[str, Any]]:
        """The rows in their order; W&B's own columns begin with an underscore."""
        assert sorted(self.lines) == list(range(len(self.lines)))
        return [json.loads(self.lines[number]) for number in sorted(self.lines)]


class WandbServer(ThreadingHTTPServer):
    """`refuse` is the HTTP status that all uploads of run data are refused with, if any."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.runs: dict[str, KeptRun] = {}
        self.num_requests = 0
        self.refuse: int | None = None
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle of a connection is no news."""

    def answer(self, path: str, content: bytes) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.num_requests += 1
            if path == "/graphql":
                return 200, {"data": self._query(json.loads(content))}
            if path.endswith("/file_stream"):
                if self.refuse:
                    return self.refuse, {}
                self._stream(path.split("/")[4], json.loads(content))
        return 200, {}

    def _query(self, request: dict[str, Any]) -> dict[str, Any]:
        query, variables = request["query"], request.get("variables") or {}
        if "upsertBucket" in query:
            return {"upsertBucket": self._upsert(variables)}
        if "createRunFiles" in query:
            files = [
                {"name": name, "uploadUrl": f"{self.url}/upload/{name}"}
                for name in variables["files"]
            ]
            run = {"runID": variables["run"], "uploadHeaders": [], "files": files}
            return {"createRunFiles": run}
        if "viewer" in query:
            return {
                "viewer": {
                    "id": "1",
                    "entity": ENTITY,
                    "username": ENTITY,
                    "flags": "{}",
                    "teams": {"edges": []},
                }
            }
        return {}

    def _upsert(self, variables: dict[str, Any]) -> dict[str, Any]:
        run_id, project = variables["name"], variables["project"]
        is_new = run_id not in self.runs
        run = self.runs.setdefault(run_id, KeptRun(project))
        run.project = project
        run.group = variables.get("groupName") or run.group
        run.name = variables.get("displayName") or run.name
        run.config = json.loads(variables.get("config") or "{}")
        bucket = {
            "id": run_id,
            "name": run_id,
            "displayName": run.name,
            "description": "",
            "config": "{}",
            "sweepName": "",
            "historyLineCount": 0,
            "project": {"id": "1", "name": project, "entity": {"id": "1", "name": ENTITY}},
        }
        return {"bucket": bucket, "inserted": is_new}

    def _stream(self, run_id: str, sent: dict[str, Any]) -> None:
        run = self.runs[run_id]
        for name, part in (sent.get("files") or {}).items():
            if name == "wandb-history.jsonl":
                for number, line in enumerate(part["content"], part["offset"]):
                    run.lines[number] = line
            elif name == "wandb-summary.json":
                run.summary = json.loads(part["content"][-1])
        if sent.get("complete"):
            run.exit_code = sent["exitcode"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WandbServer

    def handle_any(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self.server.answer(self.path, content)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = handle_any  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """The tests look at what was kept, not at the log."""


@contextmanager
def serving() -> Iterator[WandbServer]:
    with WandbServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
