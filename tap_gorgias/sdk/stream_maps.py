"""Stream maps, checked at the start of a run.

A map that is not applied leaves personal data in the output, so a map that names
something unknown is refused. The SDK ignores unknown names, evaluates the maps of
deselected streams as well, and finds other mistakes only on the first record.
"""

from __future__ import annotations

import ast
import difflib
import fnmatch
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
    PluginMapper,
)
from singer_sdk.singerlib import Catalog

from tap_gorgias.errors import SettingsError, did_you_mean

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk import Stream

RECORD_NAMES = frozenset({"_", "record"})
FUNCTIONS = frozenset(
    {"bool", "float", "int", "rand", "randint", "str"}
    | {"datetime", "json", "md5", "sha256"}
)
"""The functions and modules that expressions can use (`CustomStreamMap.functions`)."""
_VARIABLES = RECORD_NAMES | {"config", "__stream_name__", "__original_stream_name__"}
_BUILT_IN = FUNCTIONS | _VARIABLES | {"None", "True", "False", "fake"}
_OPTIONS = frozenset(
    {MAPPER_ALIAS_OPTION, MAPPER_ELSE_OPTION, MAPPER_FILTER_OPTION}
    | {MAPPER_KEY_PROPERTIES_OPTION, MAPPER_SOURCE_OPTION}
)
_NULLS = (None, NULL_STRING)


def create_mapper(
    config: Mapping[str, Any],
    streams: Iterable[Stream],
    catalog: Catalog,
    logger: logging.Logger,
) -> PluginMapper:
    """Create the mapper of the selected streams.

    Raises `SettingsError` if a map names an unknown stream or property, or has an
    expression that cannot be evaluated.
    """
    streams = list(streams)
    maps = dict(config.get("stream_maps") or {})
    map_config = config.get("stream_map_config") or {}
    problems = list(_problems(maps, map_config, streams))
    if problems:
        raise SettingsError(problems)
    selected = [stream.name for stream in streams if stream.selected]
    _warn_of_overlaps(maps, selected, logger)
    try:
        # The SDK removes `__else__` from the maps that it gets.
        mapper = PluginMapper({**config, "stream_maps": maps}, logger)
        mapper.register_raw_streams_from_catalog(
            Catalog({name: catalog[name] for name in selected if name in catalog})
        )
    except (MapExpressionError, NotImplementedError, StreamMapConfigError) as error:
        raise SettingsError([f"Setting `stream_maps`: {error}"]) from None
    return mapper


def _problems(
    maps: Mapping[str, Any], map_config: Mapping[str, Any], streams: list[Stream]
) -> Iterator[str]:
    names = [stream.name for stream in streams]
    for key, definition in maps.items():
        if key == MAPPER_ELSE_OPTION:
            continue
        place = f"Setting `stream_maps.{key[:80]}`"
        options = definition if isinstance(definition, dict) else {}
        source = options.get(MAPPER_SOURCE_OPTION, key) or ""
        matching = [one for one in streams if fnmatch.fnmatch(one.name, source)]
        if not matching:
            hint = did_you_mean(source, names)
            yield f"{place}: there is no stream `{source[:80]}`.{hint}"
        elif definition == {}:
            yield (
                f"{place} is empty. Meltano drops nulls: to remove a property, write "
                f'"{NULL_STRING}".'
            )
        elif options:
            if source not in names:
                # A pattern need not suit streams that are not read.
                matching = [one for one in matching if one.selected] or matching
            yield from _MapCheck(place, options, map_config, matching).problems()


def _warn_of_overlaps(
    maps: Mapping[str, Any], selected: list[str], logger: logging.Logger
) -> None:
    primary = [
        key for key, one in maps.items() if MAPPER_SOURCE_OPTION not in (one or ())
    ]
    for name in selected:
        keys = [f"`{key}`" for key in primary if fnmatch.fnmatch(name, key)]
        if len(keys) > 1:
            logger.warning(
                "Setting `stream_maps`: %s apply to `%s`. Only the last one is used.",
                " and ".join(keys),
                name,
            )


