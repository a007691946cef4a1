"""One module per family of commands; `cli.main.COMMANDS` says which holds which."""
