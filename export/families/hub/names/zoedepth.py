"""The names of transformers for the tensors of ZoeDepth: those of MiDaS' BEiT, and the metric head's.

Source: transformers convert_zoedepth_to_hf.py.
"""

from __future__ import annotations

from .dpt import dpt_names
from .renaming import make_name_map

_CORE = "core.core."
_LAYER = r"^metric_head\.patch_transformer\.transformer_encoder\.(\d+)\."
_LAYERS = r"patch_transformer.transformer_encoder.layers.\1."
_BRANCH = r"(?P<name>(?:seed_bin_regressors?|seed_projector|projectors|attractors)(?:\.\w+)*)"

_joined, _renames = dpt_names(_CORE)

ZOEDEPTH_NAMES = make_name_map(
    {
        **_joined,
        _LAYER + r"self_attn\.(?P<part>query|key|value)\.(weight|bias)": (_LAYERS + r"self_attn.in_proj_\3", "qkv"),
    },
    {
        **_renames,
        r"^relative_head\.conv1\.": f"{_CORE}scratch.output_conv.0.",
        r"^relative_head\.conv2\.": f"{_CORE}scratch.output_conv.2.",
        r"^relative_head\.conv3\.": f"{_CORE}scratch.output_conv.4.",
        rf"^metric_head\.{_BRANCH}\.conv1\.": r"\g<name>._net.0.",
        rf"^metric_head\.{_BRANCH}\.conv2\.": r"\g<name>._net.2.",
        r"^metric_head\.mlp_classifier\.linear1\.": "mlp_classifier.0.",
        r"^metric_head\.mlp_classifier\.linear2\.": "mlp_classifier.2.",
        _LAYER: _LAYERS,
        r"^metric_head\.": "",
    },
)
