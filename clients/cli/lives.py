"""`shilian operators`: registering, the ways up and down of a life, each with its reason, and what happened."""

from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask
from shilian.registry.v1 import registry_pb2 as pb

from clients.cli.asking import Reason, asks, one_of, value
from clients.cli.registry_tables import SHOW_CHANGES, SHOW_OPERATOR, SHOW_SITE
from clients.cli.times import Since, Until, moment

app = typer.Typer()

Operator = Annotated[str, typer.Argument(help="主体编号。Operator id.")]
Name = Annotated[str, typer.Option(help="主体名称。Its name.")]
Contact = Annotated[str, typer.Option(help="专人姓名。The named person.")]
Phone = Annotated[str, typer.Option(help="专人手机。Their phone.")]
WeChat = Annotated[str, typer.Option(help="专人公众号 openid。Their openid.")]


@asks(app, "register", SHOW_OPERATOR)
def register(
    name: Name,
    division: Annotated[str, typer.Option(help="场所所在区划代码。GB/T 2260 code of the site.")],
    uscc: Annotated[str, typer.Option(help="统一社会信用代码。USCC.")] = "",
    id_number: Annotated[str, typer.Option(help="个人身份证号，仅存摘要。Stored hashed, never shown.")] = "",
    licence: Annotated[str, typer.Option(help="许可证编号。Licence of the site.")] = "",
    local_number: Annotated[str, typer.Option(help="无许可证时的场所序号。A number of its own without one.")] = "",
    site_name: Annotated[str, typer.Option(help="场所名称。The site's name.")] = "",
    address: Annotated[str, typer.Option(help="场所地址。The site's address.")] = "",
    link: Annotated[str, typer.Option(**one_of(pb.Link), help="环节。Link of the chain.")] = "",
    unit_kind: Annotated[str, typer.Option(**one_of(pb.UnitKind), help="单位类别。Kind of unit.")] = "",
    categories: Annotated[
        list[str] | None, typer.Option("--category", **one_of(pb.Category), help="经营品类，可多个。Repeat for each.")
    ] = None,
    contact: Contact = "",
    phone: Phone = "",
    wechat: WeChat = "",
) -> pb.RegisterOperatorRequest:
    """注册一个主体及其场所。Register an operator with a site; repeat with another licence for more sites."""
    site = pb.NewSite(
        name=site_name,
        licence=licence,
        local_number=local_number,
        address=address,
        division=division,
        link=value(pb.Link, link),
        unit_kind=value(pb.UnitKind, unit_kind),
        categories=[value(pb.Category, word) for word in categories or ()],
    )
    return pb.RegisterOperatorRequest(
        name=name, uscc=uscc, id_number=id_number, contact=contact, phone=phone, wechat=wechat, sites=[site]
    )


@asks(app, "update", SHOW_OPERATOR)
def update(
    operator: Operator, name: Name = "", contact: Contact = "", phone: Phone = "", wechat: WeChat = ""
) -> pb.UpdateOperatorRequest:
    """修改名称或专人及其联系方式；未给出的不变。Set name or named person; what is not given stays."""
    new = pb.Operator(operator_id=operator, name=name, contact=contact, phone=phone, wechat=wechat)
    given = [field.name for field, _ in new.ListFields() if field.name != "operator_id"]
    return pb.UpdateOperatorRequest(operator=new, update_mask=FieldMask(paths=given))


@asks(app, "activate", SHOW_OPERATOR)
def activate(operator: Operator, reason: Reason = "") -> pb.ActivateOperatorRequest:
    """激活已注册的主体。Move a registered operator to activated."""
    return pb.ActivateOperatorRequest(operator_id=operator, reason=reason)


@asks(app, "suspend", SHOW_OPERATOR)
def suspend(operator: Operator, reason: Reason) -> pb.SuspendOperatorRequest:
    """责令停业(食品安全法 126 条)。Suspend an operator."""
    return pb.SuspendOperatorRequest(operator_id=operator, reason=reason)


@asks(app, "resume", SHOW_OPERATOR)
def resume(operator: Operator, reason: Reason) -> pb.ResumeOperatorRequest:
    """恢复营业。End a suspension."""
    return pb.ResumeOperatorRequest(operator_id=operator, reason=reason)


@asks(app, "revoke", SHOW_OPERATOR)
def revoke(operator: Operator, reason: Reason) -> pb.RevokeOperatorRequest:
    """吊销(食品安全法 122–136 条)。Revoke an operator."""
    return pb.RevokeOperatorRequest(operator_id=operator, reason=reason)


@asks(app, "deregister", SHOW_OPERATOR)
def deregister(operator: Operator, reason: Reason) -> pb.DeregisterOperatorRequest:
    """注销(行政许可法 70 条)。Deregister an operator."""
    return pb.DeregisterOperatorRequest(operator_id=operator, reason=reason)


@asks(app, "close", SHOW_SITE)
def close(
    site: Annotated[str, typer.Argument(help="场所编号。Site id.")],
    reason: Reason,
    since: Since = None,
    until: Until = None,
) -> pb.DeclareClosureRequest:
    """申报场所停业期间，期间不计静默。Declare when a site is closed; it is not silent meanwhile."""
    return pb.DeclareClosureRequest(site_id=site, closed_from=moment(since), closed_until=moment(until), reason=reason)


@asks(app, "history", SHOW_CHANGES)
def history(
    operator: Annotated[str, typer.Argument(help="主体编号；或用 --site。Operator id, or --site.")] = "",
    site: Annotated[str, typer.Option(help="场所编号。Site id.")] = "",
) -> pb.ListChangesRequest:
    """主体或场所的变更记录。Who did what to an operator or site and why, newest first."""
    return pb.ListChangesRequest(operator_id=operator, site_id=site)
