"""Classes that settings may name because building one only builds layers, losses, optimisers or schedules.

Whole names and families of classes, never modules: `torch.hub.load` and `torch.load` are in the same package as
`torch.nn.Linear`. What is given to a class is judged where it stands: a function among it has a `_target_` of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_FAMILIES: Final = re.compile(r"torch\.(?:nn|optim|optim\.lr_scheduler)\.[A-Z][A-Za-z0-9]{0,60}")


def _below(package: str, names: str) -> Iterable[str]:
    return (f"{package}.{name}" for name in names.split())


_NAMES: Final = frozenset(
    {
        *_below(
            "nemo.collections.asr.models",
            "EncDecCTCModel EncDecCTCModelBPE EncDecClassificationModel EncDecDiarLabelModel "
            "EncDecHybridRNNTCTCBPEModel EncDecHybridRNNTCTCModel EncDecMultiTaskModel EncDecRNNTBPEModel "
            "EncDecRNNTModel EncDecSpeakerLabelModel ctc_bpe_models.EncDecCTCModelBPE ctc_models.EncDecCTCModel "
            "aed_multitask_models.EncDecMultiTaskModel classification_models.EncDecClassificationModel "
            "hybrid_rnnt_ctc_bpe_models.EncDecHybridRNNTCTCBPEModel hybrid_rnnt_ctc_models.EncDecHybridRNNTCTCModel "
            "label_models.EncDecSpeakerLabelModel rnnt_bpe_models.EncDecRNNTBPEModel rnnt_models.EncDecRNNTModel",
        ),
        *_below(
            "nemo.collections.asr.modules",
            "AudioToMFCCPreprocessor AudioToMelSpectrogramPreprocessor ConformerEncoder ConvASRDecoder "
            "ConvASRDecoderClassification ConvASREncoder CropOrPadSpectrogramAugmentation ECAPAEncoder JasperBlock "
            "LSTMDecoder MaskedPatchAugmentation RNNTDecoder RNNTJoint SpeakerDecoder SpectrogramAugmentation "
            "SqueezeformerEncoder StatelessTransducerDecoder",
        ),
        *_below(
            "nemo.collections.tts.modules",
            "fastpitch.FastPitchModule hifigan_modules.Generator transformer.FFTransformerDecoder "
            "transformer.FFTransformerEncoder fastpitch.TemporalPredictor aligner.AlignmentEncoder",
        ),
        *_below("nemo.collections.tts.models", "FastPitchModel HifiGanModel Tacotron2Model WaveGlowModel"),
        *_below("nemo.core.optim.lr_scheduler", "CosineAnnealing NoamAnnealing WarmupAnnealing"),
        *_below("lightning.pytorch.callbacks", "EarlyStopping LearningRateMonitor ModelCheckpoint"),
        *_below("pytorch_lightning.callbacks", "EarlyStopping LearningRateMonitor ModelCheckpoint"),
    }
)
_COMPONENTS: Final = frozenset(
    {
        ("audioldm2", "AudioLDM2ProjectionModel"),
        ("audioldm2", "AudioLDM2UNet2DConditionModel"),
        ("blip_diffusion", "BlipImageProcessor"),
        ("blip_diffusion", "ContextCLIPTextModel"),
        ("blip_diffusion", "Blip2QFormerModel"),
        ("deepfloyd_if", "IFSafetyChecker"),
        ("deepfloyd_if", "IFWatermarker"),
        ("kandinsky", "MultilingualCLIP"),
        ("latent_diffusion", "LDMBertModel"),
        ("paint_by_example", "PaintByExampleImageEncoder"),
        ("shap_e", "ShapEParamsProjModel"),
        ("shap_e", "ShapERenderer"),
        ("stable_audio", "StableAudioProjectionModel"),
        ("stable_diffusion", "StableDiffusionSafetyChecker"),
        ("stable_diffusion", "StableUnCLIPImageNormalizer"),
        ("unclip", "UnCLIPTextProjModel"),
        ("unidiffuser", "UniDiffuserTextDecoder"),
    }
)
"""Classes of pipelines that are part of diffusers, by the module that a model index names."""


def is_known_target(name: object) -> bool:
    """Whether building the class of a dotted name only builds what a model is made of."""
    return isinstance(name, str) and (name in _NAMES or _FAMILIES.fullmatch(name) is not None)


def is_known_component(library: object, name: object) -> bool:
    """Whether a component of a diffusers pipeline is a class of diffusers itself."""
    return isinstance(library, str) and isinstance(name, str) and (library, name) in _COMPONENTS
