"""`modelhub df`: where the bytes are."""

from cli import console, text
from cli.app import App, command


@command("df")
def df_command(app: App) -> None:
    """Show the hub's disks, what is promised to work under way, and what could be removed."""
    found = app.hub.get("storage")
    if app.json:
        console.document(found)
        return
    console.table(
        ["DISK", "HOLDS", ">SIZE", ">USED", ">FREE", ">PROMISED", ">AVAILABLE"],
        [
            (
                disk["path"],
                ", ".join(disk["folders"]),
                *(text.size(disk[name]) for name in ("total", "used", "free", "reserved", "available")),
            )
            for disk in found["filesystems"]
        ],
        empty="The hub names no disk.",
    )
    use = found["use"]
    shared = (
        f" ({text.size(use['models'])} if equal files lay more than once)"
        if use["models"] > use["blobs"]
        else ""
    )
    console.note(
        f"Models take {text.size(use['blobs'])}{shared}, parts of downloads {text.size(use['incoming'])}, "
        f"uploads {text.size(use['uploads'])}."
    )
    for held in found["held"]:
        console.note(f"{held['name']} is held: {held['waiting']['message']}", "yellow")
    if found["removable"]:
        console.note(
            "What could be removed (models: `modelhub rm`, parts: `modelhub forget`), and what that frees:"
        )
        console.table(
            ["ID", "WHAT", "NAME", ">FREES"],
            [
                (each["id"], each["kind"], each["name"], text.size(each["bytes"]))
                for each in found["removable"]
            ],
            empty="",
        )
