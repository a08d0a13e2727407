"""Where templates come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jinja2

from ..context import current

Source = tuple[str, str | None, Callable[[], bool] | None]


class DispatchingJinjaLoader(jinja2.BaseLoader):
    """Looks for a template in the application's folder, then in those of its blueprints.

    :param app: The application. With ``EXPLAIN_TEMPLATE_LOADING`` it logs where each template
        was looked for.
    :source: Flask: the same.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    def _loaders(self) -> Iterator[tuple[Any, jinja2.BaseLoader]]:
        for owner in (self.app, *self.app.iter_blueprints()):
            if owner.jinja_loader is not None:
                yield owner, owner.jinja_loader

    def get_source(self, environment: jinja2.Environment, template: str) -> Source:
        """The first source found; raises ``TemplateNotFound`` where there is none."""
        explain = self.app.config["EXPLAIN_TEMPLATE_LOADING"]
        attempts: list[tuple[Any, jinja2.BaseLoader, Source | None]] = []
        for owner, loader in self._loaders():
            try:
                source = loader.get_source(environment, template)
            except jinja2.TemplateNotFound:
                attempts.append((owner, loader, None))
                continue
            if not explain:
                return source
            attempts.append((owner, loader, source))
        found = next((source for _, _, source in attempts if source is not None), None)
        if explain:
            self.app.logger.info(self._explain(template, attempts))
        if found is None:
            raise jinja2.TemplateNotFound(template)
        return found

    def _explain(
        self, template: str, attempts: list[tuple[Any, jinja2.BaseLoader, Source | None]]
    ) -> str:
        lines = [f"Locating template {template!r}:"]
        for number, (owner, loader, source) in enumerate(attempts, 1):
            kind = "application" if owner is self.app else "blueprint"
            name = owner.import_name if owner is self.app else owner.name
            lines.append(f"{number:5}: trying loader of {kind} {name!r} ({owner.import_name})")
            lines.extend(f"       {line}" for line in _describe(loader))
            lines.append(f"       -> found ({source[1]!r})" if source else "       -> no match")
        count = sum(source is not None for _, _, source in attempts)
        if count == 0:
            lines.append("Error: the template could not be found.")
        elif count > 1:
            lines.append("Warning: more than one loader has this template; the first one is used.")
        ctx = current.get(None)
        blueprint = ctx.request.blueprint if ctx is not None and ctx.request is not None else None
        if blueprint is not None and count != 1:
            lines.append(
                f"  It was looked up from an endpoint of the blueprint {blueprint!r}. Is it in the"
                " folder that this blueprint was given as 'template_folder'? The application's"
                " folder is searched first."
            )
        return "\n".join(lines)

    def list_templates(self) -> list[str]:
        """The names of all templates, sorted, each once."""
        return sorted({name for _, loader in self._loaders() for name in loader.list_templates()})


def _describe(loader: jinja2.BaseLoader) -> Iterator[str]:
    yield f"class: {type(loader).__module__}.{type(loader).__name__}"
    for key, value in sorted(vars(loader).items()):
        if key.startswith("_"):
            continue
        if isinstance(value, (tuple, list)) and all(isinstance(item, str) for item in value):
            yield f"{key}:"
            yield from (f"  - {item}" for item in value)
        elif isinstance(value, (str, int, float, bool)):
            yield f"{key}: {value!r}"
