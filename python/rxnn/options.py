"""What the options of several commands share."""

import click

from .weights import require_file_place, require_folder_place


def check_output_file(context: click.Context, parameter: click.Parameter, path: str | None) -> str | None:
    """For the callback of an option: a file that cannot be written is refused before any work."""
    if path is not None:
        require_file_place(path)
    return path


def check_output_folder(context: click.Context, parameter: click.Parameter, path: str) -> str:
    """The same for a folder, which is made where it is not there."""
    require_folder_place(path)
    return path
