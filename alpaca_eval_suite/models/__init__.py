"""Whatever answers a prompt, without HELM."""
