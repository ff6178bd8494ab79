"""HELM's deployments as judges (`helm/ORGANISATION/MODEL`): HELM is imported only when one of them is to be asked."""

from alpaca_eval_suite.errors import MissingExtraError
from alpaca_eval_suite.judge.asker_kinds import Notice, register_asker
from alpaca_eval_suite.judge.contracts import Asker

_PREFIX = "helm/"


def ask_through_helm() -> None:
    """From now on `asker_of` knows HELM's deployments; MissingExtraError comes when one is named without HELM."""
    register_asker(_PREFIX, _asker)


def _asker(model: str, _: Notice) -> Asker:
    try:
        from alpaca_eval_suite.evaluate.helm_asker import of_prod_env
    except ImportError as error:
        raise MissingExtraError("helm", f"The judge {model}") from error
    return of_prod_env(model)
