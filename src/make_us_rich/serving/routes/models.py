"""The models: what is on the shelf, what is served, and the files to run elsewhere."""

from fastapi import FastAPI, Request, Response

from make_us_rich.errors import UnknownNameError
from make_us_rich.market.files import disk_errors_named
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.caching import cached_response
from make_us_rich.serving.champions import AllChampions
from make_us_rich.serving.desk_view import DeskView
from make_us_rich.serving.model_cards import bundle, model_card, model_summary
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.routes.parameters import NameText
from make_us_rich.serving.schemas import ModelCard, ModelListAnswer
from make_us_rich.serving.trends.cards import trend_card
from make_us_rich.serving.trends.models import TREND_KINDS
from make_us_rich.serving.trends.schemas import TrendModelCard

ZIP = "application/zip"


def add_model_routes(app: FastAPI, view: DeskView, champions: AllChampions) -> None:
    """Add the routes over the shelf; they read the disk, so they run in worker threads."""

    @app.get("/v1/models", tags=["models"], responses=problem_responses(503))
    def read_models() -> ModelListAnswer:
        """List every name on the shelf with the version in service."""
        models = tuple(model_summary(view, champions, name) for name in view.shelf.names())
        return ModelListAnswer(market=view.market, notice=view.notice, models=models)

    @app.get("/v1/models/{name}", tags=["models"], responses=problem_responses(404, 422, 503))
    def read_model(name: NameText) -> ModelCard | TrendModelCard:
        """Return the card of one model: its making, scores, what it looks at, and history."""
        is_trend = ModelName.parse(name).kind in TREND_KINDS
        return trend_card(view, champions, name) if is_trend else model_card(view, champions, name)

    @app.get(
        "/v1/models/{name}/artifact",
        tags=["models"],
        response_class=Response,
        responses={200: {"content": {ZIP: {}}}, **problem_responses(404, 422, 503)},
    )
    def read_artifact(request: Request, name: NameText) -> Response:
        """Return the files of the version in service as a ZIP archive, to be run elsewhere."""
        model_summary(view, champions, name)
        artifact = champions.artifact(name)
        if artifact is None:
            raise UnknownNameError(f"model {name} has no version in service; promote one first")
        with disk_errors_named(artifact.folder):
            content = bundle(artifact)
        etag = f'"{artifact.manifest.files["model.onnx"][:20]}-{artifact.manifest.version}"'
        response = cached_response(request, content, etag, 0, ZIP)
        file_name = f"{name}-v{artifact.manifest.version}.zip"
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
        return response
