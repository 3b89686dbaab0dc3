"""`shilian grid`: cells (网格), who is in charge of them, whom they help, and who handed over to whom."""

from typing import Annotated

import typer
from shilian.registry.v1 import registry_pb2 as pb

from clients.cli.answers import Json, listing
from clients.cli.asking import Division, Reason, asks, one_of, value
from clients.cli.registry_tables import SHOW_CHANGES, SHOW_SITES
from clients.cli.words import GRID_GAPS, zh
from contracts import divisions

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="网格：单元、网格员、联系人、缺口、交接。The grid.")

HEADS = ("网格 cell", "名称 name", "区划 division", "上级 parent", "监管所 station", "网格员 officer", "电话 phone",
         "版本 version")  # fmt: skip
GAP_HEADS = ("场所 site", "名称 name", "区划 division", "网格 cell", "缺 gaps")

Cell = Annotated[str, typer.Argument(help="网格编号。Id of the cell.")]
Sites = Annotated[list[str], typer.Argument(help="场所编号，可多个。Ids of sites, at most 500.")]


def _row(cell: Json) -> tuple[str, ...]:
    officer = cell.get("officer", {})
    return (
        cell["cell_id"],
        cell["name"],
        divisions.path(cell["division"]),
        cell["parent_id"],
        cell["station_name"] or cell["station"],
        officer.get("name", ""),
        officer.get("phone", ""),
        str(cell["version"]),
    )


def _gap_row(one: Json) -> tuple[str, ...]:
    place = divisions.path(one["division"])
    return (one["site_id"], one["name"], place, one["cell_id"], "、".join(zh(GRID_GAPS, gap) for gap in one["gaps"]))


SHOW_CELL = listing("cell", "网格 cell", HEADS, _row)
SHOW_GAPS = listing("sites", "网格缺口 gaps", GAP_HEADS, _gap_row)


@asks(app, "cells", listing("cells", "网格 cells", HEADS, _row))
def cells(division: Division = "") -> pb.ListCellsRequest:
    """列出网格、监管所和网格员。List cells with their stations and officers."""
    return pb.ListCellsRequest(division=division)


@asks(app, "set", SHOW_CELL)
def set_cell(
    cell: Cell,
    name: Annotated[str, typer.Option(help="网格名称。Its name.")],
    division: Annotated[str, typer.Option(help="区划代码。GB/T 2260 code or one below it.")],
    station: Annotated[str, typer.Option(help="监管所编号。Id of the station in charge.")],
    reason: Reason,
    station_name: Annotated[str, typer.Option(help="监管所名称。The station's name.")] = "",
    parent: Annotated[str, typer.Option(help="上级网格。The cell it lies in.")] = "",
    version: Annotated[int, typer.Option(min=0, help="所见版本;0 为不限。The version that was looked at.")] = 0,
) -> pb.SetCellRequest:
    """新建或修改网格(网格员另行指定)。Set a cell, all but its officer."""
    new = pb.Cell(
        cell_id=cell,
        parent_id=parent,
        name=name,
        division=division,
        station=station,
        station_name=station_name,
        version=version,
    )
    return pb.SetCellRequest(cell=new, reason=reason)


@asks(app, "officer", SHOW_CELL)
def officer(
    cell: Cell,
    reason: Reason,
    officer: Annotated[str, typer.Option("--officer", help="人员编号；空则撤下。Id; none without it.")] = "",
    name: Annotated[str, typer.Option(help="姓名。Name.")] = "",
    phone: Annotated[str, typer.Option(help="手机。Mobile number.")] = "",
    wechat: Annotated[str, typer.Option(help="公众号 openid。openid of the official account.")] = "",
    email: Annotated[str, typer.Option(help="邮箱。E-mail.")] = "",
) -> pb.AssignOfficerRequest:
    """指定或交接网格员。Put an officer in charge of a cell; hand-overs are kept."""
    who = pb.Officer(officer_id=officer, name=name, phone=phone, wechat=wechat, email=email) if officer else None
    return pb.AssignOfficerRequest(cell_id=cell, officer=who, reason=reason)


@asks(app, "place", SHOW_SITES)
def place(
    sites: Sites,
    reason: Reason,
    cell: Annotated[str, typer.Option("--cell", help="网格；空则按区划重新归格。By division again without it.")] = "",
) -> pb.PlaceSitesRequest:
    """把场所划入网格。Put sites into a cell by a person's word."""
    return pb.PlaceSitesRequest(site_ids=sites, cell_id=cell, reason=reason)


@asks(app, "contact", SHOW_SITES)
def contact(
    sites: Sites,
    reason: Reason,
    officer: Annotated[str, typer.Option("--officer", help="人员编号；空则撤下。Id; none without it.")] = "",
) -> pb.AssignContactRequest:
    """指定一对一联系人。Name an officer of the grid as the 1:1 contact (一对一联系帮扶) of sites."""
    return pb.AssignContactRequest(site_ids=sites, officer_id=officer, reason=reason)


@asks(app, "gaps", SHOW_GAPS)
def gaps(
    division: Division = "",
    gap: Annotated[str, typer.Option(**one_of(pb.Gap), help="只看这一种。Only of this kind.")] = "",
) -> pb.ListGapsRequest:
    """列出缺网格、网格员或联系人的场所。List sites without a cell, an officer or a 1:1 contact."""
    return pb.ListGapsRequest(division=division, gap=value(pb.Gap, gap))


@asks(app, "history", SHOW_CHANGES)
def history(cell: Cell) -> pb.ListChangesRequest:
    """网格的变更与交接记录。What happened to a cell, hand-overs among it, newest first."""
    return pb.ListChangesRequest(cell_id=cell)
