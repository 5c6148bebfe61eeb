"""How the body of an answer is written down: JSON as it is, other kinds as what a client relies on."""

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import orjson

_INPUT = re.compile(r'<input[^>]*\bname="?([\w-]+)')
_FORM = re.compile(r'<form[^>]*\baction="?([^" >]+)')
_TITLE = re.compile(r"<title>([^<]*)</title>")


def written_body(path: str, media_type: str, content: bytes) -> Any:
    """Return what is recorded of a body; None where there is none."""
    if not content:
        return None
    if path == "/openapi.json":
        return _described_routes(orjson.loads(content))
    kind = "application/json" if media_type.endswith("json") else media_type
    return _WRITTEN.get(kind, bytes.decode)(content)


def _described_routes(description: dict[str, Any]) -> dict[str, Any]:
    return {
        path: {
            method: {
                "parameters": {one["name"]: one["required"] for one in told.get("parameters", ())},
                "statuses": dict.fromkeys(told["responses"], True),
            }
            for method, told in methods.items()
        }
        for path, methods in description["paths"].items()
    }


def _packed_files(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            if name.endswith((".onnx", ".npz", ".json"))
            else "there"
            for name in archive.namelist()
        }


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _rows(content: bytes) -> list[dict[str, str | float]]:
    rows = csv.DictReader(io.StringIO(content.decode()))
    return [{key: _number(value) for key, value in row.items()} for row in rows]


def _page(content: bytes) -> dict[str, list[str]]:
    page = content.decode()
    return {"title": _TITLE.findall(page), "forms": _FORM.findall(page), "fields": _INPUT.findall(page)}


_WRITTEN: dict[str, Callable[[bytes], Any]] = {
    "application/json": orjson.loads,
    "application/zip": _packed_files,
    "text/csv": _rows,
    "text/html": _page,
}
