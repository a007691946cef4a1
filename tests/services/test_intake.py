"""What strangers' files may hold: pickles that would run something, names that lie, untrue headers."""

import ast
import json
import os
import pickle
import socket
import struct
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import inference
from api.extensions import db, settings
from api.models import Deployment, HubModel, Job, QuarantinedFile
from api.services import fetching, intake, quarantine, serving
from api.unit_of_work import unit_of_work
from integrations.errors import InvalidRef
from integrations.intake import check
from integrations.intake.clamav import ClamAV, ScannerAway
from integrations.intake.code import needs_code
from tests.support.downloads import weights
from tests.support.hub import Hub
from tests.support.library import shelve, work_off
from tests.support.people import user


class Strikes:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> object:
        return os.system, (f"touch {self.canary}",)


CONFIG = b'{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}'
MEMO = b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x04true\x85R."
HOSTILE = {
    "old.bin": b"cos\nsystem\n(S'true'\ntR.",
    "memo.bin": MEMO,
    "eval.pkl": b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.",
    "getattr.pt": b"\x80\x02cbuiltins\ngetattr\n.",
    "runpy.bin": b"\x80\x02crunpy\nrun_path\n.",
    "pip.bin": b"\x80\x02cpip\nmain\n.",
    "web.bin": b"\x80\x02cwebbrowser\nopen\n.",
    "cut.bin": MEMO[:-3],
    "huge.bin": b"\x80\x04\x8e" + struct.pack("<Q", 2**60) + b".",
    "program.txt": b"\x7fELF" + bytes(60),
    "lies.json": MEMO,
    "deep.json": b"[" * 100_000 + b"]" * 100_000,
    "far.safetensors": struct.pack("<Q", 2**60) + b"{}",
    "count.gguf": b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60),
    "script.sh": b"#!/bin/sh\ntrue\n",
    "packed.tar.gz": b"\x1f\x8b" + bytes(20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_could_run_or_lies_is_held(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(HOSTILE[name])
    held = check(tmp_path).held
    assert [file["path"] for file in held] == [name]
    assert any(found["severity"] != "none" for found in held[0]["findings"])


def test_nothing_is_run_by_looking(tmp_path: Path) -> None:
    canary, folder = tmp_path / "canary", tmp_path / "model"
    folder.mkdir()
    (folder / "plain.bin").write_bytes(pickle.dumps(Strikes(canary)))
    with zipfile.ZipFile(folder / "zipped.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Strikes(canary)))
        archive.writestr("archive/bomb", bytes(80_000_000), zipfile.ZIP_STORED)
    with zipfile.ZipFile(folder / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(80_000_000))
    (folder / "modeling.py").write_text(f"open({str(canary)!r}, 'w')")
    (folder / "config.json").write_text('{"auto_map": {"AutoModel": "modeling.Model"}}')
    checked = check(folder)
    assert {file["path"] for file in checked.held} == {"plain.bin", "zipped.pt", "bomb.pt"}
    for file in checked.held:
        assert any(found["severity"] == "dangerous" for found in file["findings"]), file
    assert checked.remote_code == ["config.json asks for modeling.Model", "modeling.py"]
    assert not canary.exists()


def test_what_belongs_to_a_model_stays(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(weights(10_000))
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "chat_template.jinja").write_text("{{ ''.__class__.__mro__ }}")
    checked = check(tmp_path)
    assert not checked.held and "reaches for" in checked.warnings[0]


def test_links_and_a_scanner_that_is_away_stop_everything(tmp_path: Path) -> None:
    with pytest.raises(ScannerAway):
        check(tmp_path, clamav=ClamAV(str(tmp_path / "no.sock")))
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(InvalidRef):
        check(tmp_path)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    shelf = tmp_path / "shelf" / "org" / "model"
    shelf.mkdir(parents=True)
    (shelf / "pytorch_model.bin").write_bytes(MEMO)
    (shelf / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    with Hub(tmp_path / "shelf") as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def test_a_pickle_is_held_released_for_a_reason_and_a_model_of_it_not_deployed(app: Flask, hub: Hub) -> None:
    settings().hf_endpoint = hub.url
    who = user(app, "root", "admin")
    download = who.made("downloads", {"source": "huggingface", "ref": "org/model"})
    work_off()
    model = who.data("models/" + who.data("downloads/" + download["id"])["model_id"])
    assert model["status"] == "quarantined" and [file["path"] for file in model["files"]] == ["config.json"]
    assert not (Path(model["path"]) / "pytorch_model.bin").exists()
    held = who.data("quarantine")["items"][0]
    assert held["path"] == "pytorch_model.bin" and held["findings"][0]["severity"] == "dangerous"
    lies = settings().quarantine_dir / held["version_id"] / held["id"]
    assert lies.read_bytes() == MEMO and lies.stat().st_mode & 0o777 == 0o600
    assert who.post("deployments", {"model_id": model["id"], "name": "x"}).status_code == 409
    assert who.post(f"quarantine/{held['id']}/release", {}).status_code == 422
    assert who.made(f"quarantine/{held['id']}/release", {"reason": "known to us"})["status"] == "released"
    assert (Path(model["path"]) / "pytorch_model.bin").read_bytes() == MEMO and not lies.exists()
    assert who.post(f"quarantine/{held['id']}/release", {"reason": "again"}).status_code == 409


class Scanner:
    """Enough of ClamAV's daemon for clean files; away until it is `open`ed."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def open(self) -> None:
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(self.path)
        self.listening.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                asking, _ = self.listening.accept()
            except OSError:
                return
            with asking, asking.makefile("rb") as file:
                if file.read(6) == b"zPING\0":
                    asking.sendall(b"PONG\0")
                    continue
                file.read(4)
                while length := struct.unpack("!I", file.read(4))[0]:
                    file.read(length)
                asking.sendall(b"stream: OK\0")


def test_what_waits_for_the_scanner_goes_on_by_itself(app: Flask, hub: Hub) -> None:
    settings().hf_endpoint = hub.url
    with tempfile.TemporaryDirectory() as folder:  # the path of a unix socket is short
        scanner = Scanner(Path(folder) / "clamd.sock")
        settings().clamav = scanner.path
        who = user(app, "root", "admin")
        download = who.made("downloads", {"source": "huggingface", "ref": "org/model"})
        job_id = download["job_id"]
        fetching.run(job_id)
        fetching.run(job_id)  # its turn comes again, and it is held
        held = who.data("downloads/" + download["id"])
        assert (held["status"], held["waiting"]["code"]) == ("held", "SCANNER_UNREACHABLE")
        assert intake.reconcile() == 0 and not who.data("models")["items"]
        scanner.open()
        assert intake.reconcile() == 1
        work_off()
        assert who.data("downloads/" + download["id"])["status"] == "completed"
        scanner.listening.close()


def test_a_crash_after_a_release_is_put_right(app: Flask, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    settings().hf_endpoint = hub.url
    who = user(app, "root", "admin")
    who.made("downloads", {"source": "huggingface", "ref": "org/model"})
    work_off()
    held = who.data("quarantine")["items"][0]
    lies = settings().quarantine_dir / held["version_id"] / held["id"]
    assert quarantine.repair() == 0 and lies.exists()
    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "_put_back", killed)
        who.post(f"quarantine/{held['id']}/release", {"reason": "known to us"})
    assert who.data(f"quarantine/{held['id']}")["status"] == "released" and lies.exists()
    assert quarantine.repair() == 1 and quarantine.repair() == 0
    model = who.data("models/" + held["model_id"])
    assert (Path(model["path"]) / "pytorch_model.bin").read_bytes() == MEMO and not lies.exists()


def killed(*_args: object) -> None:
    raise RuntimeError("killed")


def test_what_became_quarantined_is_not_started_again(app: Flask) -> None:
    who = user(app, "root", "admin")
    id = shelve({"config.json": CONFIG, "model.safetensors": weights(10_000)}, who.id, name="mine")
    deployment = who.made("deployments", {"model_id": id, "name": "mine"})
    with unit_of_work():
        db.session.add(
            QuarantinedFile(id="f" * 32, version_id=id, path="more.safetensors", size=1, findings=[])
        )
        db.session.get_one(HubModel, id).status = "quarantined"
        row = db.session.get_one(Deployment, deployment["id"])
        row.status, row.wanted = "stopped", "stopped"
        job = db.session.query(Job).filter_by(object_id=row.id).one()
        job_id, row.wanted = job.id, "running"
    for verb in ("start", "restart"):
        assert who.post(f"deployments/{deployment['id']}/{verb}").status_code == 409
    serving.deploy(job_id)
    failed = who.data("deployments/" + deployment["id"])
    assert failed["status"] == "failed" and "in quarantine" in failed["error"]["message"]
    shelve({"config.json": CONFIG, "model.safetensors": weights(10_000)}, who.id, of=id)
    assert who.data("models/" + id)["status"] == "ready"
    who.made(f"models/{id}/versions/{id}/activate")
    assert who.data("models/" + id)["status"] == "quarantined"


def test_a_model_that_needs_its_own_code_is_not_deployed(app: Flask) -> None:
    who = user(app, "root", "admin")
    own = {"auto_map": {"AutoModelForCausalLM": "modeling.OwnForCausalLM"}, "model_type": "own"}
    config = json.dumps(own | {"architectures": ["OwnForCausalLM"]}).encode()
    id = shelve({"config.json": config, "model.safetensors": weights(10_000)}, who.id)
    refused = who.post("deployments", {"model_id": id, "name": "own"})
    assert refused.status_code == 422 and "modeling.OwnForCausalLM" in refused.json["message"]


def test_code_that_transformers_has_built_in_is_not_needed(tmp_path: Path) -> None:
    config = {"architectures": ["Phi3ForCausalLM"], "model_type": "phi3"}
    asked = {"auto_map": {"AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"}}
    (tmp_path / "config.json").write_text(json.dumps(config | asked))
    assert needs_code(tmp_path) is None
    (tmp_path / "config.json").write_text(json.dumps(config | asked | {"model_type": "phi3-of-mine"}))
    assert needs_code(tmp_path) == "modeling_phi3.Phi3ForCausalLM"


def test_engines_never_trust_remote_code() -> None:
    for path in Path(inference.__file__).parent.rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "from_pretrained":
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
                assert given.get("trust_remote_code") == "False", f"{path.name}:{call.lineno}"
