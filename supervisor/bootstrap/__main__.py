"""Steps: `run` what the hub needs, `dev` what tests need, `console` the built console, `npm ARGS…`.

Exit codes: 0, npm's own, or 2 with one sentence on stderr.
"""

import subprocess
import sys

from supervisor.bootstrap import node, venv
from supervisor.bootstrap.steps import SetupFailed

STEPS = {
    "run": venv.install_run,
    "dev": venv.install_dev,
    "console": node.build_console,
    "console-deps": node.install_packages,
}


def main(words: list[str]) -> int:
    try:
        if words[:1] == ["npm"]:
            if not node.has_console():
                raise SetupFailed("There is no console/package.json here; use a complete checkout.")
            venv.install_run()
            node.install_packages()
            return subprocess.call([*node.npm(), *words[1:]], cwd=node.CONSOLE, env=node.variables())
        for word in words:
            STEPS[word]()
    except SetupFailed as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
