"""A model as its source has it: facts and the variants to choose from, for a terminal."""

from typing import Any

from cli import console, text

ACCESS = ("gated", "private")


def show(found: dict[str, Any]) -> None:
    """What `GET /search/model` says."""
    card = found["card"]["metadata"]
    console.fields(
        [
            ("ref", found["ref"]),
            ("source", found["source"]),
            ("revision", f"{found['revision']} ({found['commit'][:12]})"),
            ("access", ", ".join(word for word in ACCESS if found[word]) or "open"),
            ("license", listed(card.get("license_name") or card.get("license"))),
            ("base model", listed(card.get("base_model"))),
            ("datasets", listed(card.get("datasets"))),
            ("languages", listed(card.get("language"))),
            ("size", text.size(found["size"])),
            ("revisions", ", ".join(r["name"] for r in found["revisions"][:20])),
        ]
    )
    _variants(found["variants"])
    console.say("")
    console.table(
        ["FILE", ">SIZE", "HERE", "SHA-256"],
        [
            (
                file["path"] + ("" if file["safe"] else " (can run code)"),
                text.size(file["size"]),
                "yes" if file["here"] else "",
                (file.get("sha256") or "")[:16],
            )
            for file in found["files"]
        ],
        empty="No files.",
    )


def _variants(variants: list[dict[str, Any]]) -> None:
    if not variants:
        return
    console.say("")
    rows = [
        (
            each["name"] + (" *" if each["recommended"] else ""),
            each["kind"],
            text.size(each["size"]),
            text.size(each["missing"]) if each["missing"] != each["size"] else "all of it",
            str(len(each["weights"])),
            _remarks(each),
        )
        for each in variants
    ]
    console.table(["VARIANT", "KIND", ">SIZE", ">TO FETCH", ">FILES", "REMARK"], rows, empty="")
    for each in variants:
        if each["recommended"]:
            console.note(f"* recommended. {each['reason']} Another: `modelhub pull REF --quant VARIANT`.")


def _remarks(variant: dict[str, Any]) -> str:
    remarks = []
    if not variant["complete"]:
        remarks.append("parts are missing")
    if not variant["safe"]:
        remarks.append("can run code when loaded")
    if variant["fits_memory"] is False:
        remarks.append("needs more memory than is here")
    elif variant["fits_free_memory"] is False:
        remarks.append("needs more memory than is free")
    if variant["fits_disk"] is False:
        remarks.append("needs more disk than is free")
    return ", ".join(remarks)


def listed(value: Any) -> str | None:
    """A fact of a card: one word or a list of them."""
    words = value if isinstance(value, list) else [value]
    return ", ".join(str(word) for word in words[:12] if isinstance(word, str | int | float)) or None
