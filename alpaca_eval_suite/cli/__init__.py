"""The command line, one module a command group; each is imported only when its command is run."""
