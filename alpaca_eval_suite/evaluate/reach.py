"""One token from a HELM deployment, to see whether it answers: for `alpaca-suite doctor --reach`."""

import os

from helm.benchmark.config_registry import (
    register_builtin_configs_from_helm_package,
    register_configs_from_directory,
)
from helm.benchmark.model_deployment_registry import get_model_deployment
from helm.clients.auto_client import AutoClient
from helm.common.cache_backend_config import BlackHoleCacheBackendConfig
from helm.common.general import get_credentials
from helm.common.request import Request


def reach(name: str, prod_env: str = "prod_env") -> str:
    """What went wrong when `name` was asked for one token, "" where it answered. Nothing is cached, nothing retried."""
    register_builtin_configs_from_helm_package()
    register_configs_from_directory(prod_env)
    model = get_model_deployment(name).model_name
    client = AutoClient(get_credentials(prod_env), os.path.join(prod_env, "cache"), BlackHoleCacheBackendConfig())
    request = Request(model_deployment=name, model=model, prompt="Hello", max_tokens=1, temperature=0.0)
    try:
        # Not make_request: HELM's retries would wait for minutes.
        result = client._get_client(name).make_request(request)
    except Exception as error:  # whatever a client raises is the answer to the question
        return f"{type(error).__name__}: {error}"
    return "" if result.success else str(result.error)
