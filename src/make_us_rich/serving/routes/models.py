"""The models: what is on the shelf, what is served, and the files to run elsewhere."""

from fastapi import FastAPI, Request, Response

from make_us_rich.errors import UnknownNameError
from make_us_rich.forecasting.board import Board
from make_us_rich.market.files import disk_errors_named
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.answers import may_see, to_json
from make_us_rich.serving.caching import JSON, cached_response
from make_us_rich.serving.gate import asker_of
from make_us_rich.serving.model_cards import bundle, model_card, model_summary, unknown_model
from make_us_rich.serving.needs import READER, needs
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.routes.parameters import NameText
from make_us_rich.serving.schemas import ModelCard, ModelListAnswer
from make_us_rich.serving.trend_schemas import TrendModelCard

ZIP = "application/zip"


def add_model_routes(app: FastAPI, board: Board) -> None:
    """Add the routes over the shelf; they read the disk, so they run in worker threads."""
    view = board.view

    @app.get("/v1/models", tags=["models"], responses=problem_responses(503))
    @needs(READER)
    def read_models(request: Request) -> ModelListAnswer:
        """List every name on the shelf with the version in service."""
        asker = asker_of(request)
        names = [name for name in view.shelf.names() if may_see(board, ModelName.parse(name), asker)]
        models = tuple(model_summary(board, name) for name in names)
        return ModelListAnswer(market=view.market, notice=view.notice, models=models)

    @app.get(
        "/v1/models/{name}",
        tags=["models"],
        response_model=ModelCard | TrendModelCard,
        responses=problem_responses(404, 422, 503),
    )
    @needs(READER)
    def read_model(request: Request, name: NameText) -> Response:
        """Return the card of one model: its making, scores, what it looks at, and history."""
        _require_seen(board, name, request)
        return Response(to_json(model_card(board, name)), media_type=JSON)

    @app.get(
        "/v1/models/{name}/artifact",
        tags=["models"],
        response_class=Response,
        responses={200: {"content": {ZIP: {}}}, **problem_responses(404, 422, 503)},
    )
    @needs(READER)
    def read_artifact(request: Request, name: NameText) -> Response:
        """Return the files of the version in service as a ZIP archive, to be run elsewhere."""
        _require_seen(board, name, request)
        model_summary(board, name)
        artifact = board.champions.artifact(name)
        if artifact is None:
            raise UnknownNameError(f"model {name} has no version in service; promote one first")
        with disk_errors_named(artifact.folder):
            content = bundle(artifact)
        etag = f'"{artifact.manifest.files["model.onnx"][:20]}-{artifact.manifest.version}"'
        response = cached_response(request, content, etag, 0, ZIP)
        file_name = f"{name}-v{artifact.manifest.version}.zip"
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
        return response


def _require_seen(board: Board, name: str, request: Request) -> None:
    if not may_see(board, ModelName.parse(name), asker_of(request)):
        raise unknown_model(board, name)
