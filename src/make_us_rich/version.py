"""The version of this program, as packages, manifests and the API name it."""

__version__ = "0.1.0"
