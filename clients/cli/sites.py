"""`shilian sites`: what an id means today, all sites of a division, and those that may be one."""

from typing import Annotated

import typer
from shilian.registry.v1 import registry_pb2 as pb

from clients.cli.answers import Json, listing
from clients.cli.asking import Division, Reason, asks
from clients.cli.registry_tables import SHOW_FACTS, SHOW_SITE

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="场所：查询、列表、疑似重复、合并。Sites.")

PAIR_HEADS = ("提议 proposal", "场所 left", "名称 name", "场所 right", "名称 name", "依据 reason")

Site = Annotated[str, typer.Argument(help="场所编号或其别名，如 licence:JY1…、market:A09。An id or alias.")]


def _pair_row(pair: Json) -> tuple[str, ...]:
    left, right = pair["left"], pair["right"]
    return (pair["proposal_id"], left["site_id"], left["name"], right["site_id"], right["name"], pair["reason"])


@asks(app, "get", SHOW_SITE)
def get(site: Site) -> pb.GetSiteRequest:
    """查一个编号现在指哪个场所。Resolve an id to the site it means today."""
    return pb.GetSiteRequest(site_id=site)


@asks(app, "list", SHOW_FACTS)
def list_sites(division: Division = "") -> pb.ListSitesRequest:
    """列出场所。List sites, a page at a time."""
    return pb.ListSitesRequest(division=division)


@asks(app, "alike", listing("proposals", "疑似重复 proposals", PAIR_HEADS, _pair_row))
def alike(division: Division = "") -> pb.ListMergeProposalsRequest:
    """列出疑似同一场所、待人工确认的成对。List pairs that look like one site and wait for a person."""
    return pb.ListMergeProposalsRequest(division=division)


@asks(app, "merge", SHOW_SITE)
def merge(
    keep: Annotated[str, typer.Argument(help="保留的场所。The site that stays.")],
    merged: Annotated[str, typer.Argument(help="并入的场所。The site that becomes an alias.")],
    reason: Reason,
) -> pb.MergeSitesRequest:
    """确认两个编号是同一场所。Say that two ids are one site."""
    return pb.MergeSitesRequest(keep_site_id=keep, merge_site_id=merged, reason=reason)
