"""Deployments of HELM's as judges: HELM is imported when the first one is named."""

from alpaca_eval_suite.errors import MissingExtraError
from alpaca_eval_suite.judge.askers import Notice, register_asker
from alpaca_eval_suite.judge.contracts import Asker


def ask_through_helm() -> None:
    """From now on judges whose models are `helm/ORGANISATION/MODEL` can be asked, where HELM is installed."""
    register_asker("helm/", _make)


def _make(model: str, _: Notice) -> Asker:
    """Raises MissingExtraError without HELM, UsageError for a deployment that it does not know."""
    try:
        from alpaca_eval_suite.evaluate.helm_asker import of_prod_env
    except ImportError as error:
        raise MissingExtraError("helm", f"Asking {model}") from error
    return of_prod_env(model)
