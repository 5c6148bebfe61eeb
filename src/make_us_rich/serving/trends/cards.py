"""What is known about a trend model: making, scores, SHAP and history, read off the shelf."""

from make_us_rich.registry.artifact import read_manifest
from make_us_rich.registry.trend_manifest import TrendManifest
from make_us_rich.serving.champions import AllChampions
from make_us_rich.serving.desk_view import DeskView
from make_us_rich.serving.model_cards import model_summary, read_explanation
from make_us_rich.serving.schemas import DecisionAnswer, SnapshotAnswer
from make_us_rich.serving.trends.schemas import (
    PublishedAnswer,
    TrendEvidenceDetail,
    TrendLabelAnswer,
    TrendMaking,
    TrendModelCard,
)


def trend_card(view: DeskView, champions: AllChampions, name: str) -> TrendModelCard:
    """Return everything there is to say about a trend name.

    Where nothing is in service the newest version is described, because what it lacks is what there is to
    know.
    """
    summary = model_summary(view, champions, name)
    version = summary.version or summary.versions[-1]
    manifest = described_manifest(view, name, version)
    return TrendModelCard(
        **dict(summary),
        market=view.market,
        notice=view.notice,
        described_version=version,
        candidate=manifest.model,
        served_by=manifest.served_by,
        label=TrendLabelAnswer(**dict(manifest.label)),
        evidence={by: TrendEvidenceDetail(**one.model_dump()) for by, one in manifest.evidence.items()},
        published={by: PublishedAnswer(**dict(one)) for by, one in manifest.published.items()},
        making=_making(manifest),
        explanation=read_explanation(view.shelf.folder(name, version)),
        decisions=tuple(DecisionAnswer(**dict(one)) for one in view.shelf.decisions(name)),
    )


def described_manifest(view: DeskView, name: str, version: int) -> TrendManifest:
    """Return what a version of a trend name says about itself."""
    manifest = read_manifest(view.shelf.folder(name, version))
    if not isinstance(manifest, TrendManifest):
        raise ValueError(f"{name}: not a trend")
    return manifest


def _making(manifest: TrendManifest) -> TrendMaking:
    shared = TrendMaking.model_fields.keys() - {"snapshot"}
    return TrendMaking(
        **{field: value for field, value in dict(manifest).items() if field in shared},
        snapshot=SnapshotAnswer(**dict(manifest.snapshot)),
    )