class _MapCheck(NamedTuple):
    """The check of one map against the streams that it applies to."""

    place: str
    options: Mapping[str, Any]
    map_config: Mapping[str, Any]
    streams: list[Stream]

    def problems(self) -> Iterator[str]:
        known = sorted({name for one in self.streams for name in _properties(one)})
        for name, value in self.options.items():
            place = self._place_of(name[:80])
            if name.startswith("__"):
                yield from self._option_problems(place, name, value)
            elif name not in known and value in _NULLS:
                yield f"{place}: there is no such property.{did_you_mean(name, known)}"
            elif value not in _NULLS:
                if similar := self._mistyped(name, known):
                    yield (
                        f"{place}: there is no such property. Did you mean `{similar}`?"
                    )
                yield from self._expression_problems(place, value, name)
        yield from self._key_problems()

    def _place_of(self, option: str) -> str:
        return f"{self.place[:-1]}.{option}`"

    def _option_problems(self, place: str, name: str, value: Any) -> Iterator[str]:  # noqa: ANN401
        if name not in _OPTIONS:
            yield f"{place}: there is no such option.{did_you_mean(name, _OPTIONS)}"
        elif name == MAPPER_FILTER_OPTION and value is not None:
            yield from self._expression_problems(place, value)
        elif name == MAPPER_ALIAS_OPTION:
            yield from _syntax_problems(place, value or "")

    def _mistyped(self, name: str, known: Iterable[str]) -> str | None:
        """Return the property that was meant, unless the map has it as well."""
        if name in known or MAPPER_ELSE_OPTION in self.options:
            return None
        # One letter that is wrong, missing or in the wrong place.
        cutoff = max(1 - 1.2 / len(name), 0.75) if name else 1
        for other in difflib.get_close_matches(name, known, n=1, cutoff=cutoff):
            if not name.startswith(other) and other not in self.options:
                return other
        return None

    def _expression_problems(
        self, place: str, expression: str, name: str | None = None
    ) -> Iterator[str]:
        if problems := list(_syntax_problems(place, expression)):
            yield from problems
            return
        used = _Used.of(expression)
        if "fake" in used.names and not find_spec("faker"):
            yield f"{place} uses `fake`: install the Python package `faker`."
        for key in sorted(used.config - self.map_config.keys()):
            yield f"{place} uses `{key[:80]}`, which is not in `stream_map_config`."
        lacking: dict[str, list[Stream]] = {}
        deselected: dict[str, list[Stream]] = {}
        for stream in self.streams:
            known = _properties(stream)
            usable = _BUILT_IN | ({"self"} if name in known else set())
            needed = (used.names - usable) | used.properties
            for one in needed - known:
                lacking.setdefault(one, []).append(stream)
            for one in needed & known if stream.selected else ():
                if not stream.mask["properties", one]:
                    deselected.setdefault(one, []).append(stream)
        for one, streams in sorted(lacking.items()):
            hint = did_you_mean(one, _properties(streams[0]) | FUNCTIONS)
            yield (
                f"{place} uses `{one[:80]}`, which is not in {_listed(streams)}.{hint}"
            )
        for one, streams in sorted(deselected.items()):
            yield f"{place} uses `{one}`, which is deselected in {_listed(streams)}."

    def _key_problems(self) -> Iterator[str]:
        own = self.options.get(MAPPER_KEY_PROPERTIES_OPTION, ())
        if MAPPER_KEY_PROPERTIES_OPTION in self.options and not own:
            option = self._place_of(MAPPER_KEY_PROPERTIES_OPTION)
            yield f"{option} must name at least one property: tables need a key."
            return
        mapped = {
            name
            for name, value in self.options.items()
            if not name.startswith("__") and value not in _NULLS
        }
        only_mapped = MAPPER_ELSE_OPTION in self.options
        lost: dict[str, list[Stream]] = {}
        for stream in self.streams:
            passed = set() if only_mapped else _properties(stream) - self.options.keys()
            for key in set(own or stream.primary_keys) - passed - mapped:
                lost.setdefault(key, []).append(stream)
        for key, streams in sorted(lost.items()):
            yield (
                f"{self.place} removes `{key[:80]}`, a key of {_listed(streams)}. "
                f'Keep it, for example with `"{key[:80]}": "{key[:80]}"`.'
            )


class _Used(NamedTuple):
    """What an expression refers to."""

    names: set[str]
    properties: set[str]
    config: set[str]

    @classmethod
    def of(cls, expression: str) -> _Used:
        """Find names, and constant keys such as in `record['name']`."""
        used = cls(set(), set(), set())
        bound = set()
        for node in ast.walk(ast.parse(expression)):
            match node:
                case ast.Name(id=name, ctx=ast.Store()):
                    bound.add(name)
                case ast.Name(id=name):
                    used.names.add(name)
                case ast.Subscript(ast.Name("config"), ast.Constant(key)):
                    used.config.add(str(key))
                case ast.Subscript(ast.Name(name), ast.Constant(key)):
                    if name in RECORD_NAMES:
                        used.properties.add(str(key))
        used.names.difference_update(bound)
        return used


def _syntax_problems(place: str, expression: str) -> Iterator[str]:
    try:
        [statement] = ast.parse(expression).body
        is_expression = isinstance(statement, ast.Expr)
    except (SyntaxError, ValueError):
        is_expression = False
    if not is_expression:
        yield f"{place} is not a valid expression."


def _properties(stream: Stream) -> set[str]:
    return set(stream.schema["properties"])


def _listed(streams: list[Stream]) -> str:
    others = f" and {len(streams) - 1} more" if len(streams) > 1 else ""
    return f"`{streams[0].name}`{others}"
