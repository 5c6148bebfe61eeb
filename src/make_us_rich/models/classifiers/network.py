"""The small network of the published pool, 64-64-1, as a scikit-learn classifier that torch fits."""

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import Tensor, nn

from make_us_rich.arrays import FloatArray


class NeuralNetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Two hidden layers of rectified units; positive labels weigh `positive_weight` times a negative one.

    Every step takes all rows, as a history of days is small. What is kept are the weights as NumPy arrays,
    `coefs_` and `intercepts_` as in scikit-learn's own perceptron, so that torch is needed to fit only.
    The parameters are read by scikit-learn under their names.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # scikit-learn wants every parameter of an estimator here
        self,
        hidden: int = 64,
        steps: int = 60,
        learning_rate: float = 3e-3,
        weight_decay: float = 0.3,
        positive_weight: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.steps = steps
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.positive_weight = positive_weight
        self.random_state = random_state

    def fit(self, features: FloatArray, labels: NDArray[np.floating]) -> Self:
        """Fit on features (n, f) that are scaled, and labels (n,) of 0 and 1."""
        x = torch.tensor(features, dtype=torch.float32)
        y = torch.tensor(labels, dtype=torch.float32)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.random_state)
            network = self._build(x.shape[1])
        self._descend(network, x, y)
        layers = [layer for layer in network if isinstance(layer, nn.Linear)]
        self.n_features_in_ = features.shape[1]
        self.classes_ = np.array([0, 1])
        self.coefs_ = [layer.weight.detach().numpy().T.astype(np.float64) for layer in layers]
        self.intercepts_ = [layer.bias.detach().numpy().astype(np.float64) for layer in layers]
        return self

    def decision_function(self, features: FloatArray) -> FloatArray:
        """Return the log-odds (n,) of the positive class."""
        return perceptron_output(features, self.coefs_, self.intercepts_)

    def predict(self, features: FloatArray) -> NDArray[np.int64]:
        """Return the likelier class (n,)."""
        return (self.decision_function(features) > 0).astype(np.int64)

    def _build(self, n_features: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(n_features, self.hidden),
            nn.ReLU(),
            nn.Linear(self.hidden, self.hidden),
            nn.ReLU(),
            nn.Linear(self.hidden, 1),
        )

    def _descend(self, network: nn.Sequential, x: Tensor, y: Tensor) -> None:
        loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(self.positive_weight))
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        for _ in range(self.steps):
            optimiser.zero_grad()
            loss(network(x)[:, 0], y).backward()
            optimiser.step()


def perceptron_output(
    features: FloatArray, weights: list[FloatArray], biases: list[FloatArray]
) -> FloatArray:
    """Return the one output (n,) of a perceptron with rectified hidden layers, before any last function."""
    layer = np.asarray(features, dtype=np.float64)
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        layer = np.maximum(layer @ weight + bias, 0.0)
    return np.asarray((layer @ weights[-1] + biases[-1])[:, 0])
