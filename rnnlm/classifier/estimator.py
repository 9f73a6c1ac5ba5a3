"""An estimator in scikit-learn's manner that needs no scikit-learn.

Only the methods that scikit-learn calls import it.
"""

from __future__ import annotations

import copy
import inspect
import sys
from typing import TYPE_CHECKING

from rnnlm.errors import ArgumentError

if TYPE_CHECKING:
    from typing import Any, Self


class Estimator:
    """Parameters, ``repr``, and scikit-learn's needs: tags and requests for metadata.

    A subclass's constructor takes keywords and only stores them under their names.
    Metadata are the arguments of ``fit``, ``predict``, ``predict_proba`` and ``score``
    after X and y.
    """

    _estimator_type = "classifier"  # what scikit-learn before 1.6 asks for

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor, a dict; ``deep`` changes nothing here."""
        params = inspect.signature(type(self)).parameters.values()
        return {param.name: getattr(self, param.name) for param in params if param.kind != param.VAR_KEYWORD}

    def set_params(self, **params: Any) -> Self:
        """Change some of the parameters; returns the classifier itself."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ArgumentError(f"no parameter {name!r}: it must be one of {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self):
        """The call that makes it, with the parameters that are not the default."""
        params = inspect.signature(type(self)).parameters
        changed = [f"{name}={value!r}" for name, value in self.get_params().items()
                   if repr(value) != repr(params[name].default)]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self):
        """What scikit-learn from 1.6 on needs in pipelines and cross_val_score."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(estimator_type="classifier", target_tags=TargetTags(required=True),
                    transformer_tags=None, regressor_tags=None, classifier_tags=ClassifierTags(),
                    input_tags=InputTags(two_d_array=False, three_d_array=True, allow_nan=True))

    def get_metadata_routing(self) -> Any:
        """scikit-learn's MetadataRequest: which metadata each method asks for."""
        from sklearn.utils.metadata_routing import MetadataRequest

        if hasattr(self, "_metadata_request"):  # scikit-learn's name for it: clone copies it
            return copy.deepcopy(self._metadata_request)
        routing = MetadataRequest(owner=type(self).__name__)
        for method in ("fit", "predict", "predict_proba", "score"):
            for name in self._metadata(method):
                getattr(routing, method).add_request(param=name, alias=None)
        return routing

    def set_fit_request(self, **requests: bool | str | None) -> Self:
        """Which metadata ``fit`` gets from scikit-learn: set_fit_request(mask=True).

        Each value is True, False, or the name under which the caller passes the
        metadata. scikit-learn's metadata routing must be enabled.  Returns the
        classifier itself.
        """
        return self._set_request("fit", requests)

    def set_predict_request(self, **requests: bool | str | None) -> Self:
        """Which metadata ``predict`` gets: see ``set_fit_request``."""
        return self._set_request("predict", requests)

    def set_predict_proba_request(self, **requests: bool | str | None) -> Self:
        """Which metadata ``predict_proba`` gets: see ``set_fit_request``."""
        return self._set_request("predict_proba", requests)

    def set_score_request(self, **requests: bool | str | None) -> Self:
        """Which metadata ``score`` gets: see ``set_fit_request``."""
        return self._set_request("score", requests)

    def _set_request(self, method, requests):
        from sklearn import get_config
        from sklearn.utils.metadata_routing import UNCHANGED

        if not get_config().get("enable_metadata_routing"):
            raise RuntimeError(f"set_{method}_request needs scikit-learn's metadata routing: call "
                               "sklearn.set_config(enable_metadata_routing=True) first")
        known = self._metadata(method)
        routing = self.get_metadata_routing()
        for name, alias in requests.items():
            if name not in known:
                raise TypeError(f"{method} takes no metadata {name!r}: it must be one of "
                                + ", ".join(known))
            if alias != UNCHANGED:
                getattr(routing, method).add_request(param=name, alias=alias)
        self._metadata_request = routing
        return self

    def _metadata(self, method):
        """The names of a method's metadata."""
        names = inspect.signature(getattr(type(self), method)).parameters
        return [name for name in names if name not in ("self", "X", "y")]


class NotFittedError(ArgumentError, AttributeError):
    """A classifier was asked for a prediction before ``fit``; see ``not_fitted``."""

    def __reduce__(self):
        return not_fitted, self.args


def not_fitted(message):
    """A NotFittedError, also scikit-learn's own where a program has imported that."""
    theirs = getattr(sys.modules.get("sklearn.exceptions"), "NotFittedError", None)
    if theirs is None:
        return NotFittedError(message)
    return type("NotFittedError", (NotFittedError, theirs), {"__module__": __name__})(message)
